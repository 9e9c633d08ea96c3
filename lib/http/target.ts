/**
 * Brings a request target into the one form that is used as cache key and sent to the origin: dot segments resolved,
 * also percent-encoded ones, characters a URL cannot hold escaped, those that need no escape not (RFC 3986 §5.2.4,
 * §6.2.2).
 *
 * One form for both is what keeps a cache from being poisoned: `/a/../b` and `/b` cannot be two entries, nor `/%62`
 * and `/b`, of which a purge would leave one; and no target can climb out of the origin's path or name another host.
 *
 * @param target Origin-form as sent: path and query.
 * @returns Path and query, or undefined when it is not in origin-form.
 */
export function normaliseTarget(target: string): string | undefined {
  // Nearly all are in that form already, and reading them as URLs would cost more than the rest of a hit.
  if (/^\/[\w~\-./]*$/.test(target) && !target.includes("/.")) return target;
  // deno-lint-ignore no-control-regex
  if (!target.startsWith("/") || /[\x00-\x20\x7f#]/.test(target)) {
    return undefined;
  }
  try {
    // Joined as text: as a relative reference, `//other.example/` would name a host.
    const url = new URL(`http://origin.invalid${withPlainEscapes(target)}`);
    return url.host === "origin.invalid"
      ? url.pathname + url.search
      : undefined;
  } catch {
    return undefined;
  }
}

/** Escapes of letters, digits and `-._~` mean the same as those themselves, and `%c3` the same as `%C3` (RFC 3986 §6.2.2). */
function withPlainEscapes(target: string): string {
  if (!target.includes("%")) return target;
  return target.replace(/%[\da-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[\w\-.~]/.test(character) ? character : escape.toUpperCase();
  });
}
