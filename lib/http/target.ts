/**
 * Brings a request target into the one form that is used as cache key and sent to the origin: dot segments resolved,
 * also percent-encoded ones, characters a URL cannot hold escaped (RFC 3986 §5.2.4, §6.2.2).
 *
 * One form for both is what keeps a cache from being poisoned: `/a/../b` and `/b` cannot be two entries, and no
 * target can climb out of the origin's path or name another host.
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
    const url = new URL(`http://origin.invalid${target}`);
    return url.host === "origin.invalid"
      ? url.pathname + url.search
      : undefined;
  } catch {
    return undefined;
  }
}
