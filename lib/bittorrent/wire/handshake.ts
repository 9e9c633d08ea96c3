import { concat, equalBytes, utf8 } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";

/** Bytes of a handshake: 1 + 19 + 8 + 20 + 20. */
export const HANDSHAKE_BYTES = 68;

const PROTOCOL = utf8("\x13BitTorrent protocol");

/** Who is calling and about which torrent (BEP 3). */
export interface Handshake {
  /** 8 bytes; a set bit announces an extension. */
  readonly reserved: Uint8Array;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/** What a peer can do beyond BEP 3, as the reserved bytes of its handshake tell. Only what both sides announce is used. */
export interface PeerFeatures {
  /** The extension protocol (BEP 10). */
  readonly extended: boolean;
  /** The fast extension (BEP 6). */
  readonly fast: boolean;
  /** It is a node of the DHT and says its UDP port by a `port` message (BEP 5). */
  readonly dht: boolean;
  /** It can speak v2 although the handshake is about the v1 hash of a hybrid torrent (BEP 52). */
  readonly v2: boolean;
}

/** Which bit of which reserved byte stands for what. */
const FEATURE_BITS: Readonly<
  Record<keyof PeerFeatures, { readonly byte: number; readonly bit: number }>
> = {
  extended: { byte: 5, bit: 0x10 },
  fast: { byte: 7, bit: 0x04 },
  dht: { byte: 7, bit: 0x01 },
  v2: { byte: 7, bit: 0x10 },
};

/** Returns the 8 reserved bytes that announce `features`; what is left out is not announced. */
export function encodeFeatures(
  features: Partial<PeerFeatures>,
): Uint8Array<ArrayBuffer> {
  const reserved = new Uint8Array(8);
  for (const [name, { byte, bit }] of Object.entries(FEATURE_BITS)) {
    if (features[name as keyof PeerFeatures]) reserved[byte]! |= bit;
  }
  return reserved;
}

/** Reads reserved bytes; bits we do not know say nothing. */
export function decodeFeatures(reserved: Uint8Array): PeerFeatures {
  const has = (name: keyof PeerFeatures) =>
    ((reserved[FEATURE_BITS[name].byte] ?? 0) & FEATURE_BITS[name].bit) !== 0;
  return {
    extended: has("extended"),
    fast: has("fast"),
    dht: has("dht"),
    v2: has("v2"),
  };
}

/** Returns what both sides announce. */
export function commonFeatures(
  ours: Partial<PeerFeatures>,
  theirs: PeerFeatures,
): PeerFeatures {
  const both = (name: keyof PeerFeatures) =>
    ours[name] === true && theirs[name];
  return {
    extended: both("extended"),
    fast: both("fast"),
    dht: both("dht"),
    v2: both("v2"),
  };
}

/** Returns the handshake's 68 bytes. @throws {RangeError} If a hash, id or the reserved bytes have a wrong length. */
export function encodeHandshake(
  handshake: Omit<Handshake, "reserved"> & { readonly reserved?: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const { infoHash, peerId, reserved = new Uint8Array(8) } = handshake;
  if (
    infoHash.length !== 20 || peerId.length !== 20 || reserved.length !== 8
  ) {
    throw new RangeError(
      `Cannot encode handshake: must have 8, 20 and 20 bytes, got ${reserved.length}, ${infoHash.length} and ${peerId.length}`,
    );
  }
  return concat(PROTOCOL, reserved, infoHash, peerId);
}

/**
 * Reads the 68 bytes of a handshake.
 *
 * @throws {ProtocolError} `handshake-not-bittorrent` as soon as the bytes cannot become a handshake.
 */
export function decodeHandshake(bytes: Uint8Array): Handshake {
  checkProtocol(bytes);
  if (bytes.length !== HANDSHAKE_BYTES) {
    throw new ProtocolError(
      "handshake-bad-length",
      `Cannot read handshake: must have ${HANDSHAKE_BYTES} bytes, got ${bytes.length}`,
    );
  }
  return {
    reserved: bytes.slice(20, 28),
    infoHash: bytes.slice(28, 48),
    peerId: bytes.slice(48, 68),
  };
}

/** Refuses what does not begin like a handshake, however little is there. @throws {ProtocolError} `handshake-not-bittorrent`. */
export function checkProtocol(bytes: Uint8Array): void {
  const head = bytes.subarray(0, PROTOCOL.length);
  if (!equalBytes(head, PROTOCOL.subarray(0, head.length))) {
    throw new ProtocolError(
      "handshake-not-bittorrent",
      "Cannot read handshake: must begin with byte 19 and the words BitTorrent protocol (a client that tries encryption first comes again without)",
      { offset: 0 },
    );
  }
}
