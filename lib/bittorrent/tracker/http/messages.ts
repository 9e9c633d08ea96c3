/**
 * The tracker's HTTP messages, both ways (BEP 3, 7, 23, 24, 48).
 *
 * A request is a URL whose query carries raw bytes (query.ts). An answer is a bencoded dictionary under status 200, failures too:
 * clients show `failure reason` to people and many ignore the body of any other status.
 */
import { formatAddress, isAddress } from "../../../core/address.ts";
import { toHex, viewOf } from "../../../core/bytes.ts";
import { type BencodeInput, encodeBencode, keyOfBytes } from "../../bencode.ts";
import { COMPACT_BYTES } from "../../peer_endpoint.ts";
import type {
  AnnounceEvent,
  AnnounceRequest,
  DrawnPeers,
  ScrapeEntry,
} from "../messages.ts";
import { ReplyWriter } from "./_reply_writer.ts";
import {
  AnnounceFields,
  eachField,
  FIELD,
  hashOf,
  malformed,
  printable,
} from "./query.ts";

/** An announce as it came over HTTP: also says how the answer shall look. */
export interface HttpAnnounce extends AnnounceRequest {
  /** Peers as one byte string (BEP 23); without `compact=1` the list of dictionaries of BEP 3. */
  readonly compact: boolean;
  /** In the list form, leave the peer ids out. */
  readonly noPeerId: boolean;
  /** Families of which the peer says it has an address (BEP 7, `ipv4` and `ipv6`): peers of them are of use to it. */
  readonly families: { readonly ipv4: boolean; readonly ipv6: boolean };
}

/** What an announce is answered with. */
export interface HttpAnnounceAnswer {
  readonly intervalSeconds: number;
  /** Clients shall not announce more often than this, except to tell of an event. */
  readonly minIntervalSeconds: number;
  readonly seeders: number;
  readonly leechers: number;
  readonly ipv4: DrawnPeers;
  readonly ipv6: DrawnPeers;
  /** The asker's address as we see it (BEP 24): 4 or 16 bytes. */
  readonly externalIp: Uint8Array;
  /** What clients send back as `trackerid`. */
  readonly trackerId: string;
}

/** Most torrents in one scrape request. */
const MAX_SCRAPE_HASHES = 200;
/** Longest `key` and `trackerid`: more than any client sends. */
const MAX_TOKEN_BYTES = 128;
const HASH_BYTES = 20;
const EVENTS: readonly string[] = ["started", "stopped", "completed"];
/** What clients send when nothing in particular happened; "paused" (BEP 21) is a partial seed, which is still there. */
const NO_EVENTS: readonly string[] = ["", "empty", "none", "paused"];
const PORTS = { min: 1, max: 65_535 };
const ANY_BYTES = { min: 0, max: 2 ** 64 };
/** What a compact reply has beside peers and tracker id, with the longest numbers and room to spare. */
const MAX_FRAME_BYTES = 256;
const COMPACT_REPLIES = new ReplyWriter();

/**
 * Reads the query of an announce, with or without its `?`.
 *
 * An `ip` that is no literal address is ignored; whether to believe one is the tracker's decision.
 *
 * @throws {ProtocolError} `query-malformed`; the message is the failure reason to answer with.
 */
export function parseAnnounceQuery(query: string): HttpAnnounce {
  const fields = new AnnounceFields(query);
  const ip = fields.text(FIELD.ip) ?? "";
  checkToken(fields, FIELD.key, "key");
  checkToken(fields, FIELD.trackerId, "trackerid");
  const request = {
    infoHash: fields.hash(FIELD.infoHash),
    peerId: fields.hash(FIELD.peerId),
    port: fields.integer(FIELD.port, PORTS),
    uploadedBytes: fields.integer(FIELD.uploaded, ANY_BYTES),
    downloadedBytes: fields.integer(FIELD.downloaded, ANY_BYTES),
    leftBytes: fields.integer(FIELD.left, ANY_BYTES),
    event: eventOf(fields),
    numWant: numWantOf(fields),
    compact: flagOf(fields, FIELD.compact, "compact"),
    noPeerId: flagOf(fields, FIELD.noPeerId, "no_peer_id"),
    families: {
      ipv4: namesAddress(fields.text(FIELD.ipv4)),
      ipv6: namesAddress(fields.text(FIELD.ipv6)),
    },
  };
  return ip !== "" && isAddress(ip) ? { ...request, ip } : request;
}

/**
 * Reads the query of a scrape: the info-hashes asked for, none meaning all.
 *
 * @throws {ProtocolError} `query-malformed`; the message is the failure reason to answer with.
 */
export function parseScrapeQuery(query: string): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  eachField(query, (name, value) => {
    if (name === "info_hash") hashes.push(hashOf(value, name));
  });
  if (hashes.length > MAX_SCRAPE_HASHES) {
    throw malformed(
      `a scrape may ask for at most ${MAX_SCRAPE_HASHES} torrents, got ${hashes.length}`,
    );
  }
  return hashes;
}

/** Writes the answer to an announce, in the form the request asked for. */
export function encodeAnnounceReply(
  answer: HttpAnnounceAnswer,
  form: { readonly compact: boolean; readonly noPeerId: boolean },
): Uint8Array<ArrayBuffer> {
  if (form.compact) return encodeCompactReply(answer);
  return encodeBencode({
    complete: answer.seeders,
    "external ip": answer.externalIp,
    incomplete: answer.leechers,
    interval: answer.intervalSeconds,
    "min interval": answer.minIntervalSeconds,
    peers: [
      ...dictionariesOf(answer.ipv4, 4),
      ...dictionariesOf(answer.ipv6, 16),
    ],
    "tracker id": answer.trackerId,
  });
}

/** The same dictionary with peers as byte strings, put together by hand: this is what every client asks for, and often. */
function encodeCompactReply(
  answer: HttpAnnounceAnswer,
): Uint8Array<ArrayBuffer> {
  const { externalIp, trackerId, ipv4, ipv6 } = answer;
  const out = COMPACT_REPLIES;
  const ipv4Bytes = COMPACT_BYTES.ipv4 * ipv4.count;
  const ipv6Bytes = COMPACT_BYTES.ipv6 * ipv6.count;
  out.begin(MAX_FRAME_BYTES + trackerId.length + ipv4Bytes + ipv6Bytes);
  out.text("d8:completei");
  out.number(answer.seeders);
  out.text("e11:external ip");
  out.string(externalIp, externalIp.length);
  out.text("10:incompletei");
  out.number(answer.leechers);
  out.text("e8:intervali");
  out.number(answer.intervalSeconds);
  out.text("e12:min intervali");
  out.number(answer.minIntervalSeconds);
  out.text("e5:peers");
  out.string(ipv4.compact, ipv4Bytes);
  if (ipv6.count > 0) {
    out.text("6:peers6");
    out.string(ipv6.compact, ipv6Bytes);
  }
  out.text("10:tracker id");
  out.number(trackerId.length);
  out.text(":");
  out.text(trackerId);
  out.text("e");
  return out.end();
}

function dictionariesOf(
  { count, compact, ids }: DrawnPeers,
  addressBytes: 4 | 16,
): BencodeInput[] {
  const size = addressBytes + 2;
  const view = viewOf(compact);
  return Array.from({ length: count }, (_, index) => ({
    ip: formatAddress(
      compact.subarray(index * size, index * size + addressBytes),
    ),
    port: view.getUint16(index * size + addressBytes),
    "peer id": ids === null
      ? undefined
      : ids.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  }));
}

/** Writes the answer to a scrape (BEP 48). */
export function encodeScrapeReply(
  entries: readonly ScrapeEntry[],
): Uint8Array<ArrayBuffer> {
  const files = new Map<string, BencodeInput>();
  for (const entry of entries) {
    files.set(keyOfBytes(entry.infoHash), {
      complete: entry.seeders,
      downloaded: entry.completed,
      incomplete: entry.leechers,
    });
  }
  return encodeBencode({ files });
}

/** Writes a refusal: the client shows `reason` to its user. */
export function encodeFailure(reason: string): Uint8Array<ArrayBuffer> {
  return encodeBencode({ "failure reason": reason });
}

/** Returns `bytes` as they stand in a query: letters, digits and `-._~` as they are, the rest as `%XX`. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${toHex(Uint8Array.of(byte)).toUpperCase()}`;
  }
  return text;
}

/** Checks what we have no use for but would carry: a peer is known by its address, which it cannot forge. */
function checkToken(fields: AnnounceFields, field: number, name: string): void {
  const length = fields.text(field)?.length ?? 0;
  if (length > MAX_TOKEN_BYTES) {
    throw malformed(
      `${name} must have at most ${MAX_TOKEN_BYTES} bytes, got ${length}`,
    );
  }
}

function flagOf(fields: AnnounceFields, field: number, name: string): boolean {
  const text = fields.text(field) ?? "";
  if (text === "1") return true;
  if (text === "0" || text === "") return false;
  throw malformed(`${name} must be 0 or 1, got "${printable(text)}"`);
}

/** Returns whether `text` is an address, or one with a port (BEP 7 allows both). */
function namesAddress(text: string | undefined): boolean {
  if (text === undefined) return false;
  const host = /^\[(.*)\](?::[0-9]+)?$/.exec(text)?.[1] ??
    (/^[0-9.]+:[0-9]+$/.test(text) ? text.replace(/:.*$/, "") : text);
  return isAddress(host);
}

function eventOf(fields: AnnounceFields): AnnounceEvent {
  const text = fields.text(FIELD.event) ?? "";
  if (NO_EVENTS.includes(text)) return "none";
  if (EVENTS.includes(text)) return text as AnnounceEvent;
  throw malformed(
    `event must be one of ${EVENTS.join(", ")}, got "${printable(text)}"`,
  );
}

function numWantOf(fields: AnnounceFields): number | null {
  const text = fields.text(FIELD.numWant) ?? "";
  // Some clients send -1 for "as you like", as BEP 15 has it.
  const isNegative = text.startsWith("-") && /^-[0-9]{1,10}$/.test(text);
  if (text === "" || isNegative) return null;
  return fields.integer(FIELD.numWant, ANY_BYTES);
}
