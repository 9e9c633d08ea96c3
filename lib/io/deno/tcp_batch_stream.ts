import { RunError } from "../../core/errors.ts";
import type { ByteStream } from "../http1/connection.ts";
import { READY } from "./epoll.ts";
import type { FilePieces } from "./file_pieces.ts";
import { EAGAIN, EINTR, type Library } from "./socket_calls.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const INT_BYTES = 4;

/** What all streams of a batch share. */
export interface StreamHost {
  readonly library: Library;
  readonly pieces: FilePieces;
  /** A stream was given something. */
  began(): void;
  /** It waits for more, or is over. */
  rested(): void;
  /** Nobody uses the descriptor any more: it is to be closed. */
  closed(descriptor: number): void;
}

/**
 * One connection of a batch. What is told of it is told once (edge-triggered), so what it was told and has not used is
 * remembered.
 */
export class BatchedStream implements ByteStream {
  readonly #descriptor: number;
  readonly #host: StreamHost;
  /** Bytes may be there: nothing was read yet, or more than there was room for. */
  #mayRead = true;
  #isBusy = true;
  #isClosed = false;
  /** Of a read that waits. */
  #buffer: Uint8Array | undefined;
  #resolve: (count: number | null) => void = () => {};
  #reject: (error: Error) => void = () => {};
  /** A write that waits for room looks again. */
  #resumeWrite: (() => void) | undefined;

  /** Takes a connected socket over, which is told of by {@linkcode BatchedStream.ready}. */
  constructor(descriptor: number, host: StreamHost) {
    this.#descriptor = descriptor;
    this.#host = host;
    host.began();
  }

  /** Reads what is there; null at the end. One read at a time. */
  read(buffer: Uint8Array): number | null | Promise<number | null> {
    if (this.#mayRead) {
      const count = this.#receive(buffer);
      if (count >= 0) return count === 0 ? null : count;
    }
    this.#rest();
    return new Promise((resolve, reject) => {
      this.#buffer = buffer;
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Writes some of `bytes`; returns how many. One write at a time. */
  write(bytes: Uint8Array): number | Promise<number> {
    const count = this.#send(bytes);
    return count >= 0 ? count : this.#writeLater(bytes);
  }

  /** Sends FIN. */
  closeWrite(): Promise<void> {
    if (!this.#isClosed) {
      this.#host.library.symbols.shutdown(this.#descriptor, SHUT_WR);
    }
    return Promise.resolve();
  }

  /** Ends the connection, and the read and the write that wait. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rest();
    this.#host.closed(this.#descriptor);
    if (this.#buffer !== undefined) this.#reject(lost());
    this.#resumeWrite?.();
  }

  /** Turns Nagle's algorithm off. */
  setNoDelay(on = true): void {
    if (this.#isClosed) return;
    this.#host.library.symbols.setsockopt(
      this.#descriptor,
      IPPROTO_TCP,
      TCP_NODELAY,
      new Uint8Array(Int32Array.of(on ? 1 : 0).buffer),
      INT_BYTES,
    );
  }

  /** The system tells of the socket; `events` as of {@linkcode READY}. */
  ready(events: number): void {
    if (events !== READY.write) {
      this.#mayRead = true;
      if (this.#buffer !== undefined) this.#readNow(this.#buffer, events);
    }
    this.#resumeWrite?.();
  }

  #readNow(buffer: Uint8Array, events: number): void {
    try {
      const count = this.#receive(buffer);
      if (count < 0) return;
      // The end is told together with the last bytes.
      if ((events & READY.end) !== 0) this.#mayRead = true;
      this.#buffer = undefined;
      this.#isBusy = true;
      this.#host.began();
      this.#resolve(count === 0 ? null : count);
    } catch (error) {
      this.#buffer = undefined;
      this.#reject(error as Error);
    }
  }

  /** Returns how many bytes came, 0 at the end, -1 when there are none yet. */
  #receive(buffer: Uint8Array): number {
    if (this.#isClosed) throw lost();
    const { library } = this.#host;
    for (;;) {
      const count = library.symbols.recv(
        this.#descriptor,
        buffer as Uint8Array<ArrayBuffer>,
        BigInt(buffer.length),
        MSG_DONTWAIT,
      );
      if (count === buffer.length) return count;
      const errno = count < 0 ? library.errno() : 0;
      if (errno === EINTR) continue;
      if (errno !== 0 && errno !== EAGAIN) throw lost();
      this.#mayRead = false;
      return count;
    }
  }

  /** Returns how many bytes the system took, -1 when there is no room yet. */
  #send(bytes: Uint8Array): number {
    if (this.#isClosed) throw lost();
    const { library, pieces } = this.#host;
    for (;;) {
      const count = pieces.send(this.#descriptor, bytes) ??
        library.symbols.send(
          this.#descriptor,
          bytes as Uint8Array<ArrayBuffer>,
          BigInt(bytes.length),
          MSG_DONTWAIT | MSG_NOSIGNAL,
        );
      if (count >= 0) return count;
      const errno = library.errno();
      if (errno === EAGAIN) return -1;
      if (errno !== EINTR) throw lost();
    }
  }

  async #writeLater(bytes: Uint8Array): Promise<number> {
    for (;;) {
      this.#rest();
      await new Promise<void>((resolve) => this.#resumeWrite = resolve);
      this.#resumeWrite = undefined;
      const count = this.#send(bytes);
      if (count >= 0) return count;
    }
  }

  #rest(): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.#host.rested();
  }
}

function lost(): RunError {
  return new RunError(
    "connection-lost",
    "Cannot use the connection: the client has gone",
  );
}
