import { RunError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/io/clock.ts";
import type { HttpRequest } from "../../lib/io/http.ts";
import { readBody } from "../../lib/io/read_body.ts";

/** Largest request body that is passed on; it is held in memory. */
const MAX_BYTES = 16 * 2 ** 20;
/** Longest that a request body may take to come. */
const MAX_MS = 60_000;
/** Request bodies read at the same time: all together they hold at most 512 MiB. */
const MAX_AT_ONCE = 32;

/** Reads the bodies of requests that are passed on, whoever sends them. */
export class RequestBodies {
  readonly #clock: Clock;
  #reading = 0;

  /** Creates a reader of bodies that reads none yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads a request's body, undefined when it has none; a failure is what to tell the client. */
  async read(
    { body, signal }: Pick<HttpRequest, "body" | "signal">,
  ): Promise<
    | { readonly body: Uint8Array<ArrayBuffer> | undefined }
    | { readonly status: number; readonly message: string }
  > {
    if (body === null) return { body: undefined };
    if (this.#reading >= MAX_AT_ONCE) {
      return { status: 503, message: "Too many requests with bodies at once" };
    }
    this.#reading += 1;
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
      this.#reading -= 1;
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
