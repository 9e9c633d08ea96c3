import { formatHostPort } from "../core/address.ts";
import type { ProtocolError } from "../core/errors.ts";
import type { Address } from "./net.ts";
import { PacedLog, type PacedLogContext } from "./paced_log.ts";

/** Tells of clients that broke the protocol, at most 20 a second one by one: whoever floods a server must not flood its log. */
export class ViolationLog implements AsyncDisposable {
  readonly #log;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext) {
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: 20,
      nothing: () => ({ violations: 0 }),
      summed: (sum, periodMs) => ({
        type: "protocol.summarized",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of one, now or in the sum of this second. */
  readonly violated = (remote: Address, error: ProtocolError): void => {
    this.#log.add(() => ({
      type: "protocol.violated",
      remote: formatHostPort(remote),
      code: error.code,
      message: error.message,
    }), (sum) => {
      sum.violations += 1;
    });
  };

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
