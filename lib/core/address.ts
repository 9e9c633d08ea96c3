/**
 * IP addresses and networks as text and as bytes.
 *
 * An address is its bytes in network order, 4 of them for IPv4 and 16 for IPv6, as they stand in DNS records,
 * compact peer lists and socket calls. Text goes both ways in the one canonical form, so that equal addresses
 * have equal text: dotted decimal without leading zeros, and RFC 5952 for IPv6.
 */

/** The text is no address or network. */
function invalid(what: string, text: string): SyntaxError {
  return new SyntaxError(`must be ${what}, got "${text}"`);
}

/** Character by character: a tracker reads an address for each datagram. */
function readIpv4(text: string, into: Uint8Array, at: number): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let index = 0; index <= text.length; index++) {
    const digit = index < text.length ? text.charCodeAt(index) - 0x30 : -2;
    if (digit >= 0 && digit <= 9) {
      // "010" is octal 8 to some programs and 10 to others (RFC 6943 §3.1.1), so it is nothing here
      if (digits > 0 && value === 0) return false;
      value = value * 10 + digit;
      digits += 1;
      continue;
    }
    // The dot ends three parts, the end of the text the fourth
    if (digit !== -2 || (part < 3) !== (index < text.length)) return false;
    if (digits === 0 || value > 255) return false;
    into[at + part] = value;
    part += 1;
    digits = 0;
    value = 0;
  }
  return part === 4;
}

/** Writes the groups of `text`, such as `fd00:0:1` or `ffff:10.0.0.1`, to `into`; returns how many bytes, or -1. */
function readGroups(text: string, into: Uint8Array): number {
  if (text === "") return 0;
  const groups = text.split(":");
  let at = 0;
  for (const [index, group] of groups.entries()) {
    if (group.includes(".")) {
      if (index !== groups.length - 1 || at > 12) return -1;
      if (!readIpv4(group, into, at)) return -1;
      at += 4;
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group) || at > 14) return -1;
    const value = parseInt(group, 16);
    into[at] = value >> 8;
    into[at + 1] = value & 255;
    at += 2;
  }
  return at;
}

function readIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const bytes = new Uint8Array(16);
  const tail = new Uint8Array(16);
  const headLength = readGroups(halves[0] ?? "", bytes);
  const tailText = halves[1];
  if (tailText === undefined) return headLength === 16 ? bytes : undefined;
  const tailLength = readGroups(tailText, tail);
  // An address in dotted form may only be the end
  if ((halves[0] ?? "").includes(".") || headLength < 0 || tailLength < 0) {
    return undefined;
  }
  // "::" stands for at least one group (RFC 4291 §2.2 says "one or more")
  if (headLength + tailLength > 14) return undefined;
  bytes.set(tail.subarray(0, tailLength), 16 - tailLength);
  return bytes;
}

/**
 * Returns the bytes of an address: 4 for IPv4 (dotted decimal), 16 for IPv6 (RFC 4291 §2.2, without a zone).
 *
 * @throws {SyntaxError} If `text` is neither; a name is not looked up.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 * parseAddress("127.0.0.3"); // Uint8Array [127, 0, 0, 3]
 * ```
 */
export function parseAddress(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes(":")) {
    const bytes = readIpv6(text);
    if (bytes !== undefined) return bytes;
  } else {
    const bytes = new Uint8Array(4);
    if (readIpv4(text, bytes, 0)) return bytes;
  }
  throw invalid("an address such as 127.0.0.3 or 2001:db8::1", text);
}

/** The two kinds of addresses: a machine may have one of each. */
export type Family = "ipv4" | "ipv6";

/** The family of a literal address. */
export function familyOf(host: string): Family {
  return host.includes(":") ? "ipv6" : "ipv4";
}

/** Returns whether a literal address is IPv6. */
export function isIpv6(host: string): boolean {
  return familyOf(host) === "ipv6";
}

/** The address that stands for all of a machine's: a socket on it speaks to whomever there is of the family. */
export function anyAddressOf(family: Family): string {
  return family === "ipv6" ? "::" : "0.0.0.0";
}

/** Returns whether a literal address is of this machine only. */
export function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

/** Returns whether `text` is a literal address, IPv4 or IPv6. */
export function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** The longest run of two or more zero groups, the first of equals (RFC 5952 §4.2); length 0 when there is none. */
function longestZeroRun(
  groups: readonly number[],
): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > Math.max(best.length, 1)) {
      best = { start, length: index + 1 - start };
    }
  }
  return best;
}

/**
 * Returns the canonical text of an address of 4 or 16 bytes: RFC 5952 for IPv6, `::ffff:10.0.0.1` for a mapped one.
 *
 * @throws {RangeError} If `bytes` has another length.
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) {
    return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  }
  if (bytes.length !== 16) {
    throw new RangeError(
      `An address has 4 or 16 bytes, got ${bytes.length}`,
    );
  }
  if (isMapped(bytes)) return `::ffff:${formatAddress(bytes.subarray(12))}`;
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0));
  }
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]) =>
    part.map((group) => group.toString(16)).join(":");
  if (run.length === 0) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${
    hex(groups.slice(run.start + run.length))
  }`;
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 255 || bytes[11] !== 255) {
    return false;
  }
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Returns the IPv4 address inside an IPv4-mapped IPv6 one (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2), any other address as it is. Shares the memory. */
export function unmapAddress(bytes: Uint8Array): Uint8Array {
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Writes host and port as people and URLs do: `10.0.0.1:80`, `[::1]:80`; `*:80` where no host is named. */
export function formatHostPort(
  { host, port }: { readonly host: string; readonly port: number },
): string {
  return `${isIpv6(host) ? `[${host}]` : host || "*"}:${port}`;
}

/** A network: the addresses that start with the same bits. All bits of `bytes` after the prefix are 0. */
export interface Cidr {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  /** 0 to 32, or 0 to 128. */
  readonly prefixLength: number;
}

/** Returns a copy of `bytes` whose bits after the first `prefixLength` are 0. */
export function maskAddress(
  bytes: Uint8Array,
  prefixLength: number,
): Uint8Array<ArrayBuffer> {
  const masked = new Uint8Array(bytes.length);
  for (let at = 0; 8 * at < prefixLength && at < bytes.length; at++) {
    const kept = Math.min(8, prefixLength - 8 * at);
    masked[at] = (bytes[at] ?? 0) & (0xff << (8 - kept));
  }
  return masked;
}

/**
 * Reads `127.1.0.0/16` or `2001:db8::/32`; an address alone is the network of only that address.
 *
 * @throws {SyntaxError} If it is no network, or a bit after the prefix is 1 (`10.0.0.1/8`, most often a slip).
 */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf("/");
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  const bits = 8 * bytes.length;
  if (slash < 0) return { bytes, prefixLength: bits };
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits) {
    throw invalid(
      `a network such as 127.1.0.0/16, with a prefix from 0 to ${bits}`,
      text,
    );
  }
  const cidr = { bytes, prefixLength: Number(length) };
  const masked = maskAddress(bytes, cidr.prefixLength);
  if (masked.some((byte, at) => byte !== bytes[at])) {
    throw invalid(
      `a network without bits after its prefix (${
        formatCidr({ ...cidr, bytes: masked })
      })`,
      text,
    );
  }
  return cidr;
}

/** Returns a network as `127.1.0.0/16`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.bytes)}/${cidr.prefixLength}`;
}

/** Returns whether `address` lies in `cidr`; an address of the other family never does. */
export function cidrContains(cidr: Cidr, address: Uint8Array): boolean {
  if (address.length !== cidr.bytes.length) return false;
  const whole = cidr.prefixLength >> 3;
  for (let at = 0; at < whole; at++) {
    if (address[at] !== cidr.bytes[at]) return false;
  }
  const rest = cidr.prefixLength & 7;
  if (rest === 0) return true;
  const difference = (address[whole] ?? 0) ^ (cidr.bytes[whole] ?? 0);
  return (difference & (0xff << (8 - rest)) & 0xff) === 0;
}
