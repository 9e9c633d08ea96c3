import { parseAddress, unmapAddress } from "../../../core/address.ts";
import { concat } from "../../../core/bytes.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";

/** CRC-32C (Castagnoli), reflected. */
const POLYNOMIAL = 0x82f63b78;

/**
 * How much a connection between two peers is worth when there are too few connections (BEP 40): a number of 32 bits that
 * both compute alike and nobody can choose, so that a swarm's graph is random and no one crowds out others.
 *
 * @throws {SyntaxError} If a host is no literal address. @throws {RangeError} If one is IPv4 and the other IPv6.
 *
 * @example The BEP's own
 * ```ts
 * import { canonicalPriority } from "./canonical_priority.ts";
 * import assert from "node:assert/strict";
 *
 * const us = { host: "123.213.32.10", port: 0 };
 * assert.equal(canonicalPriority(us, { host: "98.76.54.32", port: 0 }), 0xec2d7224);
 * ```
 */
export function canonicalPriority(a: PeerEndpoint, b: PeerEndpoint): number {
  const first = unmapAddress(parseAddress(a.host));
  const second = unmapAddress(parseAddress(b.host));
  if (first.length !== second.length) {
    throw new RangeError(
      `Cannot compute priority: must be two addresses of one family, got ${a.host} and ${b.host}`,
    );
  }
  if (compare(first, second) === 0) {
    return crc32c(sorted(portBytes(a.port), portBytes(b.port)));
  }
  const mask = maskFor(first, second);
  return crc32c(sorted(masked(first, mask), masked(second, mask)));
}

/** All of what the two have in common and the byte after it, half of the rest: at least /16 and /48 count in full. */
function maskFor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const full = a.length === 4 ? 2 : 6;
  let common = 0;
  while (a[common] === b[common]) common += 1;
  const whole = common < full ? full : common + 1;
  return a.map((_, at) => at < whole ? 0xff : 0x55);
}

function masked(address: Uint8Array, mask: Uint8Array): Uint8Array {
  return address.map((byte, at) => byte & mask[at]!);
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

function sorted(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compare(a, b) <= 0 ? concat(a, b) : concat(b, a);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return a[at]! - b[at]!;
  }
  return 0;
}

/** CRC-32C of a few bytes. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}
