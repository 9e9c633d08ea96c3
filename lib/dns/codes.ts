/** Numbers of DNS record types that rolecall knows by name (IANA "DNS Parameters"; RFC 1035 §3.2.2 and later). */
export const RECORD_TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  CAA: 257,
  DNAME: 39,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

/** Further types that users write by name (IANA "DNS Parameters"); the data of most is bytes to rolecall (RFC 3597). */
export const OTHER_TYPES = {
  RP: 17,
  AFSDB: 18,
  LOC: 29,
  NAPTR: 35,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  URI: 256,
} as const;

const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(RECORD_TYPES),
  ...Object.entries(OTHER_TYPES),
]);

/** DNS classes: the Internet, and the one servers are asked about themselves in. */
export const CLASSES = { IN: 1, CH: 3, ANY: 255 } as const;

/** Response codes by number (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9). */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  NOTAUTH: 9,
  BADVERS: 16,
} as const;

/** The longest message over UDP without EDNS (RFC 1035 §4.2.1). */
export const PLAIN_UDP_BYTES = 512;

/** The longest answer sent and asked for over UDP: not fragmented anywhere in practice (DNS flag day 2020, RFC 9715 §3.1). */
export const EDNS_UDP_BYTES = 1232;

const TYPE_NAMES = new Map<number, string>(
  [...TYPE_NUMBERS].map(([name, type]) => [type, name]),
);
const RCODE_NAMES = new Map<number, string>(
  Object.entries(RCODES).map(([name, code]) => [code, name]),
);

/** Returns `A`, `MX` … or `TYPE666` for a type without a name here (RFC 3597 §5). */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** Returns the number of `A`, `mx`, `TYPE666`; undefined if it is none. */
export function typeNumber(text: string): number | undefined {
  const upper = text.toUpperCase();
  const known = TYPE_NUMBERS.get(upper);
  if (known !== undefined) return known;
  const match = /^TYPE([0-9]{1,5})$/.exec(upper);
  return match !== null && Number(match[1]) <= 0xffff
    ? Number(match[1])
    : undefined;
}

/** Whether records can have a type: not 0, which is nobody's, and not OPT and those of questions (RFC 6895 §3.1). */
export function isDataType(type: number): boolean {
  return type !== 0 && type !== RECORD_TYPES.OPT && (type < 128 || type > 255);
}

/** Returns `NXDOMAIN` and the like, or `RCODE9` for one without a name here. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}
