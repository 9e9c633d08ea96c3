import {
  type AccessFormat,
  formatAccess,
} from "../../../lib/http/access_log.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { FileAppender } from "../../../lib/io/files.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";

/** Lines are written together when they are so long, or so old: a system call costs more than a line. */
const MAX_WAITING = 100_000;
const MAX_WAIT_MS = 1000;

/** The access log of an edge. Disposing of it writes what waits and closes the file. */
export class AccessFile implements AsyncDisposable {
  readonly #file: FileAppender;
  readonly #format: AccessFormat;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #writing: Promise<void>;
  /** One text and no list: to join a thousand lines took longer than to make them. */
  #waiting = "";

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
    this.#waiting += `${line}\n`;
    if (this.#waiting.length >= MAX_WAITING) this.#write();
  }

  /** See the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#writing;
    this.#write();
    this.#file[Symbol.dispose]();
  }

  async #writeNowAndThen(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const nextMs = this.#clock.nowMs() + MAX_WAIT_MS;
      await pauseUntil(nextMs, { clock: this.#clock, signal });
      this.#write();
    }
  }

  #write(): void {
    if (this.#waiting === "") return;
    const lines = this.#waiting;
    this.#waiting = "";
    this.#file.append(lines);
  }
}
