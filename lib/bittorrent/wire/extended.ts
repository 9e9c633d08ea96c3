import {
  formatAddress,
  parseAddress,
  unmapAddress,
} from "../../core/address.ts";
import { fromUtf8 } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import {
  type BencodeDictionary,
  type BencodeLimits,
  type BencodeValue,
  decodeBencode,
  encodeBencode,
  isBytes,
  isDictionary,
} from "../bencode.ts";

/** The extensions we speak, and the number by which each is known in messages to us (BEP 10). 0 is the extended handshake. */
export const OUR_EXTENSIONS = { ut_pex: 1, ut_metadata: 2 } as const;

/** See {@linkcode OUR_EXTENSIONS}. */
export type ExtensionName = keyof typeof OUR_EXTENSIONS;

/** Dictionaries of messages are small and flat; what is not is made to hurt. Programs differ in the order of keys. */
export const EXTENDED_LIMITS: BencodeLimits = {
  maxBytes: 64 * 1024,
  maxDepth: 8,
  maxValues: 1000,
  anyKeyOrder: true,
};
/** Characters of a client's name that are kept. */
const MAX_CLIENT_LENGTH = 48;
/** Requests a peer may say it keeps: more than anyone can use. */
const MAX_REQQ = 10_000;

/** What a peer tells of itself by the extended handshake (BEP 10, and BEP 9 and 21). What it did not say is not there. */
export interface ExtendedHandshake {
  /** The numbers by which messages to the peer name the extensions it speaks; 0: it no longer speaks it. */
  readonly extensions: Readonly<Partial<Record<ExtensionName, number>>>;
  /** The TCP port at which it takes connections. */
  readonly port?: number;
  /** Its program and version, without control characters. */
  readonly client?: string;
  /** The address at which it sees us. */
  readonly yourIp?: string;
  /** How many of our requests it keeps. */
  readonly reqq?: number;
  /** Length of the torrent's info dictionary, if it has that (BEP 9). */
  readonly metadataBytes?: number;
  /** It wants no pieces: a seed, or one that has all it wants (BEP 21). */
  readonly uploadOnly?: boolean;
}

/** Writes the payload of an extended handshake in which all of {@linkcode OUR_EXTENSIONS} are named, but for those in `without`. */
export function encodeExtendedHandshake(
  handshake: Omit<ExtendedHandshake, "extensions"> & {
    readonly without?: readonly ExtensionName[];
  },
): Uint8Array<ArrayBuffer> {
  const { without = [] } = handshake;
  return encodeBencode({
    m: Object.fromEntries(
      Object.entries(OUR_EXTENSIONS).filter(([name]) =>
        !without.includes(name as ExtensionName)
      ),
    ),
    metadata_size: handshake.metadataBytes,
    p: handshake.port,
    reqq: handshake.reqq,
    upload_only: handshake.uploadOnly ? 1 : undefined,
    v: handshake.client,
    yourip: handshake.yourIp === undefined
      ? undefined
      : unmapAddress(parseAddress(handshake.yourIp)),
  });
}

/**
 * Reads the payload of an extended handshake. Entries of a wrong type or range are left out like unknown ones, as clients differ.
 *
 * @throws {ProtocolError} `extended-malformed` if it is no dictionary, too deep or too long.
 */
export function decodeExtendedHandshake(
  payload: Uint8Array,
): ExtendedHandshake {
  const dictionary = decodeExtendedDictionary(payload);
  const names = dictionary.get("m");
  const extensions: Partial<Record<ExtensionName, number>> = {};
  for (const name of Object.keys(OUR_EXTENSIONS) as ExtensionName[]) {
    const id = isDictionary(names) ? integer(names.get(name), 0, 255) : null;
    if (id !== null) extensions[name] = id;
  }
  const uploadOnly = integer(dictionary.get("upload_only"), 0, 255);
  return {
    extensions,
    ...present("port", integer(dictionary.get("p"), 1, 65_535)),
    ...present("client", clientName(dictionary.get("v"))),
    ...present("yourIp", address(dictionary.get("yourip"))),
    ...present("reqq", integer(dictionary.get("reqq"), 1, MAX_REQQ)),
    ...present(
      "metadataBytes",
      integer(dictionary.get("metadata_size"), 1, Number.MAX_SAFE_INTEGER),
    ),
    ...present("uploadOnly", uploadOnly === null ? null : uploadOnly > 0),
  };
}

/** Reads the dictionary that an extended message is. @throws {ProtocolError} `extended-malformed` */
export function decodeExtendedDictionary(
  payload: Uint8Array,
): BencodeDictionary {
  try {
    const value = decodeBencode(payload, EXTENDED_LIMITS);
    if (isDictionary(value)) return value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw malformed(cause.message, cause);
  }
  throw malformed("must be a dictionary");
}

/** Returns the handshake that results when a peer says another one: what it does not repeat stays (BEP 10). */
export function mergeExtended(
  before: ExtendedHandshake | null,
  now: ExtendedHandshake,
): ExtendedHandshake {
  return {
    ...before,
    ...now,
    extensions: { ...before?.extensions, ...now.extensions },
  };
}

function malformed(why: string, cause?: unknown): ProtocolError {
  return new ProtocolError(
    "extended-malformed",
    `Cannot read extended message: ${why}`,
    { cause },
  );
}

function present<K extends string, V>(
  key: K,
  value: V | null,
): { readonly [key in K]?: V } {
  return value === null ? {} : { [key]: value } as { [key in K]: V };
}

function integer(
  value: BencodeValue | undefined,
  min: number,
  max: number,
): number | null {
  return typeof value === "number" && value >= min
    ? Math.min(value, max)
    : null;
}

/** A stranger's text: shown to people, so without what moves a cursor. */
function clientName(value: BencodeValue | undefined): string | null {
  if (!isBytes(value)) return null;
  const text = fromUtf8(value.subarray(0, 4 * MAX_CLIENT_LENGTH))
    .replace(/[\p{C}\uFFFD]/gu, "").trim().slice(0, MAX_CLIENT_LENGTH);
  return text === "" ? null : text;
}

function address(value: BencodeValue | undefined): string | null {
  return isBytes(value) && (value.length === 4 || value.length === 16)
    ? formatAddress(unmapAddress(value))
    : null;
}
