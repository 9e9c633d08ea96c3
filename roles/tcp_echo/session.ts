import { LineSplitter } from "../../lib/core/line_splitter.ts";
import type { Machine } from "../../lib/core/machine.ts";
import { upperCase } from "../../lib/core/upper_case.ts";

// When has a client said all it has to say? A line ends with a newline, and is answered as soon as that is there.
// But the lecture's client sends its text without one and waits, its side of the connection still open: to TCP that
// looks like a line that is not complete yet. So what came without a newline is answered, too, once the client has been
// quiet for `QUIET_MS`. A line cut by a pause is then answered in two pieces; together they are the same letters.

/** How long a client is silent before its unfinished line is answered. Longer than the network's hiccups, shorter than a person's patience. */
export const QUIET_MS = 200;

/** A longer line is answered in pieces, so that a client that never sends a newline costs no more memory than this. */
export const MAX_LINE_BYTES = 65_536;

/** What can happen to an {@linkcode EchoSession}. */
export type SessionInput =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "timeout" };

/** What an {@linkcode EchoSession} wants done. */
export type SessionOutput =
  | {
    readonly kind: "send";
    readonly bytes: Uint8Array;
    readonly answersBytes: number;
  }
  | { readonly kind: "close"; readonly reason: "by-client" | "idle" };

/** One client's connection: which bytes are answered, and when. */
export class EchoSession implements Machine<SessionInput, SessionOutput> {
  readonly #splitter = new LineSplitter({ maxBytes: MAX_LINE_BYTES });
  readonly #idleMs: number;
  #idleAtMs: number;
  #quietAtMs = Infinity;

  /** Creates the session of a connection opened at `nowMs`; it is closed after `idleMs` (may be `Infinity`) without a byte. */
  constructor(
    { nowMs, idleMs }: { readonly nowMs: number; readonly idleMs: number },
  ) {
    this.#idleMs = idleMs;
    this.#idleAtMs = nowMs + idleMs;
  }

  /** When an unfinished line is answered or the connection closed, if nothing comes before. */
  get deadlineMs(): number {
    return Math.min(this.#quietAtMs, this.#idleAtMs);
  }

  /** Takes what was read, the end of the client's stream, or the time of {@linkcode EchoSession.deadlineMs}. */
  handle(input: SessionInput, nowMs: number): SessionOutput[] {
    switch (input.kind) {
      case "bytes": {
        this.#idleAtMs = nowMs + this.#idleMs;
        const lines = this.#splitter.pushJoined(input.bytes);
        this.#quietAtMs = this.#splitter.waitingBytes > 0
          ? nowMs + QUIET_MS
          : Infinity;
        return answerTo(lines);
      }
      case "end":
        return [
          ...answerTo(this.#splitter.end()),
          { kind: "close", reason: "by-client" },
        ];
      case "timeout":
        if (nowMs >= this.#idleAtMs) {
          return [
            ...answerTo(this.#splitter.end()),
            { kind: "close", reason: "idle" },
          ];
        }
        if (nowMs < this.#quietAtMs) return [];
        this.#quietAtMs = Infinity;
        return answerTo(this.#splitter.flush());
    }
  }
}

function answerTo(bytes: Uint8Array): SessionOutput[] {
  if (bytes.length === 0) return [];
  return [{
    kind: "send",
    bytes: upperCase(bytes),
    answersBytes: bytes.length,
  }];
}
