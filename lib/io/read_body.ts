import { ByteCollector } from "../core/byte_collector.ts";
import { messageOf, RunError } from "../core/errors.ts";
import type { Clock } from "./clock.ts";
import { within } from "./within.ts";

/**
 * Reads the whole body of a response or request into memory, whoever sends it: no more than `maxBytes`, and no longer
 * than `limitMs`, however slowly or endlessly it comes.
 *
 * @throws {RunError} `too-large`, `timed-out` or `connection-lost`; `signal`'s reason if it aborts.
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  { what, clock, maxBytes, limitMs, signal, cutsOff = false }: {
    /** For messages: `Cannot read ${what}: …`. */
    readonly what: string;
    readonly clock: Clock;
    readonly maxBytes: number;
    readonly limitMs: number;
    readonly signal?: AbortSignal;
    /** Of a longer body the first `maxBytes` are wanted; without it, that is an error. */
    readonly cutsOff?: boolean;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const collected = new ByteCollector();
  if (body === null) return collected.bytes;
  const reader = body.getReader();
  const endAtMs = clock.nowMs() + limitMs;
  try {
    for (;;) {
      const read = await within(reader.read(), {
        clock,
        limitMs: endAtMs - clock.nowMs(),
        ...(signal === undefined ? {} : { signal }),
      });
      if (read.done) return collected.bytes;
      const left = maxBytes - collected.length;
      if (read.value.length > left) {
        if (cutsOff) {
          collected.push(read.value.subarray(0, left));
          reader.cancel().catch(() => {});
          return collected.bytes;
        }
        throw new RunError(
          "too-large",
          `Cannot read ${what}: it must be at most ${maxBytes} bytes`,
        );
      }
      collected.push(read.value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    signal?.throwIfAborted();
    const code = error instanceof RunError ? error.code : "connection-lost";
    if (code === "too-large") throw error;
    throw new RunError(
      code,
      `Cannot read ${what}: ${
        code === "timed-out"
          ? `it did not end within ${limitMs} ms`
          : messageOf(error)
      }`,
      { cause: error },
    );
  }
}
