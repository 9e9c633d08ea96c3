/** Where a peer is, and the compact form in which trackers, the DHT and peer exchange tell it. */
import {
  type Family,
  familyOf,
  formatAddress,
  parseAddress,
} from "../core/address.ts";
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
/** Bytes of a peer in compact form: address and port (BEP 23; BEP 7 for IPv6). */
export const COMPACT_BYTES = { ipv4: 6, ipv6: 18 } as const;

/**
 * Writes those of `peers` that are of one family, 6 bytes each (BEP 23) or 18 (BEP 7, IPv6); the others are left out.
 *
 * @throws {SyntaxError} If a host is no literal address.
 */
export function encodeCompactPeers(
  peers: readonly PeerEndpoint[],
  family: Family,
): Uint8Array<ArrayBuffer> {
  const size = COMPACT_BYTES[family];
  const bytes = new Uint8Array(peers.length * size);
  let at = 0;
  for (const peer of peers) {
    if (familyOf(peer.host) !== family) continue;
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
  family: Family,
): PeerAddress[] {
  const size = COMPACT_BYTES[family];
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
