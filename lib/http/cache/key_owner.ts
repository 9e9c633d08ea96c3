/** FNV-1a (Fowler, Noll and Vo): 32 bits. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * Which of `parts` parts of a cache keeps the responses to a target, from 0: always the same one, and each about as many.
 *
 * @param target Normalised, as it is in the cache's key.
 */
export function keyOwner(target: string, parts: number): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < target.length; at++) {
    hash = Math.imul(hash ^ target.charCodeAt(at), PRIME);
  }
  // The lower bits of FNV depend on the lower bits of the text alone.
  return ((hash ^ (hash >>> 16)) >>> 0) % parts;
}
