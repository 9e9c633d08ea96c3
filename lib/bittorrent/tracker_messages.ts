import { formatAddress, parseAddress } from "../core/address.ts";
import { viewOf } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";

/** What a peer tells the tracker has just happened (BEP 3, "event"); `none` for the announces in between. */
export type AnnounceEvent = "none" | "started" | "stopped" | "completed";

/** An announce, whatever it came over: "I share this torrent at this port; who else does?" */
export interface AnnounceRequest {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where the peer listens for other peers. */
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** What the peer still lacks; 0 makes it a seed. */
  readonly leftBytes: number;
  readonly event: AnnounceEvent;
  /** How many peers are asked for; null leaves it to the tracker. */
  readonly numWant: number | null;
  /**
   * The literal address the peer wants handed on in place of the one it announces from. Ours believes it only from a
   * peer in its own network, behind the same gateway, which is what BEP 3 has it for; UDP carries IPv4 only.
   */
  readonly ip?: string;
  /** What the tracker gave us to send back (BEP 3's "tracker id"); HTTP only. */
  readonly trackerId?: Uint8Array;
}

/** Where a peer can be reached. */
export interface PeerAddress {
  /** A literal address; in replies of other trackers it may be a name. */
  readonly host: string;
  readonly port: number;
  /** 20 bytes; null where the reply left it out, as compact ones do. */
  readonly peerId: Uint8Array | null;
}

/** The tracker's answer to an announce. */
export interface AnnounceReply {
  /** How long to wait before the next announce. */
  readonly intervalSeconds: number;
  /** Announces must be at least this far apart, unless there is an event to tell. */
  readonly minIntervalSeconds?: number;
  /** What the tracker wants back with the next announces. */
  readonly trackerId?: Uint8Array;
  /** Peers that have all; null where the reply did not say. */
  readonly seeders: number | null;
  /** Peers that do not; null where the reply did not say. */
  readonly leechers: number | null;
  readonly peers: readonly PeerAddress[];
  /** What the tracker wants people to read although it answered. */
  readonly warning: string | null;
}

/** What a scrape says of one torrent (BEP 48). */
export interface ScrapeEntry {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly seeders: number;
  readonly leechers: number;
  /** How many downloads were ever reported complete. */
  readonly completed: number;
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
  peers: readonly {
    readonly host: string;
    readonly port: number;
  }[],
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
export function compactPeer(
  peer: { readonly host: string; readonly port: number },
): Uint8Array<ArrayBuffer> {
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
