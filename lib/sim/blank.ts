/**
 * A file without content: every byte of every piece is 0. What peers do depends on sizes and times, not on what is in a
 * block, so a simulation of 10,000 peers keeps one buffer for the pieces of all of them, and a message on its way is only
 * its part that says something: `piece` messages travel as their header and a count of zeros. Nothing is lost by that.
 */
const PIECE = 7;
const HEADER_BYTES = 13;
/** A `send` up to this length is kept as it is. */
const SHORT_BYTES = 64;

/** Bytes on their way: `head`, then `zeros` zeros. */
export interface Parcel {
  readonly head: Uint8Array;
  readonly zeros: number;
}

/** The memory that all peers of a blank file share. */
export class BlankMemory {
  readonly #buffers = new Map<number, Uint8Array>();
  readonly #sends: Uint8Array[] = [];
  #lent = 0;
  #opened = new Uint8Array(0);
  #headEnd = 0;

  /** Returns the one buffer of that length; give it as `allocate` to every peer: pieces are all alike. */
  readonly allocate = (lengthBytes: number): Uint8Array => {
    let buffer = this.#buffers.get(lengthBytes);
    if (buffer === undefined) {
      buffer = new Uint8Array(lengthBytes);
      this.#buffers.set(lengthBytes, buffer);
    }
    return buffer;
  };

  /** Lends a buffer for one send, another one at each call until {@linkcode BlankMemory.takeBack}; give it as `sendBuffer` to every peer. */
  readonly lend = (lengthBytes: number): Uint8Array => {
    const at = this.#lent++;
    let buffer = this.#sends[at];
    if (buffer === undefined || buffer.length < lengthBytes) {
      buffer = this.#sends[at] = new Uint8Array(lengthBytes);
    }
    return buffer;
  };

  /** Whether a send may be in a buffer that was lent; what is not is the machine's, and stays as it is. */
  get lends(): boolean {
    return this.#lent > 0;
  }

  /** What was lent is free again: the sends have been cut into parcels. */
  takeBack(): void {
    this.#lent = 0;
  }

  /** Returns the bytes of a parcel; they stay as they are until the next call. */
  open({ head, zeros }: Parcel): Uint8Array {
    if (zeros === 0) return head;
    if (
      head.length > this.#headEnd ||
      zeros > this.#opened.length - this.#headEnd
    ) {
      this.#headEnd = Math.max(1024, head.length, this.#headEnd);
      this.#opened = new Uint8Array(
        this.#headEnd + Math.max(zeros, this.#opened.length),
      );
    }
    const from = this.#headEnd - head.length;
    this.#opened.set(head, from);
    return this.#opened.subarray(from, this.#headEnd + zeros);
  }
}

/** Cuts a `send` into parcels. `begun`: the handshake was in an earlier one. */
export function parcelsOf(
  bytes: Uint8Array,
  begun: boolean,
  handshakeBytes: number,
): readonly Parcel[] {
  if (bytes.length <= SHORT_BYTES) return [{ head: bytes.slice(), zeros: 0 }];
  const parcels: Parcel[] = [];
  let from = 0;
  let at = begun ? 0 : handshakeBytes;
  while (at < bytes.length) {
    const length = lengthAt(bytes, at);
    const end = at + 4 + length;
    if (length > 9 && bytes[at + 4] === PIECE) {
      const head = bytes.slice(from, at + HEADER_BYTES);
      parcels.push({ head, zeros: end - at - HEADER_BYTES });
      from = end;
    }
    at = end;
  }
  if (from < bytes.length) parcels.push({ head: bytes.slice(from), zeros: 0 });
  return parcels;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) +
    bytes[at + 3]!;
}
