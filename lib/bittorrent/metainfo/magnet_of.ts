import { toHex } from "../../core/bytes.ts";
import type { Metainfo } from "./metainfo.ts";

/** How a multihash says that a SHA-256 of 32 bytes follows. */
const SHA256_MULTIHASH = "1220";

/**
 * Returns the magnet link of a torrent (BEP 9; of v2 with `btmh`, BEP 52): its hashes, name, length, trackers and web seeds.
 *
 * @example
 * ```ts
 * import { magnetOf } from "./magnet_of.ts";
 * import assert from "node:assert/strict";
 *
 * const link = magnetOf({
 *   version: "v1", infoHash: new Uint8Array(20), infoHashV2: null, name: "a b", totalBytes: 7,
 *   announceList: [["http://10.0.0.1:6969/announce"]], webSeeds: [],
 * });
 * assert.equal(
 *   link,
 *   `magnet:?xt=urn:btih:${"0".repeat(40)}&dn=a%20b&xl=7&tr=http%3A%2F%2F10.0.0.1%3A6969%2Fannounce`,
 * );
 * ```
 */
export function magnetOf(
  info: Pick<
    Metainfo,
    | "version"
    | "infoHash"
    | "infoHashV2"
    | "name"
    | "totalBytes"
    | "announceList"
    | "webSeeds"
  >,
): string {
  const fields: string[] = [];
  if (info.version !== "v2") fields.push(`xt=urn:btih:${toHex(info.infoHash)}`);
  if (info.infoHashV2 !== null) {
    fields.push(`xt=urn:btmh:${SHA256_MULTIHASH}${toHex(info.infoHashV2)}`);
  }
  fields.push(`dn=${encodeURIComponent(info.name)}`, `xl=${info.totalBytes}`);
  for (const url of info.announceList.flat()) {
    fields.push(`tr=${encodeURIComponent(url)}`);
  }
  for (const url of info.webSeeds) fields.push(`ws=${encodeURIComponent(url)}`);
  return `magnet:?${fields.join("&")}`;
}
