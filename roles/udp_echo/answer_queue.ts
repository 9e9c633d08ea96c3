import { familyOf, formatHostPort } from "../../lib/core/address.ts";
import { messageOf } from "../../lib/core/errors.ts";
import type { EchoLog } from "../../lib/echo/log.ts";
import type { Address, UdpSocket } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";

/** The length field of UDP counts 16 bits: 65,535 bytes less 8 of UDP's header, and over IPv4 less 20 of IP's. */
const MAX_ANSWER_BYTES = { ipv4: 65_507, ipv6: 65_527 };

/** Answers that wait for `--delay` may take so much memory; what comes then is dropped, as a router does. */
const MAX_WAITING_BYTES = 16 * 2 ** 20;

/** What an answer that waits costs beside its own bytes, about. */
const OVERHEAD_BYTES = 512;

/** Sends answers, at once or after a delay, and tells what became of each. Nothing a client sends makes it fail. */
export class AnswerQueue implements AsyncDisposable {
  readonly #socket: UdpSocket;
  readonly #log: EchoLog;
  readonly #ctx: RoleContext;
  readonly #waiting = new Set<Promise<void>>();
  #waitingBytes = 0;

  /** Creates an empty queue in front of `socket`. */
  constructor(
    { socket, log, ctx }: {
      readonly socket: UdpSocket;
      readonly log: EchoLog;
      readonly ctx: RoleContext;
    },
  ) {
    this.#socket = socket;
    this.#log = log;
    this.#ctx = ctx;
  }

  /** Resolves when the answer is sent, or, with a delay, is in the queue. */
  async send(answer: Uint8Array, about: AboutAnswer): Promise<void> {
    if (about.delayMs === 0) return await this.#sendNow(answer, about);
    const costBytes = answer.length + OVERHEAD_BYTES;
    if (this.#waitingBytes + costBytes > MAX_WAITING_BYTES) {
      return this.#log.add({
        type: "echo.dropped",
        remote: formatHostPort(about.to),
        receivedBytes: about.receivedBytes,
        reason: "queue-full",
      });
    }
    this.#waitingBytes += costBytes;
    const sent = this.#sendLater(answer, about).finally(() => {
      this.#waitingBytes -= costBytes;
      this.#waiting.delete(sent);
    });
    this.#waiting.add(sent);
  }

  /** Resolves when no answer waits any more; those still waiting when the run is aborted are not sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#waiting);
  }

  async #sendLater(answer: Uint8Array, about: AboutAnswer): Promise<void> {
    const { clock, signal } = this.#ctx;
    try {
      await clock.sleepUntil(clock.nowMs() + about.delayMs, signal);
    } catch {
      return;
    }
    await this.#sendNow(answer, about);
  }

  async #sendNow(answer: Uint8Array, about: AboutAnswer): Promise<void> {
    const remote = formatHostPort(about.to);
    const { receivedBytes } = about;
    const max = MAX_ANSWER_BYTES[familyOf(about.to.host)];
    const failed = (
      code: "answer-too-long" | "send-failed",
      message: string,
    ) =>
      this.#log.add({
        type: "echo.failed",
        remote,
        receivedBytes,
        answerBytes: answer.length,
        code,
        message,
      });
    if (answer.length > max) {
      return failed(
        "answer-too-long",
        `the answer is ${answer.length} B long, and a datagram carries at most ${max} B`,
      );
    }
    try {
      await this.#socket.send(answer, about.to);
    } catch (error) {
      if (this.#ctx.signal.aborted) return;
      return failed("send-failed", messageOf(error));
    }
    this.#log.add({
      type: "echo.answered",
      remote,
      receivedBytes,
      sentBytes: answer.length,
    });
  }
}

/** Whom an answer is for, and when. */
interface AboutAnswer {
  readonly to: Address;
  readonly receivedBytes: number;
  readonly delayMs: number;
}
