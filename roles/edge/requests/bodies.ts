import { RunError } from "../../../lib/core/errors.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import { readBody } from "../../../lib/io/read_body.ts";

/** Largest request body that is passed on; it is held in memory. */
const MAX_BYTES = 16 * 2 ** 20;
/** Longest that a request body may take to come. */
const MAX_MS = 60_000;
/** What all bodies that are read at the same time may hold together, each counted as large as it may become. */
const MAX_TOGETHER_BYTES = 512 * 2 ** 20;

/** Reads the bodies of requests that are passed on, whoever sends them. */
export class RequestBodies {
  readonly #clock: Clock;
  #heldBytes = 0;

  /** Creates a reader of bodies that reads none yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads a request's body, undefined when it has none; a failure is what to tell the client. */
  async read(
    { body, headers, signal }: Pick<
      HttpRequest,
      "body" | "headers" | "signal"
    >,
  ): Promise<
    | { readonly body: Uint8Array<ArrayBuffer> | undefined }
    | { readonly status: number; readonly message: string }
  > {
    if (body === null) return { body: undefined };
    // Checked by the server: one number, and not above its limit.
    const announced = headers.get("content-length");
    const bytes = announced === null ? MAX_BYTES : Number(announced);
    if (this.#heldBytes + bytes > MAX_TOGETHER_BYTES) {
      return { status: 503, message: "Too many requests with bodies at once" };
    }
    this.#heldBytes += bytes;
    try {
      const whole = await readBody(body, {
        what: "the request's body",
        clock: this.#clock,
        maxBytes: MAX_BYTES,
        limitMs: MAX_MS,
        signal,
      });
      return { body: whole };
    } catch (error) {
      // What is answered to a client that has left nobody reads.
      if (signal.aborted) return { status: 400, message: "The client left" };
      if (!(error instanceof RunError)) throw error;
      return failureOf(error);
    } finally {
      this.#heldBytes -= bytes;
    }
  }
}

function failureOf({ code }: RunError) {
  switch (code) {
    case "too-large":
      return {
        status: 413,
        message: "The request body is too large to pass on",
      };
    case "timed-out":
      return { status: 408, message: "The request body came too slowly" };
    default:
      return { status: 400, message: "The request body broke off" };
  }
}
