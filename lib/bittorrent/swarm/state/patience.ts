/**
 * How much a peer may say that leads to nothing: the same `have` again, keep-alives without end, interested and not. Each
 * costs little, but who sends a million in a second leaves no time for anyone else: one such peer kept a seed from
 * answering others for as long as it went on.
 */
import { ProtocolError } from "../../../core/errors.ts";
import type { WireMessage } from "../../wire/messages.ts";

/** What a peer may say at once. What programs say for good reason, such as a reject for each of 2048 requests, is far less. */
const MAX_IDLE = 20_000;
/** And then in a second. */
const IDLE_PER_SECOND = 2_000;
/** An extended handshake is a dictionary of up to 1000 entries that has to be read. */
const HANDSHAKE_COST = 100;
/** Bytes of a bitfield that cost as much as a message. */
const BITFIELD_UNIT_BYTES = 64;

/** The patience with one peer. */
export class Patience {
  #left = MAX_IDLE;
  #filledAtMs: number;

  /** Begins with all of it. */
  constructor(nowMs: number) {
    this.#filledAtMs = nowMs;
  }

  /** Takes note of messages that came. @throws {ProtocolError} `message-flood`. */
  hear(messages: readonly WireMessage[], nowMs: number): void {
    let cost = 0;
    for (const message of messages) cost += costOf(message);
    if (cost > 0) this.spend(cost, nowMs);
  }

  /** Takes note of so many messages that led to nothing. @throws {ProtocolError} `message-flood`. */
  spend(count: number, nowMs: number): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    const seconds = (nowMs - this.#filledAtMs) / 1000;
    this.#filledAtMs = nowMs;
    this.#left = Math.min(MAX_IDLE, this.#left + seconds * IDLE_PER_SECOND);
    if (this.#left >= 0) return;
    throw new ProtocolError(
      "message-flood",
      `Cannot listen to peer: at most ${IDLE_PER_SECOND} messages a second may lead to nothing`,
    );
  }
}

/** What a message costs that may lead to nothing; whether a `have` or a request does is known where it is taken. */
function costOf(message: WireMessage): number {
  switch (message.kind) {
    case "piece":
    case "have":
    case "request":
      return 0;
    case "bitfield":
      return 1 + Math.floor(message.bytes.length / BITFIELD_UNIT_BYTES);
    case "extended":
      return message.id === 0 ? HANDSHAKE_COST : 1;
    default:
      return 1;
  }
}
