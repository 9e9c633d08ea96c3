import { formatHostPort, parseAddress } from "../../../lib/core/address.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { Answering } from "../../../lib/dns/authority/responder.ts";
import type { ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import {
  FramedMessages,
  frameMessage,
  MessageDecoder,
} from "../../../lib/dns/stream.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type { TcpConnection } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { QueryLog, Sender } from "./query_log.ts";
import type { Transfers } from "./transfers.ts";

const READ_BYTES = 16_384;
/** Answers are sent when so many bytes wait, though more queries are there: who sends many small ones must not fill the memory. */
const WAITING_BYTES = 65_536;

/** What a talk needs. */
export interface TcpTalkOptions {
  readonly responder: Answering;
  /** The zones its answers are from, as of now. */
  readonly zones: () => ZoneTable;
  readonly transfers: Transfers;
  readonly log: QueryLog;
  readonly ctx: RoleContext;
  /** Closes a connection without a query for so long, in milliseconds. */
  readonly idleTimeout: number;
}

/** One connection: answers what comes on it, and closes it when nothing does. */
export class TcpTalk {
  /** When the last whole query came, or the last part of a zone was taken. */
  lastActiveAtMs: number;
  readonly connection: TcpConnection;
  readonly #closed = Promise.withResolvers<void>();
  /** Rejects when the connection is closed. */
  readonly #gone: Promise<never>;
  readonly #options: TcpTalkOptions;
  readonly #from: Sender;
  /** Zones that are being sent. */
  readonly #transfers = new Set<Promise<void>>();
  /** The end of all writes so far: one at a time, lest messages mix. */
  #written: Promise<void> = Promise.resolve();

  constructor(connection: TcpConnection, options: TcpTalkOptions) {
    const { host, port } = connection.remote;
    this.connection = connection;
    this.#options = options;
    this.lastActiveAtMs = options.ctx.clock.nowMs();
    // A link-local address comes with its interface: fe80::1%eth0
    const address = parseAddress(host.replace(/%.*$/, ""));
    this.#from = { address, port, transport: "tcp" };
    this.#gone = this.#closed.promise.then(() => {
      throw new RunError("connection-lost", "Cannot write: it is closed");
    });
    this.#gone.catch(() => {});
  }

  /** Closes the connection. A client that does not read may hold up what is being sent to it: older Denos do not break that off, and nobody waits for it any more. */
  close(): void {
    this.connection[Symbol.dispose]();
    this.#closed.resolve();
  }

  /** Answers until the client closes, falls silent, or the role ends. */
  async run(): Promise<void> {
    const { ctx, log } = this.#options;
    const ended = new LinkedAbort(ctx.signal);
    const watching = this.#closeWhenIdle(ended.signal);
    const decoder = new MessageDecoder();
    try {
      await Promise.race([this.#answerAll(decoder), this.#closed.promise]);
      if (decoder.pendingBytes > 0) {
        log.noteEnd({
          type: "protocol.violated",
          remote: formatHostPort(this.connection.remote),
          code: "dns-truncated",
          message: "Cannot read a query: the connection ended inside it",
        });
      }
      // Who has said all it wants to may still want to hear
      await Promise.race([
        Promise.all(this.#transfers),
        this.#closed.promise,
      ]);
    } catch (error) {
      // The client is gone; it may come back
      if (!(error instanceof RunError)) throw error;
    } finally {
      ended.abort();
      this.close();
      await watching;
    }
  }

  async #answerAll(decoder: MessageDecoder): Promise<void> {
    const { clock } = this.#options.ctx;
    const buffer = new Uint8Array(READ_BYTES);
    const answers = new FramedMessages();
    this.connection.setNoDelay(true);
    for (;;) {
      const count = await this.connection.read(buffer);
      if (count === null) return;
      const queries = decoder.push(buffer.subarray(0, count));
      if (queries.length > 0) this.lastActiveAtMs = clock.nowMs();
      for (const query of queries) {
        const answer = this.#answer(query);
        if (answer === undefined || answer.length === 0) continue;
        answers.add(answer);
        if (answers.length < WAITING_BYTES) continue;
        await this.#write(answers.bytes);
        answers.clear();
      }
      if (answers.length > 0) await this.#write(answers.bytes);
      answers.clear();
    }
  }

  #answer(query: Uint8Array): Uint8Array | undefined {
    const { ctx, log, responder, transfers, zones } = this.#options;
    const reply = responder.respond(query, this.#from);
    if (reply?.transfer === undefined) {
      log.note(query, reply, this.#from);
      return reply?.bytes;
    }
    const sending = transfers.send(
      { table: zones(), zone: reply.transfer, query: query.slice() },
      {
        remote: formatHostPort(this.connection.remote),
        write: async (message) => {
          // A write that is not broken off must not keep others from their zones
          await Promise.race([this.#write(frameMessage(message)), this.#gone]);
          this.lastActiveAtMs = ctx.clock.nowMs();
        },
      },
    );
    this.#transfers.add(sending);
    sending.finally(() => this.#transfers.delete(sending));
    return undefined;
  }

  #write(bytes: Uint8Array): Promise<void> {
    const written = this.#written.then(() => this.connection.write(bytes));
    this.#written = written.catch(() => {});
    return written;
  }

  /** Closes the connection when it was idle too long, and at the end of the role: reading then ends. */
  async #closeWhenIdle(signal: AbortSignal): Promise<void> {
    const { ctx: { clock }, idleTimeout, log } = this.#options;
    try {
      while (clock.nowMs() - this.lastActiveAtMs < idleTimeout) {
        await clock.sleepUntil(this.lastActiveAtMs + idleTimeout, signal);
      }
      log.noteEnd({
        type: "resolver.disconnected",
        remote: formatHostPort(this.connection.remote),
        reason: "idle",
      });
    } catch {
      // Ended or stopping
    }
    this.close();
  }
}
