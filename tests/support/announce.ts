import type { AnnounceRequest } from "../../lib/bittorrent/tracker/messages.ts";
import { utf8 } from "../../lib/core/bytes.ts";

/** What a peer announces that begins to download 5 bytes, with what a test changes of it. */
export function announceOf(
  change: Partial<AnnounceRequest> = {},
): AnnounceRequest {
  return {
    infoHash: new Uint8Array(20),
    peerId: utf8("-RC0001-abcdefghijkl"),
    port: 6881,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 5,
    event: "started",
    numWant: null,
    ...change,
  };
}
