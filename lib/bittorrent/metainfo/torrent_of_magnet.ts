import { concat, utf8 } from "../../core/bytes.ts";
import { encodeBencode } from "../bencode.ts";
import type { Magnet } from "./magnet.ts";
import { type Hashing, type Metainfo, parseInfo } from "./metainfo.ts";

/**
 * Returns the torrent that a magnet link and the info dictionary it leads to are together. Each tracker of the link is a tier.
 *
 * @throws {SyntaxError} If the dictionary describes no torrent we would take as a file.
 */
export function torrentOfMagnet(
  magnet: Magnet,
  infoBytes: Uint8Array,
  hashing: Hashing,
): Metainfo {
  return {
    ...parseInfo(infoBytes, hashing),
    announce: magnet.trackers[0] ?? null,
    announceList: magnet.trackers.map((url) => [url]),
    webSeeds: magnet.webSeeds,
    httpSeeds: [],
    nodes: [],
    pieceLayers: new Map(),
    comment: null,
    createdBy: null,
    createdAtSeconds: null,
  };
}

/** Returns the bytes of a .torrent file with the info dictionary as it came, so that its hash stays. The hashes of v2 that lie outside it are not in there. */
export function encodeTorrent(
  torrent: Pick<
    Metainfo,
    "announce" | "announceList" | "infoBytes" | "webSeeds"
  >,
): Uint8Array<ArrayBuffer> {
  const { announce, announceList, infoBytes, webSeeds } = torrent;
  const before = encodeBencode({
    announce: announce ?? undefined,
    "announce-list": announceList.length > 1 ? announceList : undefined,
  });
  const after = encodeBencode({
    "url-list": webSeeds.length > 0 ? webSeeds : undefined,
  });
  // Two dictionaries with the third in between: keys are sorted, and "info" comes after "announce" and before "url-list".
  return concat(
    before.subarray(0, -1),
    utf8("4:info"),
    infoBytes,
    after.subarray(1),
  );
}
