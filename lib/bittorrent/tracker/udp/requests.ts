/** What a client sends to a tracker over UDP, written and read. */
import { formatAddress, parseAddress } from "../../../core/address.ts";
import { concat, viewOf } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import type { AnnounceEvent, AnnounceRequest } from "../messages.ts";
import {
  ACTION,
  MAX_UDP_SCRAPE_HASHES,
  type UdpTrackerRequest,
} from "./messages.ts";
import { decodeUrlData, encodeUrlData } from "./_options.ts";

/** What a connect request carries in place of a connection id. */
const CONNECT_MAGIC = 0x41727101980n;
const HEAD_BYTES = 16;
const ANNOUNCE_BYTES = 98;
const HASH_BYTES = 20;
/** Events in the order of their numbers on the wire; 4 is libtorrent's for a partial seed (BEP 21), which is still there. */
const EVENTS: readonly AnnounceEvent[] = [
  "none",
  "completed",
  "started",
  "stopped",
  "none",
];

/** Writes a request. */
export function encodeUdpRequest(
  request: UdpTrackerRequest,
): Uint8Array<ArrayBuffer> {
  switch (request.kind) {
    case "connect":
      return requestHead(ACTION.connect, CONNECT_MAGIC, request.transactionId);
    case "scrape":
      return concat(
        requestHead(ACTION.scrape, request.connectionId, request.transactionId),
        ...request.infoHashes,
      );
    case "announce": {
      const { announce } = request;
      const bytes = new Uint8Array(ANNOUNCE_BYTES);
      const view = viewOf(bytes);
      bytes.set(
        requestHead(
          ACTION.announce,
          request.connectionId,
          request.transactionId,
        ),
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
  if (bytes.length < HEAD_BYTES) throw malformed("16 bytes", bytes);
  const connectionId = viewOf(bytes).getBigUint64(0);
  const transactionId = uint32At(bytes, 12);
  switch (uint32At(bytes, 8)) {
    case ACTION.connect:
      if (connectionId !== CONNECT_MAGIC) {
        throw malformed("the protocol's magic number", bytes);
      }
      return { kind: "connect", transactionId };
    case ACTION.announce: {
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
    case ACTION.scrape: {
      const count = (bytes.length - HEAD_BYTES) / HASH_BYTES;
      if (
        !Number.isInteger(count) || count < 1 || count > MAX_UDP_SCRAPE_HASHES
      ) {
        throw malformed(`1 to ${MAX_UDP_SCRAPE_HASHES} info-hashes`, bytes);
      }
      const infoHashes = Array.from({ length: count }, (_, index) => {
        const at = HEAD_BYTES + index * HASH_BYTES;
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
  if (bytes.length < HEAD_BYTES) return null;
  const action = uint32At(bytes, 8);
  return action === ACTION.announce || action === ACTION.scrape
    ? uint32At(bytes, 12)
    : null;
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

function requestHead(
  action: number,
  connectionId: bigint,
  transactionId: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = viewOf(bytes);
  view.setBigUint64(0, connectionId);
  view.setUint32(8, action);
  view.setUint32(12, transactionId);
  return bytes;
}

function malformed(rule: string, bytes: Uint8Array): ProtocolError {
  return new ProtocolError(
    "datagram-malformed",
    `Cannot read tracker request: must have ${rule}, got ${bytes.length} bytes`,
  );
}
