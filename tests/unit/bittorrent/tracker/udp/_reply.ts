import {
  COMPACT_BYTES,
  encodeCompactPeers,
} from "../../../../../lib/bittorrent/peer_endpoint.ts";
import type { UdpTrackerReply } from "../../../../../lib/bittorrent/tracker/udp/messages.ts";
import {
  encodeUdpReply,
  writeUdpAnnounceReply,
} from "../../../../../lib/bittorrent/tracker/udp/replies.ts";
import type { Family } from "../../../../../lib/core/address.ts";

/** Any reply of a UDP tracker as bytes. */
export function encodeReply(
  reply: UdpTrackerReply,
  family: Family = "ipv4",
): Uint8Array {
  if (reply.kind !== "announce") return encodeUdpReply(reply);
  const { peers, seeders, leechers, intervalSeconds } = reply.announce;
  const compact = encodeCompactPeers(peers, family);
  // Not zeros, as in a buffer that was used before.
  const bytes = new Uint8Array(2048).fill(0xee);
  const count = compact.length / (COMPACT_BYTES[family]);
  const length = writeUdpAnnounceReply(bytes, {
    transactionId: reply.transactionId,
    intervalSeconds,
    seeders: seeders ?? 0,
    leechers: leechers ?? 0,
  }, { peers: { count, compact, ids: null }, family });
  return bytes.subarray(0, length);
}
