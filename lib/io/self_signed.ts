/**
 * A certificate that vouches for itself, for a classroom without a certificate authority: ECDSA on P-256, made of the
 * runtime's WebCrypto and the few lines of DER that X.509 (RFC 5280 §4.1) needs.
 */
import { concat, utf8 } from "../core/bytes.ts";

/** What a TLS server shows and proves: both in PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** How long it is good: a term. It begins a day early, for clocks that are behind. */
const GOOD_DAYS = 180;
const DAY_MS = 86_400_000;

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
/** Context-specific and constructed, with the number added. */
const CONTEXT = 0xa0;
/** Context-specific and primitive: the choices of a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const COMMON_NAME = [0x55, 0x04, 0x03];
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];

/**
 * Makes a key and a certificate for `localhost`, loopback and these host names.
 *
 * @param wallMs Now, milliseconds since 1970.
 */
export async function selfSigned(
  names: readonly string[],
  wallMs: number,
): Promise<TlsIdentity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]);
  const publicKey = new Uint8Array(
    await crypto.subtle.exportKey("spki", keys.publicKey),
  );
  const signer = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const toSign = contents(publicKey, { names, wallMs, signer });
  const raw = new Uint8Array(
    await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      keys.privateKey,
      toSign,
    ),
  );
  const signature = der(
    SEQUENCE,
    positive(raw.subarray(0, 32)),
    positive(raw.subarray(32)),
  );
  const certificate = der(
    SEQUENCE,
    toSign,
    signer,
    der(BIT_STRING, Uint8Array.of(0), signature),
  );
  const key = new Uint8Array(
    await crypto.subtle.exportKey("pkcs8", keys.privateKey),
  );
  return {
    certificate: pem("CERTIFICATE", certificate),
    key: pem("PRIVATE KEY", key),
  };
}

/** What is signed: the TBSCertificate. */
function contents(publicKey: Uint8Array, { names, wallMs, signer }: {
  readonly names: readonly string[];
  readonly wallMs: number;
  readonly signer: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const name = der(
    SEQUENCE,
    der(
      SET,
      der(SEQUENCE, oid(COMMON_NAME), der(UTF8_STRING, utf8("rolecall"))),
    ),
  );
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0]! &= 0x7f;
  serial[0]! |= 0x40;
  return der(
    SEQUENCE,
    der(CONTEXT, der(INTEGER, Uint8Array.of(2))),
    der(INTEGER, serial),
    signer,
    name,
    der(
      SEQUENCE,
      time(wallMs - DAY_MS),
      time(wallMs + GOOD_DAYS * DAY_MS),
    ),
    name,
    publicKey,
    der(CONTEXT + 3, der(SEQUENCE, alternatives(names))),
  );
}

function alternatives(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const loopback6 = new Uint8Array(16);
  loopback6[15] = 1;
  const all = der(
    SEQUENCE,
    ...[...new Set(["localhost", ...names])].map((name) =>
      der(DNS_NAME, utf8(name))
    ),
    der(IP_ADDRESS, Uint8Array.of(127, 0, 0, 1)),
    der(IP_ADDRESS, loopback6),
  );
  return der(SEQUENCE, oid(SUBJECT_ALT_NAME), der(OCTET_STRING, all));
}

/** Tag, length (X.690 §8.1.3), contents. */
function der(
  tag: number,
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const content = concat(...parts);
  const { length } = content;
  const size = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : [0x82, length >> 8, length & 255];
  return concat(Uint8Array.of(tag, ...size), content);
}

function oid(bytes: readonly number[]): Uint8Array<ArrayBuffer> {
  return der(OBJECT_IDENTIFIER, Uint8Array.from(bytes));
}

/** An INTEGER that is not negative: without zeros before it, but one where the sign would be set. */
function positive(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(first < 0 ? bytes.length - 1 : first);
  return digits[0]! < 128
    ? der(INTEGER, digits)
    : der(INTEGER, Uint8Array.of(0), digits);
}

/** `YYMMDDhhmmssZ`: good until 2049 (RFC 5280 §4.1.2.5). */
function time(wallMs: number): Uint8Array<ArrayBuffer> {
  const digits = new Date(wallMs).toISOString().replace(/\D/g, "");
  return der(UTC_TIME, utf8(`${digits.slice(2, 14)}Z`));
}

function pem(what: string, bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n");
  return `-----BEGIN ${what}-----\n${text.trim()}\n-----END ${what}-----\n`;
}
