/**
 * What records carry, as bytes and as text, from one table of fields per type.
 *
 * Record data is held uncompressed. A type without a row is opaque: RFC 3597 §5 writes it as `\# 3 a1b2c3`.
 */
import { formatAddress, parseAddress } from "../core/address.ts";
import { fromHex, toHex } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";
import { counted } from "../core/units.ts";
import { OTHER_TYPES, RECORD_TYPES, typeName } from "./codes.ts";
import { formatName, parseName, readName } from "./name.ts";

/** One field of record data. `name` may be compressed in a message, `target` may not (RFC 3597 §4). `rest` is text, `hex` are digits up to the end. */
export type RdataField =
  | "ipv4"
  | "ipv6"
  | "name"
  | "target"
  | "u8"
  | "u16"
  | "u32"
  | "seconds"
  | "tag"
  | "string"
  | "strings"
  | "rest"
  | "hex";

const FIELDS: ReadonlyMap<number, readonly RdataField[]> = new Map<
  number,
  readonly RdataField[]
>([
  [RECORD_TYPES.A, ["ipv4"]],
  [RECORD_TYPES.AAAA, ["ipv6"]],
  [RECORD_TYPES.NS, ["name"]],
  [RECORD_TYPES.CNAME, ["name"]],
  [RECORD_TYPES.PTR, ["name"]],
  [RECORD_TYPES.SOA, [
    "name",
    "name",
    "u32",
    "seconds",
    "seconds",
    "seconds",
    "seconds",
  ]],
  [RECORD_TYPES.MX, ["u16", "name"]],
  [RECORD_TYPES.TXT, ["strings"]],
  [RECORD_TYPES.HINFO, ["string", "string"]],
  [RECORD_TYPES.SRV, ["u16", "u16", "u16", "target"]],
  [RECORD_TYPES.CAA, ["u8", "tag", "rest"]],
  [RECORD_TYPES.DS, ["u16", "u8", "u8", "hex"]],
  [OTHER_TYPES.CDS, ["u16", "u8", "u8", "hex"]],
  [OTHER_TYPES.SSHFP, ["u8", "u8", "hex"]],
  [OTHER_TYPES.TLSA, ["u8", "u8", "u8", "hex"]],
  [OTHER_TYPES.SMIMEA, ["u8", "u8", "u8", "hex"]],
  [RECORD_TYPES.DNAME, ["target"]],
  [OTHER_TYPES.RP, ["target", "target"]],
  [OTHER_TYPES.AFSDB, ["u16", "target"]],
  [OTHER_TYPES.NAPTR, ["u16", "u16", "string", "string", "string", "target"]],
  [OTHER_TYPES.SPF, ["strings"]],
  [OTHER_TYPES.URI, ["u16", "u16", "rest"]],
]);

/** A property of CAA (RFC 8659 §4.1). */
const TAG = /^[a-z0-9]{1,255}$/i;

const SIZES: { readonly [F in RdataField]?: number } = {
  ipv4: 4,
  ipv6: 16,
  u8: 1,
  u16: 2,
  u32: 4,
  seconds: 4,
};

/** Returns the fields of a type's data, or undefined if it is opaque here. */
export function rdataFields(type: number): readonly RdataField[] | undefined {
  return FIELDS.get(type);
}

function badRdata(type: number, offset: number): ProtocolError {
  return new ProtocolError(
    "dns-bad-rdata",
    `Cannot read a record: its data is not that of type ${typeName(type)}`,
    { offset },
  );
}

/**
 * Copies the data of a record out of a message, with its names uncompressed.
 *
 * @throws {ProtocolError} `dns-bad-rdata` if the fields do not fill it exactly, and what {@linkcode readName} throws.
 */
export function readRdata(
  message: Uint8Array,
  { type, offset, length }: {
    readonly type: number;
    readonly offset: number;
    readonly length: number;
  },
): Uint8Array<ArrayBuffer> {
  const fields = FIELDS.get(type);
  const end = offset + length;
  if (fields === undefined) return new Uint8Array(message.slice(offset, end));
  const bytes: number[] = [];
  let at = offset;
  const take = (count: number) => {
    if (at + count > end) throw badRdata(type, at);
    for (const stop = at + count; at < stop; at++) bytes.push(message[at] ?? 0);
  };
  const takeString = () => take(at < end ? 1 + (message[at] ?? 0) : 1);
  for (const field of fields) {
    if (field === "name" || field === "target") {
      const { name, next } = readName(message, at);
      if (next > end) throw badRdata(type, at);
      bytes.push(...name);
      at = next;
    } else if (field === "string" || field === "tag") takeString();
    else if (field === "strings") { do takeString(); while (at < end); }
    else if (field === "rest" || field === "hex") take(end - at);
    else take(SIZES[field] ?? 0);
  }
  if (at !== end) throw badRdata(type, at);
  return new Uint8Array(bytes);
}

function quoted(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (byte < 32 || byte > 126) {
      text += `\\${String(byte).padStart(3, "0")}`;
    } else text += char === '"' || char === "\\" ? `\\${char}` : char;
  }
  return `"${text}"`;
}

function numberAt(rdata: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let index = at; index < at + size; index++) {
    value = value * 256 + (rdata[index] ?? 0);
  }
  return value;
}

/** Returns the data of a record as a zone file writes it: `10 mail.example.`. `rdata` is uncompressed and whole. */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const fields = FIELDS.get(type);
  if (fields === undefined) return `\\# ${rdata.length} ${toHex(rdata)}`.trim();
  const words: string[] = [];
  let at = 0;
  const string = () => {
    const end = at + 1 + (rdata[at] ?? 0);
    const text = rdata.subarray(at + 1, end);
    at = end;
    return text;
  };
  for (const field of fields) {
    if (field === "name" || field === "target") {
      const { name, next } = readName(rdata, at);
      words.push(formatName(name));
      at = next;
    } else if (field === "strings") {
      while (at < rdata.length) words.push(quoted(string()));
    } else if (field === "string") words.push(quoted(string()));
    else if (field === "tag") {
      const text = string();
      const word = String.fromCharCode(...text);
      // What a stranger sent may be no tag
      words.push(TAG.test(word) ? word : quoted(text));
    } else if (field === "rest") words.push(quoted(rdata.subarray(at)));
    else if (field === "hex") words.push(toHex(rdata.subarray(at)));
    else {
      const size = SIZES[field] ?? 0;
      words.push(
        field === "ipv4" || field === "ipv6"
          ? formatAddress(rdata.subarray(at, at + size))
          : String(numberAt(rdata, at, size)),
      );
      at += size;
    }
  }
  return words.join(" ").trimEnd();
}

/** A word of a zone file: quoted ones keep their spaces, and escapes are still in `text`. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** Returns the bytes of a character string: `\DDD` and `\X` resolved, the rest as UTF-8. @throws {SyntaxError} If DDD is over 255. */
function stringBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length;) {
    const digits = /^\\([0-9]{3})/.exec(text.slice(at, at + 4))?.[1];
    if (digits !== undefined) {
      if (Number(digits) > 255) {
        throw new SyntaxError(
          `must be a string: \\DDD is at most \\255, got "\\${digits}"`,
        );
      }
      bytes.push(Number(digits));
      at += 4;
      continue;
    }
    if (text[at] === "\\") at += 1;
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0x5c);
    bytes.push(...new TextEncoder().encode(char));
    at += char.length;
  }
  return new Uint8Array(bytes);
}

/** Reads a time in seconds: `3600`, or with BIND's units `1h30m`. @throws {SyntaxError} If it is none, or over 2^31 - 1 (RFC 2181 §8). */
export function parseSeconds(text: string): number {
  const units: Readonly<Record<string, number>> = {
    "": 1,
    s: 1,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
  };
  const valid = /^([0-9]+|([0-9]+[smhdw])+)$/i.test(text);
  let seconds = 0;
  for (const part of text.toLowerCase().matchAll(/([0-9]+)([smhdw]?)/g)) {
    seconds += Number(part[1]) * (units[part[2] ?? ""] ?? NaN);
  }
  if (!valid || !(seconds <= 0x7fffffff)) {
    throw new SyntaxError(
      `must be a time such as 3600 or 1h, at most 2147483647 s, got "${text}"`,
    );
  }
  return seconds;
}

function parseNumber(text: string, size: number): number[] {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value < 256 ** size)) {
    throw new SyntaxError(
      `must be a whole number below ${256 ** size}, got "${text}"`,
    );
  }
  return bigEndian(value, size);
}

function bigEndian(value: number, size: number): number[] {
  return Array.from(
    { length: size },
    (_, index) => Math.floor(value / 256 ** (size - 1 - index)) & 255,
  );
}

function lengthPrefixed(text: string): number[] {
  const bytes = stringBytes(text);
  if (bytes.length > 255) {
    throw new SyntaxError(
      `must be a string of at most 255 bytes, got ${bytes.length}`,
    );
  }
  return [bytes.length, ...bytes];
}

function parseField(
  field: RdataField,
  text: string,
  origin: Uint8Array,
): Iterable<number> {
  switch (field) {
    case "ipv4":
    case "ipv6": {
      const bytes = parseAddress(text);
      if (bytes.length === SIZES[field]) return bytes;
      throw new SyntaxError(
        `must be an ${
          field === "ipv4" ? "IPv4" : "IPv6"
        } address, got "${text}"`,
      );
    }
    case "name":
    case "target":
      return text === "@" ? origin : parseName(text, origin);
    case "seconds":
      return bigEndian(parseSeconds(text), 4);
    case "tag":
      if (TAG.test(text)) return lengthPrefixed(text);
      throw new SyntaxError(
        `must be a tag of letters and digits (RFC 8659), got "${text}"`,
      );
    case "string":
    case "strings":
      return lengthPrefixed(text);
    case "rest":
      return stringBytes(text);
    case "hex":
      return fromHex(text);
    default:
      return parseNumber(text, SIZES[field] ?? 0);
  }
}

function parseOpaque(type: number, words: readonly Word[]): Uint8Array {
  const digits = words[1]?.text ?? "";
  const length = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : NaN;
  const bytes = fromHex(words.slice(2).map((word) => word.text).join(""));
  if (bytes.length !== length) {
    throw new SyntaxError(
      `must be \\# with a length and so many bytes (RFC 3597), got ${bytes.length} for ${
        words[1]?.text ?? "none"
      }`,
    );
  }
  const data = readRdata(bytes, { type, offset: 0, length });
  if (data.length !== length || data.some((byte, at) => byte !== bytes[at])) {
    throw new SyntaxError("must have no name with a pointer (RFC 3597 §4)");
  }
  return data;
}

/** Joins the words of digits in hexadecimal, which may have gaps. */
function withoutGaps(
  words: readonly Word[],
  fields: readonly RdataField[],
): readonly Word[] {
  const last = fields.length - 1;
  if (fields[last] !== "hex" || words.length <= last) return words;
  const text = words.slice(last).map((word) => word.text).join("");
  return [...words.slice(0, last), { text, quoted: false }];
}

/**
 * Reads the data of a record from the words of a zone file, into uncompressed wire form.
 *
 * @param origin What relative names are relative to.
 * @throws {SyntaxError} If the words are not the fields of the type.
 */
export function parseRdata(
  type: number,
  words: readonly Word[],
  origin: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (words[0]?.text === "\\#" && !words[0].quoted) {
    try {
      return new Uint8Array(parseOpaque(type, words));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new SyntaxError(error.message, { cause: error });
    }
  }
  const fields = FIELDS.get(type);
  if (fields === undefined) {
    throw new SyntaxError(
      `must be \\# with a length and bytes (RFC 3597) for type ${
        typeName(type)
      }, got "${words[0]?.text ?? ""}"`,
    );
  }
  const many = fields[0] === "strings";
  const given = withoutGaps(words, fields);
  if (many ? given.length === 0 : given.length !== fields.length) {
    throw new SyntaxError(
      `${typeName(type)} takes ${
        many ? "one word or more" : counted(fields.length, "word")
      } of data, got ${given.length}`,
    );
  }
  const bytes: number[] = [];
  for (const [index, word] of given.entries()) {
    bytes.push(...parseField(fields[index] ?? "strings", word.text, origin));
  }
  if (bytes.length > 65535) throw new SyntaxError("must fit in 65535 bytes");
  return new Uint8Array(bytes);
}
