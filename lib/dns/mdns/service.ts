/**
 * Multicast DNS (RFC 6762) and DNS service discovery (RFC 6763): how a role is written down on the link, so that it is
 * found by `rolecall roster`, and as well by `avahi-browse _rolecall._tcp`, `dns-sd -B _rolecall._tcp` and their like.
 */
import { isAddress, parseAddress } from "../../core/address.ts";
import { concat, fromUtf8, utf8 } from "../../core/bytes.ts";
import { CLASSES, RECORD_TYPES } from "../codes.ts";
import type { DnsMessage, DnsQuestion, DnsRecord } from "../message.ts";
import { isWithin, type Name, nameEnd, parseName } from "../name.ts";

/** Where all of mDNS is sent (RFC 6762 §3). */
export const MDNS_GROUP = { host: "224.0.0.251", port: 5353 } as const;
/** All roles are of this type, whatever transport they have: their TXT record says which. */
export const SERVICE_TYPE: Name = parseName("_rolecall._tcp.local.");
/** Asking for its PTR records gives the types of services there are (RFC 6763 §9). */
export const ALL_TYPES: Name = parseName("_services._dns-sd._udp.local.");
/**
 * How long records hold, in seconds. RFC 6762 §10 recommends 75 minutes for those without an address; here whoever ends
 * without a goodbye is to be forgotten after two minutes.
 */
export const TTL_SECONDS = 120;
/** Of a record's class: it is the only one of its name and type; what is cached beside it goes (RFC 6762 §10.2). */
export const CACHE_FLUSH = 0x8000;
/** Of a question's class: the answer may come by unicast (RFC 6762 §5.4). */
export const UNICAST_WANTED = 0x8000;
/** Longest label (RFC 1035 §2.3.4). */
const MAX_LABEL_BYTES = 63;
/** Longest string of a TXT record. */
const MAX_STRING_BYTES = 255;

/** What a machine on the link is told by its driver. */
export type LinkInput =
  | { readonly kind: "start" }
  | {
    readonly kind: "datagram";
    readonly bytes: Uint8Array;
    readonly from: { readonly host: string; readonly port: number };
  }
  | { readonly kind: "timeout" };

/** One service as it is announced. */
export interface Service {
  /** How people see it; any text (RFC 6763 §4.1.1). */
  readonly label: string;
  /** The first label of the host's name in `local`; no other host has it. */
  readonly hostLabel: string;
  /** 0 if it has no socket of its own. */
  readonly port: number;
  /** What the TXT record says, `key=value` each (RFC 6763 §6). */
  readonly texts: ReadonlyMap<string, string>;
}

/** The full name of an instance. Too long a label is cut, never inside a character. */
export function instanceName(label: string): Name {
  return concat(labelBytes(label), SERVICE_TYPE);
}

/** The instance's label, if `name` is one of our type; otherwise undefined. */
export function labelOf(name: Uint8Array): string | undefined {
  const length = name[0] ?? 0;
  const isInstance = name.length === SERVICE_TYPE.length + length + 1 &&
    length > 0 && isWithin(name, SERVICE_TYPE);
  return isInstance ? fromUtf8(name.subarray(1, length + 1)) : undefined;
}

/**
 * The label that follows when another has taken this one: `edge`, `edge (2)`, `edge (3)` (RFC 6763, appendix D).
 *
 * @param step By how much the number goes up.
 */
export function nextLabel(label: string, step = 1): string {
  const match = /^(.*) \(([0-9]{1,4})\)$/s.exec(label);
  const suffix = ` (${(match === null ? 1 : Number(match[2])) + step})`;
  const room = MAX_LABEL_BYTES - suffix.length;
  return cut(match?.[1] ?? label, room) + suffix;
}

/** The PTR record that lists the instance under its type. */
export function pointerOf(service: Service): DnsRecord {
  return record(SERVICE_TYPE, RECORD_TYPES.PTR, instanceName(service.label));
}

/** The PTR record that lists the type. */
export function typeRecord(): DnsRecord {
  return record(ALL_TYPES, RECORD_TYPES.PTR, SERVICE_TYPE);
}

/** The records nobody else has: where the instance is, and what it says of itself. */
export function ownRecords(service: Service): readonly DnsRecord[] {
  const name = instanceName(service.label);
  const { port } = service;
  const target = hostName(service);
  const place = Uint8Array.of(0, 0, 0, 0, port >> 8, port & 0xff);
  return [
    unique(name, RECORD_TYPES.SRV, concat(place, target)),
    unique(name, RECORD_TYPES.TXT, textBytes(service.texts)),
  ];
}

/** The host's address records: of the interface by which they are sent. */
export function addressRecords(
  service: Service,
  addresses: readonly string[],
): readonly DnsRecord[] {
  const name = hostName(service);
  return addresses.filter(isAddress).map((text) => {
    const bytes = parseAddress(text);
    const type = bytes.length === 4 ? RECORD_TYPES.A : RECORD_TYPES.AAAA;
    return unique(name, type, bytes);
  });
}

/** The host's full name. */
export function hostName({ hostLabel }: Service): Name {
  return concat(labelBytes(hostLabel), parseName("local."));
}

/** What a TXT record says; keys in lower case, the first of each counts (RFC 6763 §6.4). */
export function readTexts(rdata: Uint8Array): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (let at = 0; at < rdata.length; at += 1 + rdata[at]!) {
    const text = fromUtf8(rdata.subarray(at + 1, at + 1 + rdata[at]!));
    const equals = text.indexOf("=");
    if (equals < 1) continue;
    const key = text.slice(0, equals).toLowerCase();
    if (!texts.has(key)) texts.set(key, text.slice(equals + 1));
  }
  return texts;
}

/** What an SRV record says: port and host. */
export function readPlace(
  rdata: Uint8Array,
): { readonly port: number; readonly host: Uint8Array } {
  return {
    port: (rdata[4] ?? 0) << 8 | (rdata[5] ?? 0),
    host: rdata.subarray(6, 6 + nameEnd(rdata.subarray(6))),
  };
}

/** A message of mDNS: id 0, no bits but QR and AA (RFC 6762 §18). */
export function mdnsMessage(
  parts: {
    readonly questions?: readonly DnsQuestion[];
    readonly answers?: readonly DnsRecord[];
    readonly authorities?: readonly DnsRecord[];
    readonly additionals?: readonly DnsRecord[];
    readonly isResponse?: boolean;
  },
): DnsMessage {
  const { isResponse = false } = parts;
  return {
    id: 0,
    opcode: 0,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    rcode: 0,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
    ...parts,
    isResponse,
    authoritative: isResponse,
  };
}

function record(
  name: Name,
  type: number,
  rdata: Uint8Array<ArrayBuffer>,
): DnsRecord {
  return { name, type, class: CLASSES.IN, ttlSeconds: TTL_SECONDS, rdata };
}

function unique(
  name: Name,
  type: number,
  rdata: Uint8Array<ArrayBuffer>,
): DnsRecord {
  return { ...record(name, type, rdata), class: CLASSES.IN | CACHE_FLUSH };
}

function labelBytes(label: string): Uint8Array<ArrayBuffer> {
  const bytes = utf8(cut(label, MAX_LABEL_BYTES));
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** As many of the first characters as fit `bytes`. */
function cut(text: string, bytes: number): string {
  let kept = "";
  let room = bytes;
  for (const character of text) {
    room -= utf8(character).length;
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

function textBytes(
  texts: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const strings = [...texts].map(([key, value]) =>
    utf8(cut(`${key}=${value}`, MAX_STRING_BYTES))
  );
  // RFC 6763 §6.1: one with nothing to say holds one empty string.
  if (strings.length === 0) return Uint8Array.of(0);
  return concat(
    ...strings.flatMap((bytes) => [Uint8Array.of(bytes.length), bytes]),
  );
}
