import { concat } from "../../core/bytes.ts";
import { encodeHashMessage, type HashMessage } from "./hash_messages.ts";

/** What is asked for at a time: 16 KiB, which every client serves (BEP 3: larger requests are dropped by many). */
export const BLOCK_BYTES = 16 * 1024;
/** Bytes before the data of a `piece` message: length, id, index, begin. */
export const PIECE_HEADER_BYTES = 13;
/** Largest block a peer may ask of us; mainline's limit was 128 KiB. */
export const MAX_REQUEST_BYTES = 128 * 1024;

/** A part of a piece. */
export interface BlockRef {
  readonly pieceIndex: number;
  /** Offset in the piece. */
  readonly begin: number;
  readonly lengthBytes: number;
}

/**
 * What a peer can say after the handshake: BEP 3, `port` of BEP 5, from `suggest` on BEP 6 (fast extension), `extended` of
 * BEP 10, {@linkcode HashMessage} of BEP 52. `unknown` is what we did not announce: skipped.
 */
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
  /** You might like to fetch this piece. */
  | { readonly kind: "suggest"; readonly pieceIndex: number }
  /** In the place of a bitfield. */
  | { readonly kind: "have-all" }
  | { readonly kind: "have-none" }
  /** A request will not be answered with its block. */
  | ({ readonly kind: "reject" } & BlockRef)
  /** The piece may be asked for by one who is choked; not a word about whether it is there. */
  | { readonly kind: "allowed-fast"; readonly pieceIndex: number }
  | {
    readonly kind: "extended";
    /** 0: the extended handshake; else a number the receiver gave to an extension in its own. */
    readonly id: number;
    /** When received, a view of the received bytes, good until the decoder's next `push`. */
    readonly payload: Uint8Array;
  }
  | HashMessage
  | { readonly kind: "unknown"; readonly id: number };

/** The number each message is known by. */
export const MESSAGE_ID = {
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
  suggest: 13,
  "have-all": 14,
  "have-none": 15,
  reject: 16,
  "allowed-fast": 17,
  extended: 20,
  "hash-request": 21,
  hashes: 22,
  "hash-reject": 23,
} as const;

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
    case "suggest":
    case "allowed-fast":
      return numbers(MESSAGE_ID[message.kind], message.pieceIndex);
    case "request":
    case "cancel":
    case "reject":
      return numbers(
        MESSAGE_ID[message.kind],
        message.pieceIndex,
        message.begin,
        message.lengthBytes,
      );
    case "bitfield":
      return concat(
        head(1 + message.bytes.length, MESSAGE_ID.bitfield),
        message.bytes,
      );
    case "extended":
      return concat(
        head(2 + message.payload.length, MESSAGE_ID.extended),
        Uint8Array.of(message.id),
        message.payload,
      );
    case "hash-request":
    case "hashes":
    case "hash-reject": {
      const body = encodeHashMessage(message);
      return concat(head(1 + body.length, MESSAGE_ID[message.kind]), body);
    }
    case "port":
      return Uint8Array.of(
        0,
        0,
        0,
        3,
        MESSAGE_ID.port,
        message.port >> 8,
        message.port,
      );
    default:
      return head(1, MESSAGE_ID[message.kind]);
  }
}

/** Writes the 13 bytes that stand before a block's data at `offset` of `buffer`. */
export function writePieceHeader(
  buffer: Uint8Array,
  offset: number,
  block: BlockRef,
): void {
  writeNumber(buffer, offset, 9 + block.lengthBytes);
  buffer[offset + 4] = MESSAGE_ID.piece;
  writeNumber(buffer, offset + 5, block.pieceIndex);
  writeNumber(buffer, offset + 9, block.begin);
}

function head(length: number, id: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5);
  writeNumber(bytes, 0, length);
  bytes[4] = id;
  return bytes;
}

function numbers(
  id: number,
  ...values: readonly number[]
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + 4 * values.length);
  writeNumber(bytes, 0, 1 + 4 * values.length);
  bytes[4] = id;
  for (let at = 0; at < values.length; at++) {
    writeNumber(bytes, 5 + 4 * at, values[at]!);
  }
  return bytes;
}

/** Byte by byte: a view for each message costs more than the message. */
function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
