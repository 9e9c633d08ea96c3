import { formatHostPort } from "../core/address.ts";
import { utf8 } from "../core/bytes.ts";
import { InputError, RunError } from "../core/errors.ts";
import { drive } from "../io/drive.ts";
import { LinkedAbort } from "../io/linked_abort.ts";
import type { Address } from "../io/net.ts";
import { within } from "../io/within.ts";
import { Pinger } from "../model/pinger.ts";
import type { RoleContext } from "../role.ts";
import type { EchoClientFlags } from "./client_flags.ts";
import { pingResult } from "./ping_result.ts";

/** The way to an echo server: how to send one message, and the echoes as they come. UDP and TCP differ only here. */
export interface EchoChannel {
  /** The server; of several addresses the one that is sent to now. */
  readonly remote: Address;
  /** Sends one message. */
  send(message: string): Promise<void>;
  /** The echoes. Ends when the server has closed the connection or the run is aborted. */
  readonly replies: AsyncIterator<string, void>;
  /** Whether every message is answered, in order, or not at all: after a silence nothing can be hoped for. */
  readonly isReliable: boolean;
}

/** What an echo client needs of the world. */
export type EchoClientContext = Pick<
  RoleContext,
  "clock" | "signal" | "terminal" | "emit" | "finish"
>;

/** Most exchanges that the JSON result lists; the counts beside them are of all. */
const MAX_LISTED = 10_000;

/** One message of {@linkcode talk} and what became of it. */
export interface Exchange {
  /** What was sent. */
  readonly message: string;
  /** Null when none came in time. */
  readonly reply: string | null;
  /** From sending to the echo; null when none came. */
  readonly rttMs: number | null;
}

/**
 * Does what the client's flags ask for: pings, or sends the messages, or lines as a person types them.
 *
 * @throws {InputError} If `count` is 0.
 * @throws {RunError} `no-answer` when nothing came back, and what {@linkcode talk} throws.
 */
export async function runEchoClient(
  channel: EchoChannel,
  flags: Pick<EchoClientFlags, "count" | "interval" | "timeout"> & {
    /** What to send; undefined takes the lines of standard input. */
    readonly messages: readonly string[] | undefined;
  },
  ctx: EchoClientContext,
): Promise<void> {
  const { messages, count, interval, timeout } = flags;
  if (count === 0) throw new InputError("--count must be 1 or more, got 0");
  if (count !== undefined) {
    const message = messages?.join(" ") ?? "ping";
    const options = {
      count,
      intervalMs: interval,
      timeoutMs: timeout,
      message,
    };
    return await ping(channel, options, ctx);
  }
  const lines = messages ?? ctx.terminal.lines(ctx.signal);
  const exchanges: Exchange[] = [];
  let sent = 0;
  let received = 0;
  for await (
    const exchange of talk(channel, lines, { ctx, timeoutMs: timeout })
  ) {
    sent += 1;
    if (exchange.reply !== null) received += 1;
    if (exchanges.length < MAX_LISTED) exchanges.push(exchange);
    // A person who types wants each echo at once.
    if (messages === undefined && exchange.reply !== null) {
      ctx.terminal.write(`${exchange.reply}\n`);
    }
  }
  const remote = formatHostPort(channel.remote);
  ctx.finish({
    text: messages === undefined
      ? ""
      : exchanges.map(({ reply }) => reply === null ? "" : `${reply}\n`).join(
        "",
      ),
    json: { remote, sent, received, exchanges },
  });
  if (sent > 0 && received === 0 && !ctx.signal.aborted) {
    throw noAnswer(remote, timeout);
  }
}

/**
 * Sends each message and yields its echo before it sends the next one. Ends with the messages, or when the run is aborted.
 *
 * @throws {RunError} `no-answer` on a reliable channel, `connection-closed` when the server has closed it.
 */
export async function* talk(
  channel: EchoChannel,
  messages: AsyncIterable<string> | Iterable<string>,
  { ctx, timeoutMs }: {
    readonly ctx: EchoClientContext;
    readonly timeoutMs: number;
  },
): AsyncGenerator<Exchange, void> {
  const inbox = new Inbox(channel, ctx);
  let messageIndex = 0;
  for await (const message of messages) {
    messageIndex += 1;
    const sentAtMs = ctx.clock.nowMs();
    await channel.send(message);
    const remote = formatHostPort(channel.remote);
    const reply = await inbox.replyTo(message, sentAtMs + timeoutMs);
    if (ctx.signal.aborted) return;
    if (reply === undefined) throw closedByServer(remote, messageIndex);
    if (reply === null) {
      ctx.emit({ type: "reply.missed", remote, messageIndex, timeoutMs });
      if (channel.isReliable) throw noAnswer(remote, timeoutMs);
      yield { message, reply, rttMs: null };
      continue;
    }
    const rttMs = ctx.clock.nowMs() - sentAtMs;
    const receivedBytes = utf8(reply).length;
    ctx.emit({
      type: "reply.received",
      remote,
      messageIndex,
      receivedBytes,
      rttMs,
    });
    yield { message, reply, rttMs };
  }
}

/** Tells the echo of this message from the late one of an earlier message, which must not be taken for it. */
class Inbox {
  readonly #channel: EchoChannel;
  readonly #ctx: EchoClientContext;
  /** The echoes that did not come in time, but still may. */
  readonly #late = new Set<string>();
  #arriving: Promise<IteratorResult<string, void>> | undefined;

  constructor(channel: EchoChannel, ctx: EchoClientContext) {
    this.#channel = channel;
    this.#ctx = ctx;
  }

  /** Returns the echo, null if none came in time, undefined if none can come any more. */
  async replyTo(
    message: string,
    giveUpAtMs: number,
  ): Promise<string | null | undefined> {
    const { clock, signal } = this.#ctx;
    const expected = message.toUpperCase();
    try {
      for (;;) {
        this.#arriving ??= this.#channel.replies.next();
        const limitMs = giveUpAtMs - clock.nowMs();
        const next = await within(this.#arriving, { clock, limitMs, signal });
        this.#arriving = undefined;
        if (next.done) return undefined;
        if (next.value === expected || !this.#late.delete(next.value)) {
          return next.value;
        }
      }
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof RunError && error.code === "timed-out")) {
        throw error;
      }
      this.#late.add(expected);
      return null;
    }
  }
}

/**
 * Sends `count` numbered messages, measures each round trip and finishes with the statistics.
 *
 * @throws {RunError} `no-answer` when not one came back, `connection-closed` when the server has closed it before the last one did.
 */
export async function ping(
  channel: EchoChannel,
  flags: {
    readonly count: number;
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly message: string;
  },
  ctx: EchoClientContext,
): Promise<void> {
  const remote = () => formatHostPort(channel.remote);
  using done = new LinkedAbort(ctx.signal);
  const pinger = new Pinger({ ...flags, startAtMs: ctx.clock.nowMs() });
  await drive(
    pinger,
    asInputs(channel.replies),
    (output) => {
      switch (output.kind) {
        case "send":
          return channel.send(output.text);
        case "received":
          return ctx.emit({
            type: "reply.received",
            remote: remote(),
            messageIndex: output.seq,
            receivedBytes: output.receivedBytes,
            rttMs: output.rttMs,
          });
        case "missed":
          return ctx.emit({
            type: "reply.missed",
            remote: remote(),
            messageIndex: output.seq,
            timeoutMs: flags.timeoutMs,
          });
        case "done":
          return done.abort();
      }
    },
    { clock: ctx.clock, signal: done.signal },
  );
  const result = pingResult(remote(), pinger.rttsMs);
  ctx.finish(result);
  if (ctx.signal.aborted) return;
  // It is the replies that have ended, before the pinger was done.
  if (!done.signal.aborted) {
    throw closedByServer(remote(), result.json.received + 1);
  }
  if (result.json.received === 0) {
    throw noAnswer(remote(), flags.timeoutMs);
  }
}

async function* asInputs(replies: AsyncIterator<string, void>) {
  for (;;) {
    const next = await replies.next();
    if (next.done) return;
    yield { kind: "reply" as const, text: next.value };
  }
}

/** Nothing came back: the error of a client whose every message went unanswered. */
function noAnswer(remote: string, timeoutMs: number): RunError {
  return new RunError(
    "no-answer",
    `Cannot get an answer from ${remote}: nothing came back within ${timeoutMs} ms; is an echo server running there?`,
  );
}

function closedByServer(remote: string, messageIndex: number): RunError {
  return new RunError(
    "connection-closed",
    `Cannot get reply ${messageIndex} from ${remote}: the server closed the connection (the lecture's TCP server answers once per connection)`,
  );
}
