/**
 * Domain names.
 *
 * A name is held as it stands in a message without compression: labels, each after a byte with its length, and the
 * zero byte of the root (RFC 1035 §3.1). Case is kept and never compared (RFC 4343), because resolvers mix it on
 * purpose and want it back (0x20). A label may hold any byte; text escapes those that are not plain (`\.`, `\032`).
 */
import { concat } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";

/** A domain name in wire form, uncompressed. */
export type Name = Uint8Array<ArrayBuffer>;

/** RFC 1035 §2.3.4: a name has at most 255 bytes, with its length bytes. */
export const MAX_NAME_BYTES = 255;
/** RFC 1035 §2.3.4: a label has at most 63 bytes. */
export const MAX_LABEL_BYTES = 63;

/** The root: the name without labels. */
export const ROOT: Name = new Uint8Array(1);

const DOT = 0x2e;
const BACKSLASH = 0x5c;

/** Returns `byte` in lower case if it is an ASCII capital. */
export function lowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** Reads the character or escape at `at`; `\DDD` is a byte in decimal, `\X` is X. */
function readEscape(
  text: string,
  at: number,
): { readonly byte: number; readonly next: number } {
  const digits = /^[0-9]{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (digits !== undefined) {
    if (Number(digits) > 255) throw notName(text, "\\DDD is at most \\255");
    return { byte: Number(digits), next: at + 4 };
  }
  const code = text.charCodeAt(at + 1);
  if (!(code < 128) || /[0-9]/.test(text[at + 1] ?? "")) {
    throw notName(text, "a backslash stands before a character or 3 digits");
  }
  return { byte: code, next: at + 2 };
}

function notName(text: string, rule: string): SyntaxError {
  return new SyntaxError(`must be a domain name: ${rule}, got "${text}"`);
}

/**
 * Reads a name as people write it: `video.kingcdn.example.`, with `\.` for a dot inside a label and `\DDD` for any byte.
 *
 * @param origin What a name without a dot at its end is relative to; the root unless given.
 * @throws {SyntaxError} If a label is empty or too long, the name too long, or a character is not ASCII.
 */
export function parseName(text: string, origin: Uint8Array = ROOT): Name {
  if (text === ".") return ROOT;
  if (text === "") throw notName(text, "it is not empty");
  const wire: number[] = [0];
  let labelAt = 0;
  let absolute = false;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (wire[labelAt] === 0) throw notName(text, "no label is empty");
      absolute = at === text.length - 1;
      labelAt = wire.length;
      wire.push(0);
      at += 1;
      continue;
    }
    if (code > 126 || code <= 32) {
      throw notName(text, "its characters are ASCII (use the xn-- form)");
    }
    const { byte, next } = code === BACKSLASH
      ? readEscape(text, at)
      : { byte: code, next: at + 1 };
    const length = (wire[labelAt] ?? 0) + 1;
    if (length > MAX_LABEL_BYTES) {
      throw notName(text, `a label has at most ${MAX_LABEL_BYTES} characters`);
    }
    wire[labelAt] = length;
    wire.push(byte);
    at = next;
  }
  if (!absolute) wire.push(...origin);
  if (wire.length > MAX_NAME_BYTES) {
    throw notName(text, `it has at most ${MAX_NAME_BYTES} bytes`);
  }
  return new Uint8Array(wire);
}

/** Returns a name as text with the dot at its end: `video.kingcdn.example.`; the root is `.`. */
export function formatName(name: Uint8Array): string {
  if ((name[0] ?? 0) === 0) return ".";
  let text = "";
  let left = 0;
  for (const byte of name) {
    if (left === 0) {
      left = byte;
      if (text !== "") text += ".";
      continue;
    }
    left -= 1;
    const char = String.fromCharCode(byte);
    if (byte <= 32 || byte > 126) {
      text += `\\${String(byte).padStart(3, "0")}`;
    } else text += /[.\\"();@$]/.test(char) ? `\\${char}` : char;
  }
  return text;
}

/** Returns a name as it stands in events and tables: no dot at its end, lower case. */
export function displayName(name: Uint8Array): string {
  const text = formatName(name).toLowerCase();
  return text === "." ? text : text.slice(0, -1);
}

/** Returns a name in lower case: equal names have equal bytes then. */
export function lowerName(name: Uint8Array): Name {
  // Length bytes are at most 63 and so never a capital
  return name.map(lowerByte) as Name;
}

/** Returns whether two names are the same, whatever their case. */
export function equalNames(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at] && lowerByte(a[at] ?? 0) !== lowerByte(b[at] ?? 0)) {
      return false;
    }
  }
  return true;
}

/** Returns the name without its first label; the root's is the root. Shares the memory. */
export function parentName(name: Uint8Array): Uint8Array {
  const length = name[0] ?? 0;
  return length === 0 ? name : name.subarray(length + 1);
}

/**
 * Returns a name with its last `endBytes` bytes, a name above it, replaced by `target`: what a DNAME makes of it.
 *
 * Undefined if it is too long then (RFC 6672 §2.2).
 */
export function withNewEnd(
  name: Uint8Array,
  endBytes: number,
  target: Uint8Array,
): Name | undefined {
  const kept = name.length - endBytes;
  if (kept + target.length > MAX_NAME_BYTES) return undefined;
  return concat(name.subarray(0, kept), target);
}

/** Returns where the uncompressed name that starts at `at` ends. */
export function nameEnd(bytes: Uint8Array, at = 0): number {
  let end = at;
  while ((bytes[end] ?? 0) !== 0) end += 1 + (bytes[end] ?? 0);
  return end + 1;
}

/** Returns how many labels a name has; the root has none. */
export function labelCount(name: Uint8Array): number {
  let count = 0;
  for (let at = 0; (name[at] ?? 0) !== 0; at += (name[at] ?? 0) + 1) count++;
  return count;
}

/** Returns whether `name` is `ancestor` or below it. */
export function isWithin(name: Uint8Array, ancestor: Uint8Array): boolean {
  let rest = name;
  while (rest.length > ancestor.length) rest = parentName(rest);
  return equalNames(rest, ancestor);
}

/**
 * Reads the name at `offset` of a message, following compression pointers (RFC 1035 §4.1.4).
 *
 * A pointer must lead to before the part of the name it ends. Each hop goes strictly back, so no loop is possible.
 *
 * @returns The name, and where what comes after it starts.
 * @throws {ProtocolError} `dns-truncated`, `dns-bad-label`, `dns-bad-pointer`, `dns-name-too-long`.
 */
export function readName(
  message: Uint8Array,
  offset: number,
): { readonly name: Name; readonly next: number } {
  const wire: number[] = [];
  let next = -1;
  let partStart = offset;
  for (let at = offset;;) {
    const length = message[at];
    if (length === undefined) throw truncated(at);
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) throw truncated(at + 1);
      if (next < 0) next = at + 2;
      const target = (length & 0x3f) << 8 | low;
      if (target >= partStart) {
        throw new ProtocolError(
          "dns-bad-pointer",
          `Cannot read a name: a pointer leads back, got ${target} at ${at}`,
          { offset: at },
        );
      }
      partStart = at = target;
      continue;
    }
    if (length > MAX_LABEL_BYTES) {
      throw new ProtocolError(
        "dns-bad-label",
        `Cannot read a name: a label has at most ${MAX_LABEL_BYTES} bytes, got ${length}`,
        { offset: at },
      );
    }
    if (at + length >= message.length) throw truncated(message.length);
    for (const end = at + length; at <= end; at++) {
      wire.push(message[at] ?? 0);
    }
    if (wire.length > MAX_NAME_BYTES) {
      throw new ProtocolError(
        "dns-name-too-long",
        `Cannot read a name: it has at most ${MAX_NAME_BYTES} bytes`,
        { offset },
      );
    }
    if (length === 0) {
      return { name: new Uint8Array(wire), next: next < 0 ? at : next };
    }
  }
}

function truncated(offset: number): ProtocolError {
  return new ProtocolError(
    "dns-truncated",
    "Cannot read a message: it ends inside a name",
    { offset },
  );
}
