import { fromUtf8 } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import {
  type BencodeDictionary,
  type BencodeValue,
  bytesOfKey,
  decodeBencode,
  isBytes,
  isDictionary,
  isList,
} from "../../bencode.ts";
import {
  decodeCompactPeers,
  MAX_REPLY_PEERS,
  type PeerAddress,
} from "../../peer_endpoint.ts";
import type {
  AnnounceReply,
  AnnounceRequest,
  ScrapeEntry,
} from "../messages.ts";
import { escapeBytes } from "./messages.ts";

/** Largest reply a client reads: {@linkcode MAX_REPLY_PEERS} peers in the long form, with room to spare. */
export const MAX_REPLY_BYTES = 2 ** 20;
/** How long to wait when a tracker does not say: half an hour is what most do. */
const DEFAULT_INTERVAL_SECONDS = 1800;
/** Longest wait that is believed: a day. */
const MAX_INTERVAL_SECONDS = 86_400;
/** Bytes of an info-hash and of a peer id. */
const HASH_BYTES = 20;
/** A tracker id longer than this is not sent back: it stands in every URL. */
const MAX_TRACKER_ID_BYTES = 256;

/** The tracker refused an announce or a scrape. */
export class TrackerRefusal extends ProtocolError {
  /** How long the tracker wants not to be asked again: Infinity for ever; undefined where it did not say (BEP 31). */
  readonly retryMs: number | undefined;

  /** Creates the refusal; its code is `tracker-refused`. */
  constructor(reason: string, retryMs?: number) {
    super("tracker-refused", `The tracker refused: ${reason}`);
    this.retryMs = retryMs;
  }
}

/**
 * Returns the URL of an announce: what the torrent has, and the request in its query, in compact form (BEP 23).
 *
 * @param announceUrl May have a query of its own, such as a pass key; it stays in front.
 */
export function announceUrlOf(
  announceUrl: string,
  request: AnnounceRequest & {
    /** Tells the tracker it is the same peer when its address changes (BEP 7). */
    readonly key?: string;
  },
): string {
  const fields = [
    `info_hash=${escapeBytes(request.infoHash)}`,
    `peer_id=${escapeBytes(request.peerId)}`,
    `port=${request.port}`,
    `uploaded=${request.uploadedBytes}`,
    `downloaded=${request.downloadedBytes}`,
    `left=${request.leftBytes}`,
    "compact=1",
  ];
  if (request.event !== "none") fields.push(`event=${request.event}`);
  if (request.numWant !== null) fields.push(`numwant=${request.numWant}`);
  if (request.ip !== undefined) fields.push(`ip=${request.ip}`);
  if (request.key !== undefined) fields.push(`key=${request.key}`);
  if (request.trackerId !== undefined) {
    fields.push(`trackerid=${escapeBytes(request.trackerId)}`);
  }
  return withQuery(announceUrl, fields);
}

/**
 * Returns the URL of a scrape, or null if the tracker has none: only where the last part of the path starts with
 * `announce` does `scrape` in its place ask for one (BEP 48).
 */
export function scrapeUrlOf(
  announceUrl: string,
  infoHashes: readonly Uint8Array[],
): string | null {
  const match = /^([^?#]*\/)announce([^/?#]*)(\?[^#]*)?(?:#|$)/.exec(
    announceUrl,
  );
  if (match === null) return null;
  return withQuery(
    `${match[1]}scrape${match[2]}${match[3] ?? ""}`,
    infoHashes.map((hash) => `info_hash=${escapeBytes(hash)}`),
  );
}

/**
 * Reads the answer to an announce: peers as byte strings (BEP 23, BEP 7) or as a list of dictionaries (BEP 3).
 *
 * @throws {TrackerRefusal} `tracker-refused` with the tracker's reason.
 * @throws {ProtocolError} `tracker-reply-malformed`.
 */
export function decodeAnnounceReply(bytes: Uint8Array): AnnounceReply {
  const reply = dictionaryOf(bytes);
  const peers = peersOf(reply.get("peers"));
  const peers6 = reply.get("peers6");
  if (isBytes(peers6)) peers.push(...decodeCompactPeers(peers6, "ipv6"));
  return {
    intervalSeconds: intervalOf(reply.get("interval")),
    ...minIntervalOf(reply.get("min interval")),
    ...trackerIdOf(reply.get("tracker id")),
    seeders: countOf(reply.get("complete")),
    leechers: countOf(reply.get("incomplete")),
    peers: peers.slice(0, MAX_REPLY_PEERS),
    warning: textOf(reply.get("warning message")),
  };
}

/**
 * Reads the answer to a scrape.
 *
 * @throws {ProtocolError} `tracker-refused` with the tracker's reason, or `tracker-reply-malformed`.
 */
export function decodeScrapeReply(bytes: Uint8Array): ScrapeEntry[] {
  const files = dictionaryOf(bytes).get("files");
  if (!isDictionary(files)) throw malformed("a scrape must have files");
  const entries: ScrapeEntry[] = [];
  for (const [key, file] of files) {
    const infoHash = infoHashOf(key);
    if (infoHash.length !== HASH_BYTES || !isDictionary(file)) {
      throw malformed("files must be dictionaries keyed by info-hash");
    }
    entries.push({
      infoHash,
      seeders: countOf(file.get("complete")) ?? 0,
      leechers: countOf(file.get("incomplete")) ?? 0,
      completed: countOf(file.get("downloaded")) ?? 0,
    });
  }
  return entries;
}

/** The info-hash that a key of a scrape's files stands for. bittorrent-tracker (npm) writes it as text, each byte as a character in UTF-8. */
function infoHashOf(key: string): Uint8Array {
  const bytes = bytesOfKey(key);
  if (bytes.length === HASH_BYTES) return bytes;
  const text = fromUtf8(bytes);
  const isBytes = text.length === HASH_BYTES && !/[^\0-\xff]/.test(text);
  return isBytes ? bytesOfKey(text) : bytes;
}

function withQuery(url: string, fields: readonly string[]): string {
  const bare = url.replace(/#.*$/, "");
  if (fields.length === 0) return bare;
  return `${bare}${bare.includes("?") ? "&" : "?"}${fields.join("&")}`;
}

function dictionaryOf(bytes: Uint8Array): BencodeDictionary {
  let value: BencodeValue;
  try {
    value = decodeBencode(bytes, {
      anyKeyOrder: true,
      maxBytes: MAX_REPLY_BYTES,
    });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ProtocolError(
      "tracker-reply-malformed",
      `Cannot read the tracker's reply: ${cause.message}`,
      { cause },
    );
  }
  if (!isDictionary(value)) throw malformed("it must be a dictionary");
  const reason = value.get("failure reason");
  if (reason !== undefined) {
    throw new TrackerRefusal(
      textOf(reason) ?? "without a reason",
      retryMsOf(value.get("retry in")),
    );
  }
  return value;
}

function peersOf(value: BencodeValue | undefined): PeerAddress[] {
  // A swarm of nobody: some trackers then leave the key out.
  if (value === undefined) return [];
  if (isBytes(value)) return decodeCompactPeers(value, "ipv4");
  if (!isList(value)) throw malformed("peers must be a string or a list");
  const peers: PeerAddress[] = [];
  for (const peer of value.slice(0, MAX_REPLY_PEERS)) {
    if (!isDictionary(peer)) throw malformed("a peer must be a dictionary");
    const host = textOf(peer.get("ip"));
    const port = peer.get("port");
    const peerId = peer.get("peer id");
    if (host === null || !/^[A-Za-z0-9.:_-]{1,253}$/.test(host)) {
      throw malformed("a peer must have an address or name as ip");
    }
    if (typeof port !== "number" || port < 0 || port > 65_535) {
      throw malformed("a peer must have a port from 0 to 65535");
    }
    if (port === 0) continue;
    const known = isBytes(peerId) && peerId.length === HASH_BYTES;
    peers.push({ host, port, peerId: known ? peerId : null });
  }
  return peers;
}

function intervalOf(value: BencodeValue | undefined): number {
  if (value === undefined) return DEFAULT_INTERVAL_SECONDS;
  if (typeof value !== "number" || value < 0) {
    throw malformed("interval must be a number of seconds");
  }
  return Math.min(value, MAX_INTERVAL_SECONDS);
}

function minIntervalOf(
  value: BencodeValue | undefined,
): Pick<AnnounceReply, "minIntervalSeconds"> {
  const seconds = countOf(value);
  if (seconds === null) return {};
  return { minIntervalSeconds: Math.min(seconds, MAX_INTERVAL_SECONDS) };
}

function trackerIdOf(
  value: BencodeValue | undefined,
): Pick<AnnounceReply, "trackerId"> {
  if (!isBytes(value) || value.length > MAX_TRACKER_ID_BYTES) return {};
  return { trackerId: value.slice() };
}

/** BEP 31: minutes, or "never". What is neither is as good as no word. */
function retryMsOf(value: BencodeValue | undefined): number | undefined {
  if (isBytes(value) && fromUtf8(value) === "never") return Infinity;
  const minutes = countOf(value);
  if (minutes === null || minutes === 0) return undefined;
  return 1000 * Math.min(60 * minutes, MAX_INTERVAL_SECONDS);
}

function countOf(value: BencodeValue | undefined): number | null {
  return typeof value === "number" && value >= 0 ? value : null;
}

/** Text for people, on one line and of a bearable length. */
function textOf(value: BencodeValue | undefined): string | null {
  if (!isBytes(value)) return null;
  // deno-lint-ignore no-control-regex
  return fromUtf8(value.subarray(0, 1024)).replace(/[\x00-\x1f\x7f]+/g, " ");
}

function malformed(rule: string): ProtocolError {
  return new ProtocolError(
    "tracker-reply-malformed",
    `Cannot read the tracker's reply: ${rule}`,
  );
}
