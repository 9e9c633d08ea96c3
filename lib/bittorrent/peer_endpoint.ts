/** Where a peer is, and the compact form in which trackers, the DHT and peer exchange tell it. */
import { formatAddress, parseAddress } from "../core/address.ts";
import { viewOf } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";

/** Where a peer can be reached. */
export interface PeerEndpoint {
  /** A literal address; in replies of other trackers and in magnet links it may be a name. */
  readonly host: string;
  readonly port: number;
}

/** A peer as a tracker tells of it. */
export interface PeerAddress extends PeerEndpoint {
  /** 20 bytes; null where the reply left it out, as compact ones do. */
  readonly peerId: Uint8Array | null;
}

/** Largest number of peers taken from one reply; more than anyone connects to. */
export const MAX_REPLY_PEERS = 2000;
/** Bytes of an IPv4 peer in compact form (BEP 23): address and port. */
const COMPACT_4_BYTES = 6;
/** Bytes of an IPv6 peer in compact form (BEP 7). */
const COMPACT_6_BYTES = 18;

/** Returns whether a literal address is IPv6. */
export function isIpv6(host: string): boolean {
  return host.includes(":");
}

/**
 * Writes those of `peers` that are of one family, 6 bytes each (BEP 23) or 18 (BEP 7, IPv6); the others are left out.
 *
 * @throws {SyntaxError} If a host is no literal address.
 */
export function encodeCompactPeers(
  peers: readonly PeerEndpoint[],
  family: "ipv4" | "ipv6",
): Uint8Array<ArrayBuffer> {
  const size = family === "ipv6" ? COMPACT_6_BYTES : COMPACT_4_BYTES;
  const bytes = new Uint8Array(peers.length * size);
  let at = 0;
  for (const peer of peers) {
    if (isIpv6(peer.host) !== (family === "ipv6")) continue;
    bytes.set(compactPeer(peer), at);
    at += size;
  }
  return bytes.subarray(0, at);
}

/**
 * Writes one peer in compact form: 6 bytes for IPv4, 18 for IPv6.
 *
 * @throws {SyntaxError} If the host is no literal address.
 */
export function compactPeer(peer: PeerEndpoint): Uint8Array<ArrayBuffer> {
  const address = parseAddress(peer.host);
  const bytes = new Uint8Array(address.length + 2);
  bytes.set(address);
  viewOf(bytes).setUint16(address.length, peer.port);
  return bytes;
}

/**
 * Reads peers in compact form. Peers at port 0 are nowhere and are left out; so is what exceeds {@linkcode MAX_REPLY_PEERS}.
 *
 * @throws {ProtocolError} `tracker-reply-malformed` if the length is no multiple of a peer's.
 */
export function decodeCompactPeers(
  bytes: Uint8Array,
  family: "ipv4" | "ipv6",
): PeerAddress[] {
  const size = family === "ipv6" ? COMPACT_6_BYTES : COMPACT_4_BYTES;
  if (bytes.length % size !== 0) {
    throw new ProtocolError(
      "tracker-reply-malformed",
      `Cannot read peers: must be ${size} bytes each, got ${bytes.length} bytes`,
    );
  }
  const view = viewOf(bytes);
  const peers: PeerAddress[] = [];
  for (
    let at = 0;
    at < bytes.length && peers.length < MAX_REPLY_PEERS;
    at += size
  ) {
    const port = view.getUint16(at + size - 2);
    if (port === 0) continue;
    const host = formatAddress(bytes.subarray(at, at + size - 2));
    peers.push({ host, port, peerId: null });
  }
  return peers;
}
