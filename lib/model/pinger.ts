import { utf8 } from "../core/bytes.ts";
import type { Machine } from "../core/machine.ts";

// A pinger sends a numbered message every `intervalMs` and waits up to `timeoutMs` for the echo of each. It does not
// wait for one echo before the next message, so a slow or lost one holds up nothing:
//
//   time      0    200   400   600  ...            (interval 200 ms, timeout 1 s)
//   sends     1     2     3     4
//   hears          1           2 4                  3 is missed at 1400 ms
//
// Each message carries its number; the echo, in capitals, carries it back and so names the message it answers.

/** What can happen to a {@linkcode Pinger}. */
export type PingerInput =
  | { readonly kind: "reply"; readonly text: string }
  | { readonly kind: "timeout" };

/** What a {@linkcode Pinger} wants done or has found out. */
export type PingerOutput =
  | { readonly kind: "send"; readonly seq: number; readonly text: string }
  | {
    readonly kind: "received";
    readonly seq: number;
    readonly receivedBytes: number;
    readonly rttMs: number;
  }
  | { readonly kind: "missed"; readonly seq: number }
  | { readonly kind: "done" };

/** How a {@linkcode Pinger} goes about it. */
export interface PingerOptions {
  /** How many messages to send. */
  readonly count: number;
  /** Time from one message to the next. */
  readonly intervalMs: number;
  /** How long to wait for an echo before it counts as lost. */
  readonly timeoutMs: number;
  /** What to send; a space and the number follow. */
  readonly message: string;
  /** When to send the first. */
  readonly startAtMs: number;
}

/** Sends, matches, measures and gives up: the pinger of the lab sheets, without its socket. */
export class Pinger implements Machine<PingerInput, PingerOutput> {
  readonly #options: PingerOptions;
  /** By the echo expected. Sent in order with the same patience, so the first entry is the first to time out. */
  readonly #waiting = new Map<string, { seq: number; sentAtMs: number }>();
  readonly #rttsMs: (number | null)[] = [];
  #nextSendAtMs: number;

  /** Creates a pinger that sends its first message at `startAtMs`. */
  constructor(options: PingerOptions) {
    this.#options = options;
    this.#nextSendAtMs = options.count > 0 ? options.startAtMs : Infinity;
  }

  /** The round-trip time of each message sent, in order; null for those lost or still on their way. */
  get rttsMs(): readonly (number | null)[] {
    return this.#rttsMs;
  }

  /** When the next message is due or the oldest one is given up. */
  get deadlineMs(): number {
    const [oldest] = this.#waiting.values();
    return oldest === undefined
      ? this.#nextSendAtMs
      : Math.min(this.#nextSendAtMs, oldest.sentAtMs + this.#options.timeoutMs);
  }

  /** Takes an echo, or the time of {@linkcode Pinger.deadlineMs}. An echo that is late or of no message is ignored. */
  handle(input: PingerInput, nowMs: number): PingerOutput[] {
    const outputs = input.kind === "reply"
      ? this.#match(input.text, nowMs)
      : [...this.#giveUp(nowMs), ...this.#send(nowMs)];
    if (this.#nextSendAtMs === Infinity && this.#waiting.size === 0) {
      outputs.push({ kind: "done" });
    }
    return outputs;
  }

  #match(text: string, nowMs: number): PingerOutput[] {
    const message = this.#waiting.get(text);
    if (message === undefined) return [];
    this.#waiting.delete(text);
    const rttMs = nowMs - message.sentAtMs;
    this.#rttsMs[message.seq - 1] = rttMs;
    const receivedBytes = utf8(text).length;
    return [{ kind: "received", seq: message.seq, receivedBytes, rttMs }];
  }

  #giveUp(nowMs: number): PingerOutput[] {
    const missed: PingerOutput[] = [];
    for (const [text, { seq, sentAtMs }] of this.#waiting) {
      if (nowMs < sentAtMs + this.#options.timeoutMs) break;
      this.#waiting.delete(text);
      missed.push({ kind: "missed", seq });
    }
    return missed;
  }

  #send(nowMs: number): PingerOutput[] {
    if (nowMs < this.#nextSendAtMs) return [];
    const seq = this.#rttsMs.push(null);
    const text = `${this.#options.message} ${seq}`;
    this.#waiting.set(text.toUpperCase(), { seq, sentAtMs: nowMs });
    // A timer some milliseconds late must not slow the pace, but after a long pause (a laptop that slept) no burst follows.
    const { count, intervalMs } = this.#options;
    const isFarBehind = nowMs - this.#nextSendAtMs > intervalMs;
    this.#nextSendAtMs = seq === count
      ? Infinity
      : (isFarBehind ? nowMs : this.#nextSendAtMs) + intervalMs;
    return [{ kind: "send", seq, text }];
  }
}
