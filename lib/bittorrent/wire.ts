import { concat, equalBytes, utf8, viewOf } from "../core/bytes.ts";
import { ProtocolError } from "../core/errors.ts";

/** What is asked for at a time: 16 KiB, which every client serves (BEP 3: larger requests are dropped by many). */
export const BLOCK_BYTES = 16 * 1024;
/** Bytes of a handshake: 1 + 19 + 8 + 20 + 20. */
export const HANDSHAKE_BYTES = 68;
/** Bytes before the data of a `piece` message: length, id, index, begin. */
export const PIECE_HEADER_BYTES = 13;
/** Largest block a peer may ask of us; mainline's limit was 128 KiB. */
export const MAX_REQUEST_BYTES = 128 * 1024;
/** Messages we do not know (extensions) are skipped up to this length; what is longer is an attack or another protocol. */
const MAX_UNKNOWN_BYTES = 64 * 1024;

const PROTOCOL = utf8("\x13BitTorrent protocol");

/** Who is calling and about which torrent (BEP 3). */
export interface Handshake {
  /** 8 bytes; a set bit announces an extension. */
  readonly reserved: Uint8Array;
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
}

/** A part of a piece. */
export interface BlockRef {
  readonly pieceIndex: number;
  /** Offset in the piece. */
  readonly begin: number;
  readonly lengthBytes: number;
}

/** What a peer can say after the handshake (BEP 3). `unknown` are extensions we did not announce: skipped. */
export type WireMessage =
  | { readonly kind: "keep-alive" }
  | { readonly kind: "choke" }
  | { readonly kind: "unchoke" }
  | { readonly kind: "interested" }
  | { readonly kind: "not-interested" }
  | { readonly kind: "have"; readonly pieceIndex: number }
  | { readonly kind: "bitfield"; readonly bytes: Uint8Array }
  | ({ readonly kind: "request" } & BlockRef)
  | {
    readonly kind: "piece";
    readonly pieceIndex: number;
    readonly begin: number;
    /** A view of the received bytes, good until the decoder's next `push`. */
    readonly block: Uint8Array;
  }
  | ({ readonly kind: "cancel" } & BlockRef)
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "unknown"; readonly id: number };

const ID = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  "not-interested": 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
} as const;

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

/** Refuses what does not begin like a handshake, however little is there. */
function checkProtocol(bytes: Uint8Array): void {
  const head = bytes.subarray(0, PROTOCOL.length);
  if (!equalBytes(head, PROTOCOL.subarray(0, head.length))) {
    throw new ProtocolError(
      "handshake-not-bittorrent",
      "Cannot read handshake: must begin with byte 19 and the words BitTorrent protocol (a client that tries encryption first comes again without)",
      { offset: 0 },
    );
  }
}

/** What {@linkcode encodeMessage} writes; `piece` is written by {@linkcode writePieceHeader}. */
export type EncodableMessage = Exclude<
  WireMessage,
  { readonly kind: "unknown" | "piece" }
>;

/** Returns the bytes of a message, with its length in front. */
export function encodeMessage(
  message: EncodableMessage,
): Uint8Array<ArrayBuffer> {
  switch (message.kind) {
    case "keep-alive":
      return new Uint8Array(4);
    case "have":
      return numbers(ID.have, message.pieceIndex);
    case "request":
    case "cancel":
      return numbers(
        ID[message.kind],
        message.pieceIndex,
        message.begin,
        message.lengthBytes,
      );
    case "bitfield":
      return concat(head(1 + message.bytes.length, ID.bitfield), message.bytes);
    case "port":
      return Uint8Array.of(
        0,
        0,
        0,
        3,
        ID.port,
        message.port >> 8,
        message.port,
      );
    default:
      return head(1, ID[message.kind]);
  }
}

/** Writes the 13 bytes that stand before a block's data at `offset` of `buffer`. */
export function writePieceHeader(
  buffer: Uint8Array,
  offset: number,
  block: BlockRef,
): void {
  const view = new DataView(buffer.buffer, buffer.byteOffset + offset, 13);
  view.setUint32(0, 9 + block.lengthBytes);
  view.setUint8(4, ID.piece);
  view.setUint32(5, block.pieceIndex);
  view.setUint32(9, block.begin);
}

function head(length: number, id: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5);
  viewOf(bytes).setUint32(0, length);
  bytes[4] = id;
  return bytes;
}

function numbers(
  id: number,
  ...values: readonly number[]
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + 4 * values.length);
  const view = viewOf(bytes);
  view.setUint32(0, 1 + 4 * values.length);
  bytes[4] = id;
  for (const [at, value] of values.entries()) view.setUint32(5 + 4 * at, value);
  return bytes;
}

/**
 * Cuts a peer's byte stream into a handshake and messages. Feed it any split of the stream: the result is the same.
 *
 * Blocks come as views of what was pushed; only a message that lies across two pushes is copied together first.
 */
export class WireDecoder {
  readonly #maxBitfieldBytes: number;
  /** The beginning of a message whose rest is still to come. */
  #pending: Uint8Array<ArrayBuffer> = new Uint8Array(HANDSHAKE_BYTES);
  #pendingLength = 0;
  #handshake: Handshake | null = null;
  /** Bytes of a message nobody wants that are still to come. */
  #skip = 0;

  /** @param options.pieceCount Bounds the length of a `bitfield`. */
  constructor(options: { readonly pieceCount: number }) {
    this.#maxBitfieldBytes = Math.ceil(options.pieceCount / 8);
  }

  /** The other side's handshake, as soon as it is complete. */
  get handshake(): Handshake | null {
    return this.#handshake;
  }

  /**
   * Takes the next bytes of the stream and returns the messages they complete.
   *
   * @throws {ProtocolError} `handshake-not-bittorrent`, `wire-too-long`, `wire-bad-length`. The decoder is unusable afterwards.
   */
  push(bytes: Uint8Array): WireMessage[] {
    const messages: WireMessage[] = [];
    let at = this.#handshake === null ? this.#pushHandshake(bytes) : 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else if (this.#pendingLength > 0) {
        at = this.#pushPending(bytes, at, messages);
      } else at = this.#pushWhole(bytes, at, messages);
    }
    return messages;
  }

  /** Returns how many bytes the handshake took. */
  #pushHandshake(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, HANDSHAKE_BYTES - this.#pendingLength);
    this.#keep(bytes.subarray(0, taken));
    const got = this.#pending.subarray(0, this.#pendingLength);
    checkProtocol(got);
    if (got.length < HANDSHAKE_BYTES) return taken;
    this.#handshake = decodeHandshake(got);
    this.#pendingLength = 0;
    return taken;
  }

  /** Reads a message that begins at `at` straight from the input, or keeps its beginning. */
  #pushWhole(bytes: Uint8Array, at: number, messages: WireMessage[]): number {
    const left = bytes.length - at;
    if (left >= 5 || (left === 4 && lengthAt(bytes, at) === 0)) {
      const length = lengthAt(bytes, at);
      if (length === 0) {
        messages.push({ kind: "keep-alive" });
        return at + 4;
      }
      const id = bytes[at + 4]!;
      this.#check(length, id);
      if (id > ID.port) {
        messages.push({ kind: "unknown", id });
        this.#skip = length - 1;
        return at + 5;
      }
      if (left >= 4 + length) {
        messages.push(decodeBody(bytes.subarray(at + 4, at + 4 + length)));
        return at + 4 + length;
      }
    }
    this.#keep(bytes.subarray(at));
    return bytes.length;
  }

  /** Completes the kept beginning of a message with no more of the input than it needs. */
  #pushPending(bytes: Uint8Array, at: number, messages: WireMessage[]): number {
    const have = this.#pendingLength;
    let want = 5;
    if (have >= 4) {
      const length = lengthAt(this.#pending, 0);
      // An unknown message is skipped as soon as its id is there, so `want` stays 5 for it.
      if (length === 0) want = 4;
      else if (have >= 5) want = 4 + length;
    } else want = 4;
    const taken = Math.min(want - have, bytes.length - at);
    this.#keep(bytes.subarray(at, at + taken));
    if (this.#pendingLength < want || this.#pendingLength < 4) {
      return at + taken;
    }
    const length = lengthAt(this.#pending, 0);
    if (this.#pendingLength < 5 && length > 0) return at + taken;
    // Blocks are views of the kept bytes: they are overwritten by the next message that is kept, not by this push's rest.
    const whole = this.#pending.subarray(0, this.#pendingLength);
    this.#pendingLength = 0;
    this.#pushWhole(whole, 0, messages);
    if (this.#pendingLength === 0) {
      this.#pending = new Uint8Array(HANDSHAKE_BYTES);
    }
    return at + taken;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#pendingLength + bytes.length;
    if (length > this.#pending.length) {
      const wanted = this.#pendingLength >= 4
        ? 4 + lengthAt(this.#pending, 0)
        : bytes.length >= 4
        ? 4 + lengthAt(bytes, 0)
        : length;
      const larger = new Uint8Array(Math.max(length, wanted));
      larger.set(this.#pending.subarray(0, this.#pendingLength));
      this.#pending = larger;
    }
    this.#pending.set(bytes, this.#pendingLength);
    this.#pendingLength = length;
  }

  #check(length: number, id: number): void {
    const fixed = FIXED_LENGTHS[id];
    const max = id === ID.piece
      ? 9 + BLOCK_BYTES
      : id === ID.bitfield
      ? 1 + this.#maxBitfieldBytes
      : fixed ?? MAX_UNKNOWN_BYTES;
    if (length > max) {
      throw new ProtocolError(
        "wire-too-long",
        `Cannot read peer message ${id}: must be at most ${max} bytes, got ${length}`,
      );
    }
    if (
      (fixed !== undefined && length !== fixed) ||
      (id === ID.piece && length < 10)
    ) {
      throw new ProtocolError(
        "wire-bad-length",
        `Cannot read peer message ${id}: must have ${
          fixed ?? "at least 10"
        } bytes, got ${length}`,
      );
    }
  }
}

/** Length of the messages that have one length only, by id. */
const FIXED_LENGTHS: readonly (number | undefined)[] = [
  1,
  1,
  1,
  1,
  5,
  undefined,
  13,
  undefined,
  13,
  3,
];

function lengthAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) +
    bytes[at + 3]!;
}

/** Reads a message from its id on; its length has been checked. */
function decodeBody(body: Uint8Array): WireMessage {
  const view = viewOf(body);
  const id = body[0]!;
  switch (id) {
    case ID.choke:
      return { kind: "choke" };
    case ID.unchoke:
      return { kind: "unchoke" };
    case ID.interested:
      return { kind: "interested" };
    case ID["not-interested"]:
      return { kind: "not-interested" };
    case ID.have:
      return { kind: "have", pieceIndex: view.getUint32(1) };
    case ID.bitfield:
      return { kind: "bitfield", bytes: body.slice(1) };
    case ID.piece:
      return {
        kind: "piece",
        pieceIndex: view.getUint32(1),
        begin: view.getUint32(5),
        block: body.subarray(9),
      };
    case ID.port:
      return { kind: "port", port: view.getUint16(1) };
    default:
      return {
        kind: id === ID.request ? "request" : "cancel",
        pieceIndex: view.getUint32(1),
        begin: view.getUint32(5),
        lengthBytes: view.getUint32(9),
      };
  }
}
