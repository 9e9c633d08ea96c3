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

/** Option code of Client Subnet (RFC 7871 §6). */
export const CLIENT_SUBNET_OPTION = 8;

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
}

function badOption(rule: string, offset: number): ProtocolError {
  return new ProtocolError(
    "dns-bad-edns",
    `Cannot read EDNS options: ${rule}`,
    { offset },
  );
}

/**
 * Reads a Client Subnet option.
 *
 * @throws {ProtocolError} `dns-bad-edns` for an unknown family, a prefix longer than an address, too few or too many
 * bytes, or a bit after the prefix (RFC 7871 §6 and §7.1.2 want FORMERR).
 */
export function readClientSubnet(
  message: Uint8Array,
  offset: number,
  length: number,
): ClientSubnet {
  if (length < 4) throw badOption("Client Subnet has at least 4 bytes", offset);
  const family = (message[offset] ?? 0) << 8 | (message[offset + 1] ?? 0);
  const sourceLength = message[offset + 2] ?? 0;
  const scopeLength = message[offset + 3] ?? 0;
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (family > 2) {
    throw badOption(`the family is 1 or 2, got ${family}`, offset);
  }
  if (sourceLength > 8 * size || scopeLength > 8 * size) {
    throw badOption(`a prefix has at most ${8 * size} bits`, offset + 2);
  }
  if (length - 4 !== (sourceLength + 7) >> 3) {
    throw badOption("the address has as many bytes as its prefix", offset);
  }
  const bytes = new Uint8Array(size);
  for (let at = 0; at < length - 4; at++) {
    bytes[at] = message[offset + 4 + at] ?? 0;
  }
  const rest = sourceLength & 7;
  if (rest !== 0 && ((bytes[length - 5] ?? 0) << rest & 0xff) !== 0) {
    throw badOption("the bits after the prefix are 0", offset + 4);
  }
  return { bytes, sourceLength, scopeLength };
}

/**
 * Reads the options of an OPT record, `length` bytes at `offset`; unknown options are skipped (RFC 6891 §6.1.2).
 *
 * @returns The client's subnet, if it is there; of two the first.
 * @throws {ProtocolError} `dns-bad-edns` if an option is cut off or its subnet is none.
 */
export function readOptions(
  message: Uint8Array,
  offset: number,
  length: number,
): ClientSubnet | undefined {
  const end = offset + length;
  let subnet: ClientSubnet | undefined;
  for (let at = offset; at < end;) {
    if (at + 4 > end) throw badOption("an option has a head of 4 bytes", at);
    const code = (message[at] ?? 0) << 8 | (message[at + 1] ?? 0);
    const size = (message[at + 2] ?? 0) << 8 | (message[at + 3] ?? 0);
    at += 4;
    if (at + size > end) throw badOption("an option ends in its record", at);
    if (code === CLIENT_SUBNET_OPTION) {
      subnet ??= readClientSubnet(message, at, size);
    }
    at += size;
  }
  return subnet;
}

/** Returns how many bytes {@linkcode writeOpt} writes. */
export function optBytes(subnet: ClientSubnet | undefined): number {
  return subnet === undefined ? 11 : 19 + ((subnet.sourceLength + 7) >> 3);
}

/** Writes an OPT record; it belongs into the additional section, and its reader is glad to find it last. */
export function writeOpt(writer: MessageWriter, edns: Edns): void {
  const subnet = edns.clientSubnet;
  writer.u8(0);
  writer.u16(RECORD_TYPES.OPT);
  writer.u16(edns.udpBytes);
  writer.u8(edns.upperRcode);
  writer.u8(edns.version);
  writer.u16(edns.dnssecOk ? 0x8000 : 0);
  writer.u16(optBytes(subnet) - 11);
  if (subnet === undefined) return;
  const addressBytes = (subnet.sourceLength + 7) >> 3;
  const size = subnet.bytes.length;
  writer.u16(CLIENT_SUBNET_OPTION);
  writer.u16(4 + addressBytes);
  writer.u16(size === 4 ? 1 : size === 16 ? 2 : 0);
  writer.u8(subnet.sourceLength);
  writer.u8(subnet.scopeLength);
  writer.bytes(subnet.bytes, 0, addressBytes);
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
