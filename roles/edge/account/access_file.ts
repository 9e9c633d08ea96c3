import {
  type AccessFormat,
  formatAccess,
} from "../../../lib/http/access_log.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { FileAppender } from "../../../lib/io/files.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";

/** Lines are written together when they are so many, or so old: a system call costs more than a line. */
const WAITING_BYTES = 131_072;
/** So many characters are encoded at once: a call costs more than a line, and a few are still in the processor's cache. */
const CHUNK_CHARACTERS = 1024;
const MAX_WAIT_MS = 1000;

/** The access log of an edge. Disposing of it writes what waits and closes the file. */
export class AccessFile implements AsyncDisposable {
  readonly #file: FileAppender;
  readonly #format: AccessFormat;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #writing: Promise<void>;
  readonly #encoder = new TextEncoder();
  /** Lines that are not encoded yet. */
  #chunk = "";
  readonly #waiting = new Uint8Array(WAITING_BYTES);
  #length = 0;

  /** Takes the file over. */
  constructor(
    file: FileAppender,
    options: { readonly format: AccessFormat; readonly clock: Clock },
  ) {
    this.#file = file;
    this.#format = options.format;
    this.#clock = options.clock;
    this.#writing = this.#writeNowAndThen();
  }

  /** Writes a line for an answer, soon. */
  add(request: HttpRequest, status: number, bytes: number): void {
    const { method, target, protocol, headers: fields } = request;
    const line = formatAccess(this.#format, {
      host: request.remote.host,
      wallMs: this.#clock.wallMs(),
      method,
      target,
      protocol,
      status,
      bytes,
      fields,
    });
    this.#put(`${line}\n`);
  }

  /** See the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#writing;
    this.#encode();
    this.#write();
    this.#file[Symbol.dispose]();
  }

  async #writeNowAndThen(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const nextMs = this.#clock.nowMs() + MAX_WAIT_MS;
      await pauseUntil(nextMs, { clock: this.#clock, signal });
      this.#encode();
      this.#write();
    }
  }

  #put(line: string): void {
    this.#chunk += line;
    if (this.#chunk.length >= CHUNK_CHARACTERS) this.#encode();
  }

  #encode(): void {
    const chunk = this.#chunk;
    this.#chunk = "";
    // It is ASCII: a byte for each character.
    if (this.#length + chunk.length > WAITING_BYTES) this.#write();
    if (chunk.length > WAITING_BYTES) return this.#file.append(chunk);
    const room = this.#waiting.subarray(this.#length);
    this.#length += this.#encoder.encodeInto(chunk, room).written;
  }

  #write(): void {
    if (this.#length === 0) return;
    const lines = this.#waiting.subarray(0, this.#length);
    this.#length = 0;
    this.#file.append(lines);
  }
}
