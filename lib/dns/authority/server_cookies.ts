/**
 * DNS cookies (RFC 7873) in the form that servers of different make share (RFC 9018): version 1, time, and a SipHash-2-4
 * of the client's cookie, the time and the client's address under a secret key. Who sends one back has received it at
 * that address, so it is not somebody whom the answer is to flood.
 */
import { SipHash } from "../../core/siphash.ts";

/** RFC 9018 §4: a server's cookie, and the client's before it. */
const CLIENT_BYTES = 8;
const SERVER_BYTES = 16;
/** A client's cookie with a server's of ours. */
export const BOTH_COOKIES_BYTES: number = CLIENT_BYTES + SERVER_BYTES;

/** RFC 9018 §4.3: how old a cookie may be, how far ahead the clock it was made by, and when it is replaced. */
const MAX_AGE_SECONDS = 3600;
const MAX_AHEAD_SECONDS = 300;
const RENEWAL_SECONDS = 1800;

/** Who sent a cookie, and when it came. */
export interface CookieSender {
  /** 4 bytes or 16. */
  readonly address: Uint8Array;
  /** Since 1970. */
  readonly wallSeconds: number;
}

/** Makes and checks cookies under one key. */
export class ServerCookies {
  readonly #hash: SipHash;
  /** Client's cookie, version, reserved bytes, time, address. */
  readonly #input = new Uint8Array(CLIENT_BYTES + 8 + 16);

  /** @param key 16 bytes that nobody else knows. */
  constructor(key: Uint8Array) {
    this.#hash = new SipHash(key, { rounds: 2, finalRounds: 4 });
  }

  /** Returns the age of our cookie in `cookies`, a client's and a server's, in seconds; undefined if it is not ours or too old. */
  age(cookies: Uint8Array, sender: CookieSender): number | undefined {
    if (cookies.length !== BOTH_COOKIES_BYTES || cookies[8] !== 1) {
      return undefined;
    }
    const seconds = readU32(cookies, 12);
    // RFC 9018 §4.3: serial number arithmetic, so that 2106 does no harm
    const age = (sender.wallSeconds - seconds) | 0;
    if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return undefined;
    this.#digest(cookies, sender.address);
    const isOurs = readU32(cookies, 16) === swapped(this.#hash.low) &&
      readU32(cookies, 20) === swapped(this.#hash.high);
    return isOurs ? age : undefined;
  }

  /**
   * Puts the server's cookie for the client's that `cookies` starts with after it; one that `age` says is young stays.
   *
   * @param cookies 24 bytes. @param age What {@linkcode ServerCookies.age} said.
   */
  renew(
    cookies: Uint8Array,
    age: number | undefined,
    sender: CookieSender,
  ): void {
    if (age !== undefined && age < RENEWAL_SECONDS) return;
    cookies.set([1, 0, 0, 0], CLIENT_BYTES);
    writeU32(cookies, 12, sender.wallSeconds);
    this.#digest(cookies, sender.address);
    writeU32(cookies, 16, swapped(this.#hash.low));
    writeU32(cookies, 20, swapped(this.#hash.high));
  }

  #digest(cookies: Uint8Array, address: Uint8Array): void {
    this.#input.set(cookies.subarray(0, 16));
    this.#input.set(address, 16);
    this.#hash.update(this.#input, 16 + address.length);
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) |
    (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The hash is written lowest byte first. */
function swapped(value: number): number {
  return ((value & 0xff) << 24 | (value & 0xff00) << 8 |
    (value >>> 8 & 0xff00) | value >>> 24) >>> 0;
}
