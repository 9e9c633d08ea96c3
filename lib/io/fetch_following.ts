import type { FetchOptions, Net } from "./net.ts";

/** Places a server may send us to before it has what we ask for. */
const MAX_REDIRECTS = 5;
/** RFC 9110 §15.4: those whose Location has what was asked for. */
const MOVED = [301, 302, 303, 307, 308];

/**
 * A GET that goes on to where the server sends us, at most five times. A redirect that leads nowhere, or to something
 * else than HTTP, is the answer.
 *
 * @throws {RunError} As {@linkcode Net.fetch}.
 */
export async function fetchFollowing(
  net: Pick<Net, "fetch">,
  url: string,
  options: FetchOptions,
): Promise<Response> {
  let target = url;
  for (let hop = 0;; hop++) {
    const response = await net.fetch(target, options);
    const location = response.headers.get("location");
    if (
      location === null || hop >= MAX_REDIRECTS ||
      !MOVED.includes(response.status) || !URL.canParse(location, target)
    ) return response;
    const { href, protocol } = new URL(location, target);
    if (protocol !== "http:" && protocol !== "https:") return response;
    await response.body?.cancel();
    target = href;
  }
}
