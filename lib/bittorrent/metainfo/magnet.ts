import { equalBytes, fromHex } from "../../core/bytes.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";

/** Longest link that is read; ten times what a browser takes. */
const MAX_LENGTH = 64 * 1024;
/** Most trackers, web seeds and peers that are taken of one link. */
const MAX_ENTRIES = 200;

/** What a magnet link says (BEP 9): a torrent's name on the network, and where to look for it. */
export interface Magnet {
  /** 20 bytes: the SHA-1 of v1 (`btih`), or else the first 20 bytes of the SHA-256 of v2 (`btmh`). */
  readonly infoHash: Uint8Array;
  /** SHA-256 of the info dictionary, if the link has it (BEP 52). */
  readonly infoHashV2: Uint8Array | null;
  /** The link names the v1 hash. */
  readonly hasV1: boolean;
  /** What to call it until the metadata is there; null if the link does not say. */
  readonly name: string | null;
  readonly trackers: readonly string[];
  /** Servers that have the files (BEP 19). */
  readonly webSeeds: readonly string[];
  /** Peers that have the torrent, or said so. */
  readonly peers: readonly PeerEndpoint[];
}

/** Returns whether a text is meant to be a magnet link. */
export function isMagnet(text: string): boolean {
  return /^magnet:/i.test(text);
}

/**
 * Reads a magnet link (BEP 9, with `btmh` of BEP 52). Fields it does not know are nothing, and so is a peer that is no `host:port`.
 *
 * @throws {SyntaxError} If it names no torrent, or two.
 *
 * @example
 * ```ts
 * import { parseMagnet } from "./magnet.ts";
 *
 * const link = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=a+b&x.pe=10.0.0.7:6881";
 * parseMagnet(link).name; // "a b"
 * parseMagnet(link).peers; // [{ host: "10.0.0.7", port: 6881 }]
 * ```
 */
export function parseMagnet(text: string): Magnet {
  if (text.length > MAX_LENGTH) throw wrong(`it has over ${MAX_LENGTH} bytes`);
  const query = /^magnet:\?(.*)$/is.exec(text)?.[1];
  if (query === undefined) throw wrong("it must begin with magnet:?");
  const fields = query.split("&").map(fieldOf);
  // Fields may be numbered: xt.1, tr.2.
  const all = (key: string) =>
    fields.flatMap(([name, value]) =>
      name === key || name.replace(/\.\d+$/, "") === key ? [value] : []
    );
  const topics = all("xt");
  const v1 = theOne(topics.flatMap(readBtih));
  const v2 = theOne(topics.flatMap(readBtmh));
  if (v1 === null && v2 === null) {
    throw wrong(
      topics.length === 0
        ? "it has no xt=urn:btih:HASH"
        : `"${
          topics[0]!.slice(0, 80)
        }" must be urn:btih: with 40 hexadecimal or 32 base32 digits`,
    );
  }
  return {
    infoHash: v1 ?? v2!.subarray(0, 20),
    infoHashV2: v2,
    hasV1: v1 !== null,
    name: all("dn")[0] || null,
    trackers: unique(all("tr")).filter((url) => /^(https?|udp):/i.test(url)),
    webSeeds: unique(all("ws")).filter((url) => /^https?:/i.test(url)),
    peers: unique(all("x.pe")).flatMap(endpointOf),
  };
}

function fieldOf(field: string): [name: string, value: string] {
  const at = field.indexOf("=");
  const [name, value] = at < 0
    ? [field, ""]
    : [field.slice(0, at), field.slice(at + 1)];
  try {
    // A plus is a space in old links, and %2B is a plus.
    return [name.toLowerCase(), decodeURIComponent(value.replace(/\+/g, " "))];
  } catch {
    throw wrong(`"${field.slice(0, 80)}" is not percent-encoded UTF-8`);
  }
}

function readBtih(topic: string): Uint8Array[] {
  const digits = /^urn:btih:(.*)$/i.exec(topic)?.[1];
  if (digits === undefined) return [];
  if (/^[0-9a-f]{40}$/i.test(digits)) return [fromHex(digits)];
  return /^[a-z2-7]{32}$/i.test(digits) ? [fromBase32(digits)] : [];
}

/** A multihash: 12 (SHA-256), 20 (its 32 bytes), and the hash. */
function readBtmh(topic: string): Uint8Array[] {
  const digits = /^urn:btmh:1220([0-9a-f]{64})$/i.exec(topic)?.[1];
  return digits === undefined ? [] : [fromHex(digits)];
}

function theOne(hashes: readonly Uint8Array[]): Uint8Array | null {
  const first = hashes[0];
  if (first === undefined) return null;
  if (hashes.every((hash) => equalBytes(hash, first))) return first;
  throw wrong("it names two torrents");
}

/** RFC 4648 §6, of 32 digits: 20 bytes. */
function fromBase32(digits: string): Uint8Array {
  const bytes = new Uint8Array(20);
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const digit of digits.toUpperCase()) {
    value = ((value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(digit)) &
      0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >> bits;
  }
  return bytes;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].slice(0, MAX_ENTRIES);
}

function endpointOf(text: string): PeerEndpoint[] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/]+)):([1-9]\d{0,4})$/i.exec(
    text,
  );
  const port = Number(match?.[3]);
  return match === null || port > 65_535
    ? []
    : [{ host: match[1] ?? match[2]!, port }];
}

function wrong(why: string): SyntaxError {
  return new SyntaxError(`Cannot read magnet link: ${why}`);
}
