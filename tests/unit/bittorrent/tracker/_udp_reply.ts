import { encodeCompactPeers } from "../../../../lib/bittorrent/peer_endpoint.ts";
import {
  encodeUdpReply,
  type UdpTrackerReply,
  writeUdpAnnounceReply,
} from "../../../../lib/bittorrent/tracker/udp.ts";

/** Any reply of a UDP tracker as bytes. */
export function encodeReply(
  reply: UdpTrackerReply,
  family: "ipv4" | "ipv6" = "ipv4",
): Uint8Array {
  if (reply.kind !== "announce") return encodeUdpReply(reply);
  const { peers, seeders, leechers, intervalSeconds } = reply.announce;
  const compact = encodeCompactPeers(peers, family);
  // Not zeros, as in a buffer that was used before.
  const bytes = new Uint8Array(2048).fill(0xee);
  const count = compact.length / (family === "ipv4" ? 6 : 18);
  const length = writeUdpAnnounceReply(bytes, {
    transactionId: reply.transactionId,
    intervalSeconds,
    seeders: seeders ?? 0,
    leechers: leechers ?? 0,
  }, { peers: { count, compact, ids: null }, family });
  return bytes.subarray(0, length);
}
