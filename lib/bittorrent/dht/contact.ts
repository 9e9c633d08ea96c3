import {
  type Family,
  familyOf,
  formatAddress,
  isLoopback,
  parseAddress,
} from "../../core/address.ts";
import { concat, viewOf } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import { type BencodeValue, isBytes, isList } from "../bencode.ts";
import {
  COMPACT_BYTES,
  compactPeer,
  type PeerEndpoint,
} from "../peer_endpoint.ts";
import { ID_BYTES } from "./id.ts";

/** Most nodes that are taken from one answer; BEP 5 has 8, some send twice as many. */
const MAX_NODES = 16;
/** Most peers that are taken from one answer: more do not fit a datagram. */
const MAX_PEERS = 200;

/** A node: who it is and where. */
export interface DhtContact extends PeerEndpoint {
  /** 20 bytes. */
  readonly id: Uint8Array;
}

/** The name of a place in a Map. */
export function keyOf({ host, port }: PeerEndpoint): string {
  return `${host} ${port}`;
}

/**
 * Returns whether a datagram may be sent to an address that a stranger named: no port 0, no "any" address, no multicast
 * and broadcast, and this machine's own services only if the stranger is on this machine too.
 */
export function mayContact(to: PeerEndpoint, namedBy: string): boolean {
  if (to.port === 0) return false;
  if (isLoopback(to.host)) return isLoopback(namedBy);
  const address = parseAddress(to.host);
  if (address.length === 4) return address[0]! > 0 && address[0]! < 224;
  // Neither multicast (ff00::/8) nor ::, an IPv4-mapped address or anything else in ::/8.
  return address[0] !== 0xff && address[0] !== 0;
}

/** Writes those of `contacts` that are of one family: 26 bytes each, or 38 (BEP 32). */
export function encodeContacts(
  contacts: readonly DhtContact[],
  family: Family,
): Uint8Array<ArrayBuffer> {
  return concat(
    ...contacts.filter(({ host }) => familyOf(host) === family).flatMap((
      contact,
    ) => [contact.id, compactPeer(contact)]),
  );
}

/**
 * Reads `nodes` or `nodes6`; what is not there is none. At most 16 are taken.
 *
 * @throws {ProtocolError} `krpc-malformed` if it is no string of whole contacts.
 */
export function decodeContacts(
  value: BencodeValue | undefined,
  family: Family,
): DhtContact[] {
  if (value === undefined) return [];
  const size = ID_BYTES + COMPACT_BYTES[family];
  if (!isBytes(value) || value.length % size !== 0) {
    throw new ProtocolError(
      "krpc-malformed",
      `Cannot read DHT message: nodes must be ${size} bytes each`,
    );
  }
  const contacts: DhtContact[] = [];
  for (
    let at = 0;
    at < value.length && contacts.length < MAX_NODES;
    at += size
  ) {
    const id = value.slice(at, at + ID_BYTES);
    contacts.push({ id, ...placeOf(value.subarray(at + ID_BYTES, at + size)) });
  }
  return contacts;
}

/** Reads `values`: peers of either family (BEP 32). What is no peer is left out, and so is what exceeds 200. */
export function decodePeers(value: BencodeValue | undefined): PeerEndpoint[] {
  if (!isList(value)) return [];
  return value.slice(0, MAX_PEERS).filter(isBytes).filter(({ length }) =>
    length === COMPACT_BYTES.ipv4 || length === COMPACT_BYTES.ipv6
  ).map(placeOf);
}

function placeOf(compact: Uint8Array): PeerEndpoint {
  const end = compact.length - 2;
  return {
    host: formatAddress(compact.subarray(0, end)),
    port: viewOf(compact).getUint16(end),
  };
}
