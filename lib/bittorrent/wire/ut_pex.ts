import { type Family, familyOf, isAddress } from "../../core/address.ts";
import { ProtocolError } from "../../core/errors.ts";
import { type BencodeDictionary, encodeBencode, isBytes } from "../bencode.ts";
import {
  COMPACT_BYTES,
  decodeCompactPeers,
  encodeCompactPeers,
  type PeerEndpoint,
} from "../peer_endpoint.ts";
import { decodeExtendedDictionary } from "./extended.ts";

/** Contacts in one message, added or dropped (BEP 11: 50, but for the first message of a connection). */
export const MAX_PEX_CONTACTS = 50;
/** What is taken of a message: the first one may be longer. */
const MAX_TAKEN_CONTACTS = 200;

/** A peer someone is connected to. */
export interface PexContact extends PeerEndpoint {
  /** It wants no pieces (flag 0x02). */
  readonly seed: boolean;
  /** Whoever tells of it has connected to it, so it can be reached (flag 0x10). */
  readonly reachable: boolean;
}

/** Who has come and gone since the last message (BEP 11). */
export interface PexMessage {
  readonly added: readonly PexContact[];
  readonly dropped: readonly PeerEndpoint[];
}

const SEED = 0x02;
const REACHABLE = 0x10;

/** Writes the payload of a message. Contacts that have no literal address are left out. */
export function encodePex(message: PexMessage): Uint8Array<ArrayBuffer> {
  const added = message.added.filter(({ host }) => isAddress(host));
  const dropped = message.dropped.filter(({ host }) => isAddress(host));
  const flags = (family: Family) =>
    Uint8Array.from(
      added.filter(({ host }) => familyOf(host) === family),
      ({ seed, reachable }) => (seed ? SEED : 0) | (reachable ? REACHABLE : 0),
    );
  return encodeBencode({
    "added": encodeCompactPeers(added, "ipv4"),
    "added.f": flags("ipv4"),
    "added6": encodeCompactPeers(added, "ipv6"),
    "added6.f": flags("ipv6"),
    "dropped": encodeCompactPeers(dropped, "ipv4"),
    "dropped6": encodeCompactPeers(dropped, "ipv6"),
  });
}

/**
 * Reads the payload of a message. What is more than anyone may say at a time is left out.
 *
 * @throws {ProtocolError} `extended-malformed`, or `pex-malformed` if a list is not of whole contacts.
 */
export function decodePex(payload: Uint8Array): PexMessage {
  const dictionary = decodeExtendedDictionary(payload);
  return {
    added: [
      ...contacts(dictionary, "added", "ipv4"),
      ...contacts(dictionary, "added6", "ipv6"),
    ].slice(0, MAX_TAKEN_CONTACTS),
    dropped: [
      ...contacts(dictionary, "dropped", "ipv4"),
      ...contacts(dictionary, "dropped6", "ipv6"),
    ].slice(0, MAX_TAKEN_CONTACTS),
  };
}

function contacts(
  dictionary: BencodeDictionary,
  key: string,
  family: Family,
): PexContact[] {
  const bytes = dictionary.get(key);
  if (bytes === undefined) return [];
  const size = COMPACT_BYTES[family];
  if (!isBytes(bytes) || bytes.length % size !== 0) {
    throw new ProtocolError(
      "pex-malformed",
      `Cannot read peer exchange: "${key}" must be ${size} bytes for each contact`,
    );
  }
  const flags = dictionary.get(`${key}.f`);
  const found: PexContact[] = [];
  // One at a time: contacts at port 0 are left out, and the flags are by position.
  for (let at = 0; at * size < bytes.length; at++) {
    const one = bytes.subarray(at * size, (at + 1) * size);
    for (const { host, port } of decodeCompactPeers(one, family)) {
      const flag = isBytes(flags) ? flags[at] ?? 0 : 0;
      const seed = (flag & SEED) !== 0;
      found.push({ host, port, seed, reachable: (flag & REACHABLE) !== 0 });
    }
  }
  return found;
}
