/** What a tracker answers over UDP, written and read. */
import type { Family } from "../../../core/address.ts";
import { concat, fromUtf8, utf8, viewOf } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import { COMPACT_BYTES, decodeCompactPeers } from "../../peer_endpoint.ts";
import type { DrawnPeers, ScrapeEntry } from "../messages.ts";
import { ACTION, type UdpTrackerReply } from "./messages.ts";

/** Longest reply we send: fits an Ethernet frame over IPv6. */
const MAX_REPLY_BYTES = 1452;
const ANNOUNCE_HEAD_BYTES = 20;
const SCRAPE_HEAD_BYTES = 8;
const SCRAPE_ENTRY_BYTES = 12;

/** The head of a tracker's answer to an announce. */
export interface UdpAnnounceHead {
  readonly transactionId: number;
  readonly intervalSeconds: number;
  readonly seeders: number;
  readonly leechers: number;
}

/** Returns how many peers fit a reply to an asker of that family; replies hold peers of the asker's family only. */
export function udpPeerCapacity(family: Family): number {
  return Math.floor(
    (MAX_REPLY_BYTES - ANNOUNCE_HEAD_BYTES) /
      COMPACT_BYTES[family],
  );
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
    readonly family: Family;
  },
): number {
  writeUint32(into, 0, ACTION.announce);
  writeUint32(into, 4, head.transactionId);
  writeUint32(into, 8, head.intervalSeconds);
  writeUint32(into, 12, head.leechers);
  writeUint32(into, 16, head.seeders);
  const { compact } = peers;
  const length = peers.count * COMPACT_BYTES[family];
  for (let at = 0; at < length; at++) {
    into[ANNOUNCE_HEAD_BYTES + at] = compact[at]!;
  }
  return ANNOUNCE_HEAD_BYTES + length;
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
      return replyHead(bytes, ACTION.connect, reply.transactionId);
    }
    case "scrape": {
      const bytes = new Uint8Array(
        SCRAPE_HEAD_BYTES + reply.entries.length * SCRAPE_ENTRY_BYTES,
      );
      const view = viewOf(bytes);
      for (const [index, entry] of reply.entries.entries()) {
        const at = SCRAPE_HEAD_BYTES + index * SCRAPE_ENTRY_BYTES;
        view.setUint32(at, entry.seeders);
        view.setUint32(at + 4, entry.completed);
        view.setUint32(at + 8, entry.leechers);
      }
      return replyHead(bytes, ACTION.scrape, reply.transactionId);
    }
    case "error": {
      const bytes = concat(new Uint8Array(8), utf8(reply.message));
      return replyHead(bytes, ACTION.error, reply.transactionId);
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
  family: Family,
): UdpTrackerReply {
  if (bytes.length < 8) throw badReply("8 bytes", bytes);
  const view = viewOf(bytes);
  const transactionId = view.getUint32(4);
  switch (view.getUint32(0)) {
    case ACTION.connect:
      if (bytes.length < 16) throw badReply("16 bytes", bytes);
      return {
        kind: "connect",
        transactionId,
        connectionId: view.getBigUint64(8),
      };
    case ACTION.announce:
      if (bytes.length < ANNOUNCE_HEAD_BYTES) {
        throw badReply(`${ANNOUNCE_HEAD_BYTES} bytes`, bytes);
      }
      return {
        kind: "announce",
        transactionId,
        announce: {
          intervalSeconds: Math.min(view.getUint32(8), 86_400),
          leechers: view.getUint32(12),
          seeders: view.getUint32(16),
          peers: decodeCompactPeers(
            bytes.subarray(ANNOUNCE_HEAD_BYTES),
            family,
          ),
          warning: null,
        },
      };
    case ACTION.scrape:
      return { kind: "scrape", transactionId, entries: decodeEntries(bytes) };
    case ACTION.error:
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

function decodeEntries(
  bytes: Uint8Array,
): Omit<ScrapeEntry, "infoHash">[] {
  const count = (bytes.length - SCRAPE_HEAD_BYTES) / SCRAPE_ENTRY_BYTES;
  if (!Number.isInteger(count)) {
    throw badReply("12 bytes for each torrent", bytes);
  }
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, index) => {
    const at = SCRAPE_HEAD_BYTES + index * SCRAPE_ENTRY_BYTES;
    return {
      seeders: view.getUint32(at),
      completed: view.getUint32(at + 4),
      leechers: view.getUint32(at + 8),
    };
  });
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

function badReply(rule: string, bytes: Uint8Array): ProtocolError {
  return new ProtocolError(
    "tracker-reply-malformed",
    `Cannot read tracker reply: must have ${rule}, got ${bytes.length} bytes`,
  );
}
