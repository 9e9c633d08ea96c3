import { CLASSES, RCODES, RECORD_TYPES } from "./codes.ts";
import { clientSubnetFault, OPTIONS } from "./edns.ts";
import { MAX_LABEL_BYTES, MAX_NAME_BYTES } from "./name.ts";

/** RFC 7873 §4: a client's cookie, and then a server's if there is one. */
const CLIENT_COOKIE_BYTES = 8;
const MIN_BOTH_COOKIES_BYTES = 16;
const MAX_BOTH_COOKIES_BYTES = 40;

/**
 * Reads what a server needs of a query, on the redirector's hot path: one object for all queries, nothing copied.
 *
 * The rest of a query is only checked to be there. What is wrong is answered as other name servers answer it
 * (docs/protocols/dns.md has the table); nothing is thrown.
 */
export class QueryReader {
  /** Where the question's type stands: the name is from 12 up to here; 0 if there is no question that can be read. */
  nameEnd = 0;
  type = 0;
  class = 0;
  hasEdns = false;
  /** The longest answer the sender takes over UDP, if it has EDNS. */
  udpBytes = 0;
  dnssecOk = false;
  /** Where the data of Client Subnet stands, and its length; 0 without that option. */
  subnetAt = 0;
  subnetBytes = 0;
  /** Where the cookies stand, and how long they are; 0 without. */
  cookieAt = 0;
  cookieBytes = 0;
  /** The sender wants to know how long a connection may be idle (RFC 7828). */
  asksKeepalive = false;
  readonly #ipv4 = new Uint8Array(4);
  readonly #ipv6 = new Uint8Array(16);

  /**
   * Reads a message. Returns the response code that ends the matter, `NOERROR` if an answer should be looked for,
   * or -1 if the message deserves none: it is too short to have an id, or an answer itself.
   */
  read(bytes: Uint8Array): number {
    this.#forget();
    if (bytes.length < 12) return -1;
    const flags = bytes[2] ?? 0;
    // Answering answers would let two servers talk for ever
    if ((flags & 0x80) !== 0) return -1;
    const verdict = this.#read(bytes);
    if ((flags & 0x78) === 0) return verdict;
    // Another opcode may mean another form; what looks like a question and EDNS comes back, so that the asker knows its own
    if (verdict !== RCODES.NOERROR) this.#forget();
    return RCODES.NOTIMP;
  }

  /** Whether the class is one the zones answer in. */
  get isInternet(): boolean {
    return this.class === CLASSES.IN || this.class === CLASSES.ANY;
  }

  /** The client's network by its resolver's account, good until the next query; undefined if it gave none, or wants it not to be used (0 bits). */
  subnet(query: Uint8Array): Uint8Array | undefined {
    const { subnetAt, subnetBytes } = this;
    if (subnetBytes <= 4) return undefined;
    const bytes = query[subnetAt + 1] === 1 ? this.#ipv4 : this.#ipv6;
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = at < subnetBytes - 4 ? query[subnetAt + 4 + at]! : 0;
    }
    return bytes;
  }

  #forget(): void {
    this.nameEnd = 0;
    this.hasEdns = false;
    this.dnssecOk = false;
    this.#forgetOptions();
  }

  #forgetOptions(): void {
    this.subnetAt = 0;
    this.subnetBytes = 0;
    this.cookieAt = 0;
    this.cookieBytes = 0;
    this.asksKeepalive = false;
  }

  #read(bytes: Uint8Array): number {
    const questions = u16(bytes, 4);
    // RFC 9619: one question, or none by who only wants a cookie (RFC 7873 §5.4)
    if (questions > 1) return RCODES.FORMERR;
    let at = 12;
    if (questions === 1) {
      const nameEnd = this.#questionEnd(bytes);
      if (nameEnd < 0 || nameEnd + 4 > bytes.length) return RCODES.FORMERR;
      this.nameEnd = nameEnd;
      this.type = u16(bytes, nameEnd);
      this.class = u16(bytes, nameEnd + 2);
      at = nameEnd + 4;
    }
    const verdict = this.#records(bytes, at);
    return questions === 0 && this.cookieBytes === 0 ? RCODES.FORMERR : verdict;
  }

  #questionEnd(bytes: Uint8Array): number {
    for (let at = 12;;) {
      const length = bytes[at];
      // There is nothing before the question that a pointer could lead to
      if (length === undefined || length > MAX_LABEL_BYTES) return -1;
      at += 1 + length;
      if (at - 12 > MAX_NAME_BYTES) return -1;
      if (length === 0) return at;
    }
  }

  #records(bytes: Uint8Array, from: number): number {
    const before = u16(bytes, 6) + u16(bytes, 8);
    const count = before + u16(bytes, 10);
    let at = from;
    for (let index = 0; index < count; index++) {
      const start = at;
      at = skipName(bytes, at);
      if (at < 0 || at + 10 > bytes.length) return RCODES.FORMERR;
      const end = at + 10 + u16(bytes, at + 8);
      if (end > bytes.length) return RCODES.FORMERR;
      if (u16(bytes, at) === RECORD_TYPES.OPT) {
        // RFC 6891 §6.1.1: one, of the root, in the additional section
        if (this.hasEdns || bytes[start] !== 0 || index < before) {
          this.#forgetOptions();
          return RCODES.FORMERR;
        }
        const rcode = this.#opt(bytes, at, end);
        if (rcode !== RCODES.NOERROR) return rcode;
      }
      at = end;
    }
    return RCODES.NOERROR;
  }

  #opt(bytes: Uint8Array, at: number, end: number): number {
    this.hasEdns = true;
    this.udpBytes = u16(bytes, at + 2);
    this.dnssecOk = ((bytes[at + 6] ?? 0) & 0x80) !== 0;
    // What follows may mean something else in another version
    if ((bytes[at + 5] ?? 0) !== 0) return RCODES.BADVERS;
    if (this.#options(bytes, at + 10, end)) return RCODES.NOERROR;
    this.#forgetOptions();
    return RCODES.FORMERR;
  }

  /** Reads the options; unknown ones are skipped (RFC 6891 §6.1.2), and of two equal ones the first counts. */
  #options(bytes: Uint8Array, from: number, end: number): boolean {
    for (let at = from; at < end;) {
      if (at + 4 > end) return false;
      const code = u16(bytes, at);
      const length = u16(bytes, at + 2);
      at += 4;
      if (at + length > end) return false;
      if (code === OPTIONS.CLIENT_SUBNET && this.subnetAt === 0) {
        // RFC 7871 §7.1.2: a query's scope is 0
        const fault = clientSubnetFault(bytes, at, length);
        if (fault !== undefined || bytes[at + 3] !== 0) return false;
        this.subnetAt = at;
        this.subnetBytes = length;
      } else if (code === OPTIONS.COOKIE && this.cookieAt === 0) {
        // RFC 7873 §5.2.2: another length is FORMERR
        const isWhole = length === CLIENT_COOKIE_BYTES ||
          (length >= MIN_BOTH_COOKIES_BYTES &&
            length <= MAX_BOTH_COOKIES_BYTES);
        if (!isWhole) return false;
        this.cookieAt = at;
        this.cookieBytes = length;
      } else if (code === OPTIONS.TCP_KEEPALIVE) this.asksKeepalive = true;
      at += length;
    }
    return true;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
}

/** Returns where a name that may end in a pointer ends; -1 if it does not. */
function skipName(bytes: Uint8Array, from: number): number {
  for (let at = from;;) {
    const length = bytes[at];
    if (length === undefined) return -1;
    if (length >= 0xc0) return at + 2;
    if (length > MAX_LABEL_BYTES) return -1;
    at += 1 + length;
    if (length === 0) return at;
  }
}
