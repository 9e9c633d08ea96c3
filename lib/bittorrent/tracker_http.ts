/**
 * The tracker's HTTP messages, both ways (BEP 3, 7, 23, 48).
 *
 * A request is a URL whose query carries raw bytes (`info_hash=%12%34…`), so it is decoded byte by byte: the platform's
 * query parsers read UTF-8 and would spoil hashes. An answer is a bencoded dictionary under status 200, failures too:
 * clients show `failure reason` to people and many ignore the body of any other status.
 */
import { isAddress } from "../core/address.ts";
import { fromUtf8, toHex } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";
import { type BencodeInput, encodeBencode, keyOfBytes } from "./bencode.ts";
import {
  type AnnounceEvent,
  type AnnounceReply,
  type AnnounceRequest,
  encodeCompactPeers,
  type ScrapeEntry,
} from "./tracker_messages.ts";

/** An announce as it came over HTTP: also says how the answer shall look. */
export interface HttpAnnounce extends AnnounceRequest {
  /** Peers as one byte string (BEP 23); without `compact=1` the list of dictionaries of BEP 3. */
  readonly compact: boolean;
  /** In the list form, leave the peer ids out. */
  readonly noPeerId: boolean;
}

/** Longest query that is read: a scrape of {@linkcode MAX_SCRAPE_HASHES} torrents, all bytes escaped. */
const MAX_QUERY_CHARACTERS = 16_384;
/** Most torrents in one scrape request. */
export const MAX_SCRAPE_HASHES = 200;
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
  if ((fields.get("info_hash")?.length ?? 0) > 1) {
    throw malformed("an announce must have one info_hash, got several");
  }
  const ip = textField(fields, "ip") ?? "";
  return {
    ...(isAddress(ip) ? { ip } : {}),
    infoHash: hashField(fields, "info_hash"),
    peerId: hashField(fields, "peer_id"),
    port: integerField(fields, "port", { min: 1, max: 65_535 }),
    uploadedBytes: integerField(fields, "uploaded", ANY_BYTES),
    downloadedBytes: integerField(fields, "downloaded", ANY_BYTES),
    leftBytes: integerField(fields, "left", ANY_BYTES),
    event: eventField(fields),
    numWant: numWantField(fields),
    compact: textField(fields, "compact") === "1",
    noPeerId: textField(fields, "no_peer_id") === "1",
  };
}

/**
 * Reads the query of a scrape: the info-hashes asked for, none meaning all.
 *
 * @throws {ProtocolError} `query-malformed`; the message is the failure reason to answer with.
 */
export function parseScrapeQuery(query: string): Uint8Array[] {
  const hashes = parseQuery(query).get("info_hash") ?? [];
  if (hashes.length > MAX_SCRAPE_HASHES) {
    throw malformed(
      `a scrape may ask for at most ${MAX_SCRAPE_HASHES} torrents, got ${hashes.length}`,
    );
  }
  return hashes.map((hash) => checkedHash(hash, "info_hash"));
}

/** Writes the answer to an announce, in the form the request asked for. */
export function encodeAnnounceReply(
  reply: AnnounceReply,
  form: { readonly compact: boolean; readonly noPeerId: boolean },
): Uint8Array<ArrayBuffer> {
  const { peers } = reply;
  const peers6 = encodeCompactPeers(peers, "ipv6");
  const list = (): BencodeInput =>
    peers.map((peer) => ({
      ip: peer.host,
      port: peer.port,
      "peer id": form.noPeerId ? undefined : peer.peerId ?? undefined,
    }));
  return encodeBencode({
    interval: reply.intervalSeconds,
    complete: reply.seeders ?? undefined,
    incomplete: reply.leechers ?? undefined,
    "warning message": reply.warning ?? undefined,
    peers: form.compact ? encodeCompactPeers(peers, "ipv4") : list(),
    peers6: form.compact && peers6.length > 0 ? peers6 : undefined,
  });
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

/** The fields of a query in order of appearance: names as text, values as bytes. `+` is a space, as in forms. */
function parseQuery(query: string): Map<string, Uint8Array[]> {
  if (query.length > MAX_QUERY_CHARACTERS) {
    throw malformed(
      `a query may have at most ${MAX_QUERY_CHARACTERS} characters, got ${query.length}`,
    );
  }
  const fields = new Map<string, Uint8Array[]>();
  for (const part of query.replace(/^\?/, "").split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? "" : part.slice(equals + 1);
    const key = fromUtf8(unescape(name, "a name"));
    const values = fields.get(key) ?? [];
    values.push(unescape(value, key));
    fields.set(key, values);
  }
  return fields;
}

function unescape(text: string, what: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "%") {
      const digits = text.slice(at + 1, at + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
        throw malformed(
          `${printable(what)} must have two hexadecimal digits after each %`,
        );
      }
      bytes.push(parseInt(digits, 16));
      at += 2;
    } else if (character === "+") bytes.push(0x20);
    else if (character.charCodeAt(0) > 0x7e) {
      throw malformed(`${printable(what)} must escape bytes above 0x7e as %XX`);
    } else bytes.push(character.charCodeAt(0));
  }
  return Uint8Array.from(bytes);
}

type Fields = ReadonlyMap<string, readonly Uint8Array[]>;
const ANY_BYTES = { min: 0, max: 2 ** 63 };

function hashField(fields: Fields, name: string): Uint8Array {
  const value = fields.get(name)?.[0];
  if (value === undefined) throw malformed(`${name} is missing`);
  return checkedHash(value, name);
}

function checkedHash(value: Uint8Array, name: string): Uint8Array {
  if (value.length !== HASH_BYTES) {
    throw malformed(
      `${name} must be ${HASH_BYTES} bytes, got ${value.length}`,
    );
  }
  return value;
}

function textField(fields: Fields, name: string): string | undefined {
  const value = fields.get(name)?.[0];
  return value === undefined ? undefined : keyOfBytes(value);
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
