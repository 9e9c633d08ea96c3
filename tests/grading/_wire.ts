/** The peer protocol of BEP 3 as the graders of lesson 3 speak it: a handshake, and messages of a length, a number and the rest. */
import { BLOCK_BYTES, INFO_HASH } from "./_shared_file.ts";
import { fromLatin1 } from "./_bencode.ts";

/** Numbers of messages. */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
} as const;

/** Bytes in a handshake. */
export const HANDSHAKE_BYTES = 68;
const PROTOCOL = "BitTorrent protocol";
/** Longest message that is taken: more than anyone asks for here. */
const MAX_MESSAGE_BYTES = 1 << 21;

/** A message. */
export interface Message {
  readonly id: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Which bytes of the file are meant, as `request` and `cancel` have it. */
export interface Block {
  readonly pieceIndex: number;
  readonly begin: number;
  readonly length: number;
}

/** The blocks of a piece of `pieceBytes`. */
export function blocksOf(pieceIndex: number, pieceBytes: number): Block[] {
  const count = Math.ceil(pieceBytes / BLOCK_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const begin = index * BLOCK_BYTES;
    return {
      pieceIndex,
      begin,
      length: Math.min(BLOCK_BYTES, pieceBytes - begin),
    };
  });
}

/** Whole numbers of four bytes, the most significant first. */
export function fourBytes(...numbers: number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, index) => view.setUint32(4 * index, number));
  return new Uint8Array(view.buffer);
}

/** A handshake without extensions. @param peerId 20 characters. */
export function handshake(
  peerId: string,
  infoHash: Uint8Array = INFO_HASH,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[PROTOCOL.length, ...fromLatin1(PROTOCOL)],
    ...[0, 0, 0, 0, 0, 0, 0, 0],
    ...[...infoHash, ...fromLatin1(peerId)],
  ]);
}

/** What a handshake says; undefined if it is none. */
export function readHandshake(
  bytes: Uint8Array<ArrayBuffer>,
):
  | { readonly infoHash: Uint8Array; readonly peerId: Uint8Array }
  | undefined {
  const begin = [PROTOCOL.length, ...fromLatin1(PROTOCOL)];
  if (!begin.every((byte, at) => bytes[at] === byte)) return undefined;
  return { infoHash: bytes.slice(28, 48), peerId: bytes.slice(48) };
}

/** One connection: read in whole messages, whatever the network splits them into. */
export class Wire implements Disposable {
  readonly #connection: Deno.TcpConn;
  #kept: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  /** Sends bytes as they are. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  /** Sends a message. */
  send(id: number, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    return this.sendBytes(
      Uint8Array.from([...fourBytes(1 + payload.length), id, ...payload]),
    );
  }

  /** Sends a message that names a block. */
  sendBlock(id: number, { pieceIndex, begin, length }: Block): Promise<void> {
    return this.send(id, fourBytes(pieceIndex, begin, length));
  }

  /** The next `count` bytes; null if the other side closes before. */
  async bytes(count: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = new Uint8Array(65_536);
    while (this.#kept.length < count) {
      let got: number | null;
      try {
        got = await this.#connection.read(buffer);
      } catch (error) {
        // A reset closes as well.
        if (!(error instanceof Error)) throw error;
        got = null;
      }
      if (got === null) return null;
      const whole = new Uint8Array(this.#kept.length + got);
      whole.set(this.#kept);
      whole.set(buffer.subarray(0, got), this.#kept.length);
      this.#kept = whole;
    }
    const bytes = this.#kept.slice(0, count);
    this.#kept = this.#kept.slice(count);
    return bytes;
  }

  /** The next message that is no keep-alive; null if the other side closes. */
  async message(): Promise<Message | null> {
    for (;;) {
      const head = await this.bytes(4);
      if (head === null) return null;
      const length = new DataView(head.buffer).getUint32(0);
      if (length === 0) continue;
      if (length > MAX_MESSAGE_BYTES) {
        throw new Error(`a message says that it has ${length} bytes`);
      }
      const body = await this.bytes(length);
      if (body === null) return null;
      return { id: body[0]!, payload: body.slice(1) };
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch { /* Closed already. */ }
  }
}

/** What a `piece` carries. */
export function readPiece(
  { payload }: Message,
): Omit<Block, "length"> & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const view = new DataView(payload.buffer);
  return {
    pieceIndex: view.getUint32(0),
    begin: view.getUint32(4),
    bytes: payload.slice(8),
  };
}
