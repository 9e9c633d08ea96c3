/**
 * The tracker's UDP messages, both ways (BEP 15).
 *
 * A client first asks for a connection id, which proves that it receives what is sent to its address; announces and
 * scrapes then carry it. All numbers are big-endian. Requests start with 8 bytes of connection id (or the magic),
 * then action and transaction id; replies start with action and transaction id.
 */
import { decodeUrlData, encodeUrlData } from "./_udp_options.ts";
import { formatAddress, parseAddress } from "../../core/address.ts";
import { concat, fromUtf8, utf8, viewOf } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import type { DrawnPeers } from "./peer_draw.ts";
import { decodeCompactPeers } from "../peer_endpoint.ts";
import type {
  AnnounceEvent,
  AnnounceReply,
  AnnounceRequest,
  ScrapeEntry,
} from "./messages.ts";

/** What a connect request carries in place of a connection id. */
const CONNECT_MAGIC = 0x41727101980n;
/** Actions on the wire. */
const CONNECT = 0;
const ANNOUNCE = 1;
const SCRAPE = 2;
const ERROR = 3;
const REQUEST_HEAD_BYTES = 16;
const ANNOUNCE_BYTES = 98;
const ANNOUNCE_REPLY_HEAD_BYTES = 20;
const SCRAPE_REPLY_HEAD_BYTES = 8;
const SCRAPE_ENTRY_BYTES = 12;
const HASH_BYTES = 20;
/** Most torrents in one scrape, so that request and reply fit a datagram. */
export const MAX_UDP_SCRAPE_HASHES = 74;
/** Longest reply we send: fits an Ethernet frame over IPv6. */
const MAX_REPLY_BYTES = 1452;
/** Events in the order of their numbers on the wire; 4 is libtorrent's for a partial seed (BEP 21), which is still there. */
const EVENTS: readonly AnnounceEvent[] = [
  "none",
  "completed",
  "started",
  "stopped",
  "none",
];

/** What a client sends. `transactionId` is 32 bits, chosen by the client and repeated in the reply. */
export type UdpTrackerRequest =
  | { readonly kind: "connect"; readonly transactionId: number }
  | {
    readonly kind: "announce";
    readonly transactionId: number;
    readonly connectionId: bigint;
    readonly announce: AnnounceRequest;
    /** 32 bits that stay the same when the client's address changes. */
    readonly key: number;
    /** Path and query of the announce URL (BEP 41), such as `/announce?pass=key`. */
    readonly urlData?: string;
  }
  | {
    readonly kind: "scrape";
    readonly transactionId: number;
    readonly connectionId: bigint;
    /** 1 to {@linkcode MAX_UDP_SCRAPE_HASHES} of 20 bytes each. */
    readonly infoHashes: readonly Uint8Array[];
  };

/** What a client is told. */
export type UdpTrackerReply =
  | {
    readonly kind: "connect";
    readonly transactionId: number;
    readonly connectionId: bigint;
  }
  | {
    readonly kind: "announce";
    readonly transactionId: number;
    readonly announce: AnnounceReply;
  }
  | {
    readonly kind: "scrape";
    readonly transactionId: number;
    /** In the order of the request, which has the info-hashes. */
    readonly entries: readonly Omit<ScrapeEntry, "infoHash">[];
  }
  | {
    readonly kind: "error";
    readonly transactionId: number;
    readonly message: string;
  };

/** The head of a tracker's answer to an announce. */
export interface UdpAnnounceHead {
  readonly transactionId: number;
  readonly intervalSeconds: number;
  readonly seeders: number;
  readonly leechers: number;
}

/** Returns how many peers fit a reply to an asker of that family; replies hold peers of the asker's family only. */
export function udpPeerCapacity(family: "ipv4" | "ipv6"): number {
  return Math.floor(
    (MAX_REPLY_BYTES - ANNOUNCE_REPLY_HEAD_BYTES) /
      (family === "ipv6" ? 18 : 6),
  );
}

/** Writes a request. */
export function encodeUdpRequest(
  request: UdpTrackerRequest,
): Uint8Array<ArrayBuffer> {
  switch (request.kind) {
    case "connect":
      return requestHead(CONNECT, CONNECT_MAGIC, request.transactionId);
    case "scrape":
      return concat(
        requestHead(SCRAPE, request.connectionId, request.transactionId),
        ...request.infoHashes,
      );
    case "announce": {
      const { announce } = request;
      const bytes = new Uint8Array(ANNOUNCE_BYTES);
      const view = viewOf(bytes);
      bytes.set(
        requestHead(ANNOUNCE, request.connectionId, request.transactionId),
      );
      bytes.set(announce.infoHash, 16);
      bytes.set(announce.peerId, 36);
      view.setBigUint64(56, BigInt(announce.downloadedBytes));
      view.setBigUint64(64, BigInt(announce.leftBytes));
      view.setBigUint64(72, BigInt(announce.uploadedBytes));
      view.setUint32(80, EVENTS.indexOf(announce.event));
      // Zeros mean the sender's address; there is no room for one of IPv6.
      const ip = parseAddress(announce.ip ?? "0.0.0.0");
      if (ip.length === 4) bytes.set(ip, 84);
      view.setUint32(88, request.key);
      view.setInt32(92, announce.numWant ?? -1);
      view.setUint16(96, announce.port);
      return concat(bytes, encodeUrlData(request.urlData ?? ""));
    }
  }
}

/**
 * Reads a request. Hashes and ids share the memory of `bytes`.
 *
 * @throws {ProtocolError} `datagram-malformed` if it is none; such a datagram is best not answered.
 */
export function decodeUdpRequest(bytes: Uint8Array): UdpTrackerRequest {
  if (bytes.length < REQUEST_HEAD_BYTES) throw malformed("16 bytes", bytes);
  const connectionId = viewOf(bytes).getBigUint64(0);
  const transactionId = uint32At(bytes, 12);
  switch (uint32At(bytes, 8)) {
    case CONNECT:
      if (connectionId !== CONNECT_MAGIC) {
        throw malformed("the protocol's magic number", bytes);
      }
      return { kind: "connect", transactionId };
    case ANNOUNCE: {
      const request = {
        kind: "announce",
        transactionId,
        connectionId,
        announce: decodeAnnounce(bytes),
        key: uint32At(bytes, 88),
      } as const;
      if (bytes.length === ANNOUNCE_BYTES) return request;
      return { ...request, ...decodeUrlData(bytes, ANNOUNCE_BYTES) };
    }
    case SCRAPE: {
      const count = (bytes.length - REQUEST_HEAD_BYTES) / HASH_BYTES;
      if (
        !Number.isInteger(count) || count < 1 || count > MAX_UDP_SCRAPE_HASHES
      ) {
        throw malformed(`1 to ${MAX_UDP_SCRAPE_HASHES} info-hashes`, bytes);
      }
      const infoHashes = Array.from({ length: count }, (_, index) => {
        const at = REQUEST_HEAD_BYTES + index * HASH_BYTES;
        return bytes.subarray(at, at + HASH_BYTES);
      });
      return { kind: "scrape", transactionId, connectionId, infoHashes };
    }
    default:
      throw malformed("an action from 0 to 2", bytes);
  }
}

/** Returns the transaction id even of a malformed announce or scrape, so that it can be answered with an error; null for anything else. */
export function udpRequestTransaction(bytes: Uint8Array): number | null {
  if (bytes.length < REQUEST_HEAD_BYTES) return null;
  const action = uint32At(bytes, 8);
  return action === ANNOUNCE || action === SCRAPE ? uint32At(bytes, 12) : null;
}

/**
 * Writes the answer to an announce over the start of `into`, and returns its length. By hand and without a new array,
 * since nothing is sent more often.
 *
 * @param peers At most {@linkcode udpPeerCapacity}, of `family`.
 */
export function writeUdpAnnounceReply(
  into: Uint8Array,
  head: UdpAnnounceHead,
  { peers, family }: {
    readonly peers: DrawnPeers;
    readonly family: "ipv4" | "ipv6";
  },
): number {
  writeUint32(into, 0, ANNOUNCE);
  writeUint32(into, 4, head.transactionId);
  writeUint32(into, 8, head.intervalSeconds);
  writeUint32(into, 12, head.leechers);
  writeUint32(into, 16, head.seeders);
  const { compact } = peers;
  const length = peers.count * (family === "ipv6" ? 18 : 6);
  for (let at = 0; at < length; at++) {
    into[ANNOUNCE_REPLY_HEAD_BYTES + at] = compact[at]!;
  }
  return ANNOUNCE_REPLY_HEAD_BYTES + length;
}

function writeUint32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

/** Writes a reply other than that to an announce. */
export function encodeUdpReply(
  reply: Exclude<UdpTrackerReply, { kind: "announce" }>,
): Uint8Array<ArrayBuffer> {
  switch (reply.kind) {
    case "connect": {
      const bytes = new Uint8Array(16);
      viewOf(bytes).setBigUint64(8, reply.connectionId);
      return replyHead(bytes, CONNECT, reply.transactionId);
    }
    case "scrape": {
      const bytes = new Uint8Array(
        SCRAPE_REPLY_HEAD_BYTES + reply.entries.length * SCRAPE_ENTRY_BYTES,
      );
      const view = viewOf(bytes);
      for (const [index, entry] of reply.entries.entries()) {
        const at = SCRAPE_REPLY_HEAD_BYTES + index * SCRAPE_ENTRY_BYTES;
        view.setUint32(at, entry.seeders);
        view.setUint32(at + 4, entry.completed);
        view.setUint32(at + 8, entry.leechers);
      }
      return replyHead(bytes, SCRAPE, reply.transactionId);
    }
    case "error": {
      const bytes = concat(new Uint8Array(8), utf8(reply.message));
      return replyHead(bytes, ERROR, reply.transactionId);
    }
  }
}

/**
 * Reads a reply.
 *
 * @param family That of the tracker's address: it decides how long a peer is.
 * @throws {ProtocolError} `tracker-reply-malformed` if it is none.
 */
export function decodeUdpReply(
  bytes: Uint8Array,
  family: "ipv4" | "ipv6",
): UdpTrackerReply {
  if (bytes.length < 8) throw badReply("8 bytes", bytes);
  const view = viewOf(bytes);
  const transactionId = view.getUint32(4);
  switch (view.getUint32(0)) {
    case CONNECT:
      if (bytes.length < 16) throw badReply("16 bytes", bytes);
      return {
        kind: "connect",
        transactionId,
        connectionId: view.getBigUint64(8),
      };
    case ANNOUNCE:
      if (bytes.length < ANNOUNCE_REPLY_HEAD_BYTES) {
        throw badReply(`${ANNOUNCE_REPLY_HEAD_BYTES} bytes`, bytes);
      }
      return {
        kind: "announce",
        transactionId,
        announce: {
          intervalSeconds: Math.min(view.getUint32(8), 86_400),
          leechers: view.getUint32(12),
          seeders: view.getUint32(16),
          peers: decodeCompactPeers(
            bytes.subarray(ANNOUNCE_REPLY_HEAD_BYTES),
            family,
          ),
          warning: null,
        },
      };
    case SCRAPE:
      return { kind: "scrape", transactionId, entries: decodeEntries(bytes) };
    case ERROR:
      return {
        kind: "error",
        transactionId,
        // deno-lint-ignore no-control-regex
        message: fromUtf8(bytes.subarray(8)).replace(/[\x00-\x1f\x7f]+/g, " "),
      };
    default:
      throw badReply("an action from 0 to 3", bytes);
  }
}

function decodeAnnounce(bytes: Uint8Array): AnnounceRequest {
  if (bytes.length < ANNOUNCE_BYTES) {
    throw malformed(`${ANNOUNCE_BYTES} bytes`, bytes);
  }
  const event = EVENTS[uint32At(bytes, 80)];
  const port = bytes[96]! << 8 | bytes[97]!;
  const numWant = uint32At(bytes, 92) | 0;
  if (event === undefined) throw malformed("an event from 0 to 4", bytes);
  if (port === 0) throw malformed("a port other than 0", bytes);
  const announce = {
    infoHash: bytes.subarray(16, 36),
    peerId: bytes.subarray(36, 56),
    downloadedBytes: sizeAt(bytes, 56),
    leftBytes: sizeAt(bytes, 64),
    uploadedBytes: sizeAt(bytes, 72),
    event,
    numWant: numWant < 0 ? null : numWant,
    port,
  };
  if (uint32At(bytes, 84) === 0) return announce;
  return { ...announce, ip: formatAddress(bytes.subarray(84, 88)) };
}

/** A 64-bit size as a number: above 2^53 not exact, which is good enough to tell seeds. Clients that know no size yet (magnet links) say 2^63 - 1. */
function sizeAt(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at) * 2 ** 32 + uint32At(bytes, at + 4);
}

/** Read byte by byte: faster than to make a view for each datagram. */
function uint32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!) >>> 0;
}

function decodeEntries(
  bytes: Uint8Array,
): Omit<ScrapeEntry, "infoHash">[] {
  const count = (bytes.length - SCRAPE_REPLY_HEAD_BYTES) / SCRAPE_ENTRY_BYTES;
  if (!Number.isInteger(count)) {
    throw badReply("12 bytes for each torrent", bytes);
  }
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, index) => {
    const at = SCRAPE_REPLY_HEAD_BYTES + index * SCRAPE_ENTRY_BYTES;
    return {
      seeders: view.getUint32(at),
      completed: view.getUint32(at + 4),
      leechers: view.getUint32(at + 8),
    };
  });
}

function requestHead(
  action: number,
  connectionId: bigint,
  transactionId: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REQUEST_HEAD_BYTES);
  const view = viewOf(bytes);
  view.setBigUint64(0, connectionId);
  view.setUint32(8, action);
  view.setUint32(12, transactionId);
  return bytes;
}

function replyHead(
  bytes: Uint8Array<ArrayBuffer>,
  action: number,
  transactionId: number,
): Uint8Array<ArrayBuffer> {
  const view = viewOf(bytes);
  view.setUint32(0, action);
  view.setUint32(4, transactionId);
  return bytes;
}

function malformed(rule: string, bytes: Uint8Array): ProtocolError {
  return new ProtocolError(
    "datagram-malformed",
    `Cannot read tracker request: must have ${rule}, got ${bytes.length} bytes`,
  );
}

function badReply(rule: string, bytes: Uint8Array): ProtocolError {
  return new ProtocolError(
    "tracker-reply-malformed",
    `Cannot read tracker reply: must have ${rule}, got ${bytes.length} bytes`,
  );
}
