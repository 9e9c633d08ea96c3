/** EDNS (RFC 6891): what the OPT record says, and the Client Subnet option (ECS, RFC 7871) in it. */
import {
  type Cidr,
  formatAddress,
  formatCidr,
  maskAddress,
} from "../core/address.ts";
import { ProtocolError } from "../core/errors.ts";
import { RECORD_TYPES } from "./codes.ts";
import type { MessageWriter } from "./message_writer.ts";

/** Codes of the options that are known here (IANA "DNS EDNS0 Option Codes"). */
export const OPTIONS = {
  /** RFC 7871. */
  CLIENT_SUBNET: 8,
  /** RFC 7873. */
  COOKIE: 10,
  /** RFC 7828. */
  TCP_KEEPALIVE: 11,
} as const;

/** Whom a resolver asks for: the network of its client. */
export interface ClientSubnet {
  /** The client's address as far as it is known, 4 or 16 bytes, zeros after it; no bytes for family 0. */
  readonly bytes: Uint8Array;
  /** How many bits of the address are known; 0 is the wish not to be told apart. */
  readonly sourceLength: number;
  /** In answers: for how many bits the answer holds. In queries 0. */
  readonly scopeLength: number;
}

/** What an OPT record says. */
export interface Edns {
  /** The longest answer over UDP that the sender takes. */
  readonly udpBytes: number;
  readonly version: number;
  /** The DO bit: DNSSEC records are welcome. */
  readonly dnssecOk: boolean;
  /** The upper 8 bits of the response code. */
  readonly upperRcode: number;
  readonly clientSubnet?: ClientSubnet;
  /** The client's cookie, 8 bytes, and then the server's, 8 to 32, if it has one (RFC 7873). */
  readonly cookie?: Uint8Array;
  /** In answers over TCP: how long the connection may be idle (RFC 7828). */
  readonly keepaliveMs?: number;
}

function badOption(rule: string, offset: number): ProtocolError {
  return new ProtocolError(
    "dns-bad-edns",
    `Cannot read EDNS options: ${rule}`,
    { offset },
  );
}

/**
 * Says what is wrong with a Client Subnet option (RFC 7871 §6 and §7.1.2 want FORMERR): an unknown family, a prefix
 * longer than an address, too few or too many bytes, or a bit after the prefix. Undefined if nothing is.
 */
export function clientSubnetFault(
  message: Uint8Array,
  offset: number,
  length: number,
): string | undefined {
  if (length < 4) return "Client Subnet has at least 4 bytes";
  const family = (message[offset] ?? 0) << 8 | (message[offset + 1] ?? 0);
  const sourceLength = message[offset + 2] ?? 0;
  const bits = family === 1 ? 32 : family === 2 ? 128 : 0;
  if (family > 2) return `the family is 1 or 2, got ${family}`;
  if (sourceLength > bits || (message[offset + 3] ?? 0) > bits) {
    return `a prefix has at most ${bits} bits`;
  }
  if (length - 4 !== (sourceLength + 7) >> 3) {
    return "the address has as many bytes as its prefix";
  }
  const rest = sourceLength & 7;
  const last = message[offset + length - 1] ?? 0;
  return rest !== 0 && (last << rest & 0xff) !== 0
    ? "the bits after the prefix are 0"
    : undefined;
}

/** Reads a Client Subnet option. @throws {ProtocolError} `dns-bad-edns` for what {@linkcode clientSubnetFault} says. */
export function readClientSubnet(
  message: Uint8Array,
  offset: number,
  length: number,
): ClientSubnet {
  const fault = clientSubnetFault(message, offset, length);
  if (fault !== undefined) throw badOption(fault, offset);
  const family = message[offset + 1] ?? 0;
  const bytes = new Uint8Array(family === 1 ? 4 : family === 2 ? 16 : 0);
  bytes.set(message.subarray(offset + 4, offset + length));
  return {
    bytes,
    sourceLength: message[offset + 2] ?? 0,
    scopeLength: message[offset + 3] ?? 0,
  };
}

/** The options of an OPT record that are known here; of two equal ones the first. */
export type EdnsOptions = Pick<
  Edns,
  "clientSubnet" | "cookie" | "keepaliveMs"
>;

/**
 * Reads the options of an OPT record, `length` bytes at `offset`; unknown options are skipped (RFC 6891 §6.1.2).
 *
 * @throws {ProtocolError} `dns-bad-edns` if an option is cut off or its subnet is none.
 */
export function readOptions(
  message: Uint8Array,
  offset: number,
  length: number,
): EdnsOptions {
  const end = offset + length;
  const options: { -readonly [K in keyof EdnsOptions]: EdnsOptions[K] } = {};
  for (let at = offset; at < end;) {
    if (at + 4 > end) throw badOption("an option has a head of 4 bytes", at);
    const code = (message[at] ?? 0) << 8 | (message[at + 1] ?? 0);
    const size = (message[at + 2] ?? 0) << 8 | (message[at + 3] ?? 0);
    at += 4;
    if (at + size > end) throw badOption("an option ends in its record", at);
    if (code === OPTIONS.CLIENT_SUBNET) {
      options.clientSubnet ??= readClientSubnet(message, at, size);
    } else if (code === OPTIONS.COOKIE) {
      options.cookie ??= message.slice(at, at + size);
    } else if (code === OPTIONS.TCP_KEEPALIVE && size === 2) {
      options.keepaliveMs ??= 100 *
        ((message[at] ?? 0) << 8 | (message[at + 1] ?? 0));
    }
    at += size;
  }
  return options;
}

/** Returns how many bytes {@linkcode writeOpt} writes. */
export function optBytes({ clientSubnet, cookie }: EdnsOptions): number {
  return 11 +
    (clientSubnet === undefined
      ? 0
      : 8 + ((clientSubnet.sourceLength + 7) >> 3)) +
    (cookie === undefined ? 0 : 4 + cookie.length);
}

/** Writes the OPT record of a query; it belongs into the additional section, and its reader is glad to find it last. */
export function writeOpt(writer: MessageWriter, edns: Edns): void {
  const { clientSubnet: subnet, cookie } = edns;
  writer.u8(0);
  writer.u16(RECORD_TYPES.OPT);
  writer.u16(edns.udpBytes);
  writer.u8(edns.upperRcode);
  writer.u8(edns.version);
  writer.u16(edns.dnssecOk ? 0x8000 : 0);
  writer.u16(optBytes(edns) - 11);
  if (subnet !== undefined) {
    const addressBytes = (subnet.sourceLength + 7) >> 3;
    const size = subnet.bytes.length;
    writer.u16(OPTIONS.CLIENT_SUBNET);
    writer.u16(4 + addressBytes);
    writer.u16(size === 4 ? 1 : size === 16 ? 2 : 0);
    writer.u8(subnet.sourceLength);
    writer.u8(subnet.scopeLength);
    writer.bytes(subnet.bytes, 0, addressBytes);
  }
  if (cookie === undefined) return;
  writer.u16(OPTIONS.COOKIE);
  writer.u16(cookie.length);
  writer.bytes(cookie);
}

/** Returns the option that asks for the clients of a network. */
export function clientSubnetOf(cidr: Cidr): ClientSubnet {
  return {
    bytes: maskAddress(cidr.bytes, cidr.prefixLength),
    sourceLength: cidr.prefixLength,
    scopeLength: 0,
  };
}

/** Returns a subnet as dig shows it, `127.1.0.0/24/16`: the source and then the scope length. */
export function formatClientSubnet(subnet: ClientSubnet): string {
  if (subnet.bytes.length === 0) return `0/0/${subnet.scopeLength}`;
  const { bytes, sourceLength, scopeLength } = subnet;
  return sourceLength === 0
    ? `${formatAddress(bytes)}/0/${scopeLength}`
    : `${formatCidr({ bytes, prefixLength: sourceLength })}/${scopeLength}`;
}
