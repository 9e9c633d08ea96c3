import type { TcpConnection } from "../net.ts";

/** How much is read at once. */
const BUFFER_BYTES = 131_072;

/** One connection of an HTTP client. While it waits for its next request it listens on, and so knows when the server closes. */
export class ClientConnection {
  readonly #stream: TcpConnection;
  readonly #closed: () => void;
  /** For each read anew: fresh memory would cost as much as the reading. */
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #reading: Promise<Uint8Array | null> | undefined;
  #writes = 0;
  #isParked = false;
  #isClosed = false;
  /** Since when it waits for its next request. */
  idleSinceMs = 0;

  /** Takes the stream over; `closed` hears once of its end. */
  constructor(stream: TcpConnection, closed: () => void) {
    this.#stream = stream;
    this.#closed = closed;
  }

  /** Whether all that was to be sent has been. */
  get hasSent(): boolean {
    return this.#writes === 0;
  }

  /** Sends; one that fails shows in what is read. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#writes += 1;
    try {
      await this.#stream.write(bytes);
      this.#writes -= 1;
    } catch { /* The answer, or its absence, tells. */ }
  }

  /** The next bytes, good until the next call; null at the end. @throws {RunError} `connection-lost`. */
  async read(): Promise<Uint8Array | null> {
    const reading = this.#reading ?? this.#readNow();
    this.#reading = undefined;
    return await reading;
  }

  /** No request is under way. */
  park(nowMs: number): void {
    this.idleSinceMs = nowMs;
    this.#isParked = true;
    const reading = this.#reading = this.#readNow();
    // Whatever comes now, an end or an answer to nothing, makes it useless.
    const useless = () => {
      if (this.#isParked) this.close();
    };
    reading.then(useless, useless);
  }

  /** The next request goes here; false when the server has closed meanwhile. */
  resume(): boolean {
    this.#isParked = false;
    return !this.#isClosed;
  }

  /** Ends it, whatever is under way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream[Symbol.dispose]();
    this.#closed();
  }

  async #readNow(): Promise<Uint8Array | null> {
    const count = await this.#stream.read(this.#buffer);
    return count === null ? null : this.#buffer.subarray(0, count);
  }
}
