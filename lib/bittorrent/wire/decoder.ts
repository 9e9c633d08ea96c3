import { ProtocolError } from "../../core/errors.ts";
import {
  checkProtocol,
  decodeHandshake,
  type Handshake,
  HANDSHAKE_BYTES,
} from "./handshake.ts";
import {
  decodeHashMessage,
  HASH_REQUEST_BYTES,
  MAX_HASHES_BYTES,
} from "./hash_messages.ts";
import { BLOCK_BYTES, MESSAGE_ID as ID, type WireMessage } from "./messages.ts";

/** Messages we do not know (extensions) are skipped up to this length; what is longer is an attack or another protocol. */
const MAX_UNKNOWN_BYTES = 64 * 1024;
/** Kept of a message: nothing yet. */
const NOTHING = new Uint8Array(0);
/** Longest bitfield as long as the number of pieces is not known: that of the largest torrent we read. */
const MAX_BITFIELD_BYTES = 256 * 1024;
/** Longest extended message: metadata comes 16 KiB at a time (BEP 9), 50 contacts of BEP 11 are less than 2 KiB. */
const MAX_EXTENDED_BYTES = 64 * 1024;

/**
 * Cuts a peer's byte stream into a handshake and messages. Feed it any split of the stream: the result is the same.
 *
 * Blocks come as views of what was pushed; only a message that lies across two pushes is copied together first.
 */
export class WireDecoder {
  #maxBitfieldBytes: number;
  /** The beginning of a message whose rest is still to come. */
  #pending: Uint8Array<ArrayBuffer> = NOTHING;
  /** Where the next one is kept: the block of the last is a view of `#pending` until this push is over. */
  #spare: Uint8Array<ArrayBuffer> = NOTHING;
  #pendingLength = 0;
  #handshake: Handshake | null = null;
  /** The handshake is complete: messages follow. */
  #shaken = false;
  /** Bytes of a message nobody wants that are still to come. */
  #skip = 0;

  /** @param options.pieceCount Bounds the length of a `bitfield`; see {@linkcode WireDecoder.expectPieces}. */
  constructor(options: { readonly pieceCount: number }) {
    this.#maxBitfieldBytes = Math.ceil(options.pieceCount / 8);
  }

  /** From now on the torrent has so many pieces; 0: it is not known how many. */
  expectPieces(pieceCount: number): void {
    this.#maxBitfieldBytes = pieceCount === 0
      ? MAX_BITFIELD_BYTES
      : Math.ceil(pieceCount / 8);
  }

  /** Returns the other side's handshake, once, as soon as it is complete: who is connected for hours need not keep it. */
  takeHandshake(): Handshake | null {
    const handshake = this.#handshake;
    this.#handshake = null;
    return handshake;
  }

  /**
   * Takes the next bytes of the stream and returns the messages they complete.
   *
   * @throws {ProtocolError} `handshake-not-bittorrent`, `wire-too-long`, `wire-bad-length`. The decoder is unusable afterwards.
   */
  push(bytes: Uint8Array): WireMessage[] {
    if (this.#isMessage(bytes)) return [decodeBody(bytes, 4, bytes.length)];
    const messages: WireMessage[] = [];
    let at = this.#shaken ? 0 : this.#pushHandshake(bytes);
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

  /** Whether the bytes are one whole message that we know, as when a peer says little: no list need be put together. */
  #isMessage(bytes: Uint8Array): boolean {
    if (!this.#shaken || this.#skip > 0 || this.#pendingLength > 0) {
      return false;
    }
    if (bytes.length < 5 || numberAt(bytes, 0) !== bytes.length - 4) {
      return false;
    }
    this.#check(bytes.length - 4, bytes[4]!);
    return KNOWN_IDS.has(bytes[4]!);
  }

  /** Returns how many bytes the handshake took. */
  #pushHandshake(bytes: Uint8Array): number {
    if (this.#pendingLength === 0 && bytes.length >= HANDSHAKE_BYTES) {
      this.#handshake = decodeHandshake(bytes.subarray(0, HANDSHAKE_BYTES));
      this.#shaken = true;
      return HANDSHAKE_BYTES;
    }
    const taken = Math.min(bytes.length, HANDSHAKE_BYTES - this.#pendingLength);
    this.#keep(bytes.subarray(0, taken));
    const got = this.#pending.subarray(0, this.#pendingLength);
    checkProtocol(got);
    if (got.length < HANDSHAKE_BYTES) return taken;
    this.#handshake = decodeHandshake(got);
    this.#shaken = true;
    this.#pendingLength = 0;
    return taken;
  }

  /** Reads a message that begins at `at` straight from the input, or keeps its beginning. */
  #pushWhole(bytes: Uint8Array, at: number, messages: WireMessage[]): number {
    const left = bytes.length - at;
    if (left >= 5 || (left === 4 && numberAt(bytes, at) === 0)) {
      const length = numberAt(bytes, at);
      if (length === 0) {
        messages.push({ kind: "keep-alive" });
        return at + 4;
      }
      const id = bytes[at + 4]!;
      this.#check(length, id);
      if (!KNOWN_IDS.has(id)) {
        messages.push({ kind: "unknown", id });
        this.#skip = length - 1;
        return at + 5;
      }
      if (left >= 4 + length) {
        messages.push(decodeBody(bytes, at + 4, at + 4 + length));
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
      const length = numberAt(this.#pending, 0);
      // An unknown message is skipped as soon as its id is there, so `want` stays 5 for it.
      if (length === 0) want = 4;
      else if (have >= 5) want = 4 + length;
    } else want = 4;
    const taken = Math.min(want - have, bytes.length - at);
    this.#keep(bytes.subarray(at, at + taken));
    if (this.#pendingLength < want || this.#pendingLength < 4) {
      return at + taken;
    }
    const length = numberAt(this.#pending, 0);
    if (this.#pendingLength < 5 && length > 0) return at + taken;
    // Blocks are views of the kept bytes: they are overwritten by the next message that is kept, not by this push's rest.
    const whole = this.#pending.subarray(0, this.#pendingLength);
    this.#pendingLength = 0;
    this.#pushWhole(whole, 0, messages);
    if (this.#pendingLength === 0) {
      [this.#pending, this.#spare] = [this.#spare, this.#pending];
    }
    return at + taken;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#pendingLength + bytes.length;
    if (length > this.#pending.length) {
      const larger = new Uint8Array(
        Math.max(length, this.#wanted(bytes), HANDSHAKE_BYTES),
      );
      larger.set(this.#pending.subarray(0, this.#pendingLength));
      this.#pending = larger;
    }
    this.#pending.set(bytes, this.#pendingLength);
    this.#pendingLength = length;
  }

  /**
   * How long the message will be whose next bytes are kept; 0 as long as that is not known to be possible. A length is
   * believed when its id is there too and both were checked: of a handshake and of a stranger's first four bytes, which
   * may say 4 GiB, nothing is.
   */
  #wanted(bytes: Uint8Array): number {
    const begun = this.#pendingLength > 0
      ? this.#pending.subarray(0, this.#pendingLength)
      : bytes;
    return this.#shaken && begun.length >= 5 ? 4 + numberAt(begun, 0) : 0;
  }

  #check(length: number, id: number): void {
    const fixed = FIXED_LENGTHS[id];
    const max = fixed ?? this.#maxLength(id);
    if (length > max) {
      throw new ProtocolError(
        "wire-too-long",
        `Cannot read peer message ${id}: must be at most ${max} bytes, got ${length}`,
      );
    }
    const min = fixed ?? MIN_LENGTHS[id] ?? 1;
    if (length < min) {
      throw new ProtocolError(
        "wire-bad-length",
        `Cannot read peer message ${id}: must have ${
          fixed === undefined ? "at least " : ""
        }${min} bytes, got ${length}`,
      );
    }
  }

  #maxLength(id: number): number {
    switch (id) {
      case ID.piece:
        return 9 + BLOCK_BYTES;
      case ID.bitfield:
        return 1 + this.#maxBitfieldBytes;
      case ID.extended:
        return MAX_EXTENDED_BYTES;
      case ID.hashes:
        return MAX_HASHES_BYTES;
      default:
        return MAX_UNKNOWN_BYTES;
    }
  }
}

/** Length of the messages that have one length only, by id. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = {
  [ID.choke]: 1,
  [ID.unchoke]: 1,
  [ID.interested]: 1,
  [ID["not-interested"]]: 1,
  [ID.have]: 5,
  [ID.request]: 13,
  [ID.cancel]: 13,
  [ID.port]: 3,
  [ID.suggest]: 5,
  [ID["have-all"]]: 1,
  [ID["have-none"]]: 1,
  [ID.reject]: 13,
  [ID["allowed-fast"]]: 5,
  [ID["hash-request"]]: HASH_REQUEST_BYTES,
  [ID["hash-reject"]]: HASH_REQUEST_BYTES,
};
/** Least length of others. */
const MIN_LENGTHS: Readonly<Record<number, number>> = {
  [ID.piece]: 10,
  [ID.extended]: 2,
  [ID.hashes]: HASH_REQUEST_BYTES,
};
/** The others are skipped as they come. */
const KNOWN_IDS: ReadonlySet<number> = new Set(Object.values(ID));

function numberAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) +
    bytes[at + 3]!;
}

const BARE = {
  [ID.choke]: "choke",
  [ID.unchoke]: "unchoke",
  [ID.interested]: "interested",
  [ID["not-interested"]]: "not-interested",
  [ID["have-all"]]: "have-all",
  [ID["have-none"]]: "have-none",
} as const;
const ABOUT_PIECE = {
  [ID.have]: "have",
  [ID.suggest]: "suggest",
  [ID["allowed-fast"]]: "allowed-fast",
} as const;
const ABOUT_BLOCK = {
  [ID.request]: "request",
  [ID.cancel]: "cancel",
  [ID.reject]: "reject",
} as const;
const ABOUT_HASHES = {
  [ID["hash-request"]]: "hash-request",
  [ID.hashes]: "hashes",
  [ID["hash-reject"]]: "hash-reject",
} as const;

/** Reads the message whose id is at `at`; its length has been checked. */
function decodeBody(bytes: Uint8Array, at: number, end: number): WireMessage {
  const id = bytes[at]! as (typeof ID)[keyof typeof ID];
  switch (id) {
    case ID.bitfield:
      return { kind: "bitfield", bytes: bytes.slice(at + 1, end) };
    case ID.piece:
      return {
        kind: "piece",
        pieceIndex: numberAt(bytes, at + 1),
        begin: numberAt(bytes, at + 5),
        block: bytes.subarray(at + 9, end),
      };
    case ID.port:
      return { kind: "port", port: (bytes[at + 1]! << 8) + bytes[at + 2]! };
    case ID.request:
    case ID.cancel:
    case ID.reject:
      return {
        kind: ABOUT_BLOCK[id],
        pieceIndex: numberAt(bytes, at + 1),
        begin: numberAt(bytes, at + 5),
        lengthBytes: numberAt(bytes, at + 9),
      };
    case ID.extended:
      return {
        kind: "extended",
        id: bytes[at + 1]!,
        payload: bytes.subarray(at + 2, end),
      };
    case ID["hash-request"]:
    case ID.hashes:
    case ID["hash-reject"]:
      return decodeHashMessage(ABOUT_HASHES[id], bytes.subarray(at + 1, end));
    case ID.have:
    case ID.suggest:
    case ID["allowed-fast"]:
      return { kind: ABOUT_PIECE[id], pieceIndex: numberAt(bytes, at + 1) };
    default:
      return { kind: BARE[id] };
  }
}
