/**
 * The tracker's HTTP messages, both ways (BEP 3, 7, 23, 24, 48).
 *
 * A request is a URL whose query carries raw bytes (`info_hash=%12%34…`), so it is decoded byte by byte: the platform's
 * query parsers read UTF-8 and would spoil hashes. An answer is a bencoded dictionary under status 200, failures too:
 * clients show `failure reason` to people and many ignore the body of any other status.
 */
import { formatAddress, isAddress } from "../core/address.ts";
import { fromUtf8, toHex, viewOf } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";
import { type BencodeInput, encodeBencode, keyOfBytes } from "./bencode.ts";
import type { DrawnPeers } from "./peer_draw.ts";
import type {
  AnnounceEvent,
  AnnounceRequest,
  ScrapeEntry,
} from "./tracker_messages.ts";

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

/** Longest query that is read: a scrape of {@linkcode MAX_SCRAPE_HASHES} torrents, all bytes escaped. */
const MAX_QUERY_CHARACTERS = 16_384;
/** Most torrents in one scrape request. */
export const MAX_SCRAPE_HASHES = 200;
/** Longest `key` and `trackerid`: more than any client sends. */
const MAX_TOKEN_BYTES = 128;
const HASH_BYTES = 20;
const EVENTS: readonly string[] = ["started", "stopped", "completed"];
/** What clients send when nothing in particular happened: nothing, or one of these. */
const NO_EVENTS: readonly string[] = ["", "empty", "none"];

/**
 * Reads the query of an announce, with or without its `?`.
 *
 * An `ip` that is no literal address is ignored; whether to believe one is the tracker's decision.
 *
 * @throws {ProtocolError} `query-malformed`; the message is the failure reason to answer with.
 */
export function parseAnnounceQuery(query: string): HttpAnnounce {
  const fields = parseQuery(query);
  const ip = textField(fields, "ip") ?? "";
  checkToken(fields, "key");
  checkToken(fields, "trackerid");
  return {
    ...(ip !== "" && isAddress(ip) ? { ip } : {}),
    infoHash: hashField(fields, "info_hash"),
    peerId: hashField(fields, "peer_id"),
    port: integerField(fields, "port", { min: 1, max: 65_535 }),
    uploadedBytes: integerField(fields, "uploaded", ANY_BYTES),
    downloadedBytes: integerField(fields, "downloaded", ANY_BYTES),
    leftBytes: integerField(fields, "left", ANY_BYTES),
    event: eventField(fields),
    numWant: numWantField(fields),
    compact: flagField(fields, "compact"),
    noPeerId: flagField(fields, "no_peer_id"),
    families: {
      ipv4: namesAddress(textField(fields, "ipv4")),
      ipv6: namesAddress(textField(fields, "ipv6")),
    },
  };
}

/**
 * Reads the query of a scrape: the info-hashes asked for, none meaning all.
 *
 * @throws {ProtocolError} `query-malformed`; the message is the failure reason to answer with.
 */
export function parseScrapeQuery(query: string): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  eachField(query, (name, value) => {
    if (name === "info_hash") hashes.push(checkedHash(value, name));
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
  const { externalIp, trackerId } = answer;
  const ipv4 = answer.ipv4.compact.subarray(0, 6 * answer.ipv4.count);
  const ipv6 = answer.ipv6.compact.subarray(0, 18 * answer.ipv6.count);
  const start =
    `d8:completei${answer.seeders}e11:external ip${externalIp.length}:`;
  const middle =
    `10:incompletei${answer.leechers}e8:intervali${answer.intervalSeconds}` +
    `e12:min intervali${answer.minIntervalSeconds}e5:peers${ipv4.length}:`;
  const six = ipv6.length === 0 ? "" : `6:peers6${ipv6.length}:`;
  const end = `10:tracker id${trackerId.length}:${trackerId}e`;
  const bytes = new Uint8Array(
    start.length + externalIp.length + middle.length + ipv4.length +
      six.length + ipv6.length + end.length,
  );
  let at = writeText(bytes, 0, start);
  bytes.set(externalIp, at);
  at = writeText(bytes, at + externalIp.length, middle);
  bytes.set(ipv4, at);
  at = writeText(bytes, at + ipv4.length, six);
  bytes.set(ipv6, at);
  writeText(bytes, at + ipv6.length, end);
  return bytes;
}

function writeText(bytes: Uint8Array, at: number, ascii: string): number {
  for (let index = 0; index < ascii.length; index++) {
    bytes[at + index] = ascii.charCodeAt(index);
  }
  return at + ascii.length;
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

/** A value as it was sent, if nothing in it is escaped; else its bytes. Most are numbers, for which making bytes costs more than reading them. */
type Value = string | Uint8Array;

/** What a value may be of without meaning something else. */
const PLAIN = /^[\w.:~-]*$/;

/** Calls `take` with the fields of a query in order of appearance. `+` is a space, as in forms. */
function eachField(
  query: string,
  take: (name: string, value: Value) => void,
): void {
  if (query.length > MAX_QUERY_CHARACTERS) {
    throw malformed(
      `a query may have at most ${MAX_QUERY_CHARACTERS} characters, got ${query.length}`,
    );
  }
  let from = query.startsWith("?") ? 1 : 0;
  while (from < query.length) {
    const and = query.indexOf("&", from);
    const end = and < 0 ? query.length : and;
    if (end > from) {
      const equals = query.indexOf("=", from);
      const split = equals < 0 || equals > end ? end : equals;
      const name = nameOf(query.slice(from, split));
      const value = query.slice(split + 1, end);
      take(name, PLAIN.test(value) ? value : unescape(value, name));
    }
    from = end + 1;
  }
}

/** A name as text; hardly any is escaped. */
function nameOf(text: string): string {
  return /^[a-z_0-9]*$/.test(text) ? text : fromUtf8(unescape(text, "a name"));
}

/** The fields of an announce; each may be given once, or what is meant would be a guess. */
function parseQuery(query: string): Fields {
  const fields = new Map<string, Value>();
  eachField(query, (name, value) => {
    if (fields.has(name) && FIELDS.has(name)) {
      throw malformed(`an announce must have one ${name}, got several`);
    }
    fields.set(name, value);
  });
  return fields;
}

function unescape(text: string, what: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code === PERCENT) {
      code = hexDigit(text.charCodeAt(at + 1)) << 4 |
        hexDigit(text.charCodeAt(at + 2));
      at += 2;
      if (code < 0) {
        throw malformed(
          `${printable(what)} must have two hexadecimal digits after each %`,
        );
      }
    } else if (code === PLUS) code = 0x20;
    else if (code > 0x7e) {
      throw malformed(`${printable(what)} must escape bytes above 0x7e as %XX`);
    }
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;
const PLUS = 0x2b;

/** The value of a hexadecimal digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

type Fields = ReadonlyMap<string, Value>;
/** The fields of an announce that mean something here. */
const FIELDS: ReadonlySet<string> = new Set([
  ...["info_hash", "peer_id", "port", "uploaded", "downloaded", "left"],
  ...["event", "numwant", "compact", "no_peer_id", "ip", "ipv4", "ipv6"],
  ...["key", "trackerid"],
]);
const ANY_BYTES = { min: 0, max: 2 ** 63 };

function hashField(fields: Fields, name: string): Uint8Array {
  const value = fields.get(name);
  if (value === undefined) throw malformed(`${name} is missing`);
  return checkedHash(value, name);
}

function checkedHash(sent: Value, name: string): Uint8Array {
  const value = typeof sent === "string" ? unescape(sent, name) : sent;
  if (value.length !== HASH_BYTES) {
    throw malformed(
      `${name} must be ${HASH_BYTES} bytes, got ${value.length}`,
    );
  }
  return value;
}

function textField(fields: Fields, name: string): string | undefined {
  const value = fields.get(name);
  return value === undefined || typeof value === "string"
    ? value
    : keyOfBytes(value);
}

function integerField(
  fields: Fields,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const text = textField(fields, name);
  if (text === undefined) throw malformed(`${name} is missing`);
  const value = /^[0-9]{1,20}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw malformed(
      `${name} must be an integer ${
        max > 65_535 ? "of bytes" : `from ${min} to ${max}`
      }, got "${printable(text)}"`,
    );
  }
  return value;
}

function flagField(fields: Fields, name: string): boolean {
  const text = textField(fields, name) ?? "";
  if (text === "1") return true;
  if (text === "0" || text === "") return false;
  throw malformed(`${name} must be 0 or 1, got "${printable(text)}"`);
}

/** Checks what we have no use for but would carry: a peer is known by its address, which it cannot forge. */
function checkToken(fields: Fields, name: string): void {
  const length = fields.get(name)?.length ?? 0;
  if (length > MAX_TOKEN_BYTES) {
    throw malformed(
      `${name} must have at most ${MAX_TOKEN_BYTES} bytes, got ${length}`,
    );
  }
}

/** Returns whether `text` is an address, or one with a port (BEP 7 allows both). */
function namesAddress(text: string | undefined): boolean {
  if (text === undefined) return false;
  const host = /^\[(.*)\](?::[0-9]+)?$/.exec(text)?.[1] ??
    (/^[0-9.]+:[0-9]+$/.test(text) ? text.replace(/:.*$/, "") : text);
  return isAddress(host);
}

function eventField(fields: Fields): AnnounceEvent {
  const text = textField(fields, "event") ?? "";
  if (NO_EVENTS.includes(text)) return "none";
  // BEP 21 adds "paused": a partial seed, which is still there.
  if (text === "paused") return "none";
  if (EVENTS.includes(text)) return text as AnnounceEvent;
  throw malformed(
    `event must be one of ${EVENTS.join(", ")}, got "${printable(text)}"`,
  );
}

function numWantField(fields: Fields): number | null {
  const text = textField(fields, "numwant") ?? "";
  // Some clients send -1 for "as you like", as BEP 15 has it.
  if (text === "" || /^-[0-9]{1,10}$/.test(text)) return null;
  return integerField(fields, "numwant", ANY_BYTES);
}

/** What can be shown of a stranger's text in a message of one line. */
function printable(text: string): string {
  return text.slice(0, 40).replace(/[^\x20-\x7e]/g, "?");
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError("query-malformed", reason);
}
