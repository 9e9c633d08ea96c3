import { formatHostPort } from "../../../lib/core/address.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { ResolverInput } from "../../../lib/dns/resolver/in_out.ts";
import { frameMessage, MessageDecoder } from "../../../lib/dns/stream.ts";
import type { Inbox } from "../../../lib/io/inbox.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type { TcpConnection, TcpListener } from "../../../lib/io/net.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Clients, Tell } from "./clients.ts";

const READ_BYTES = 4096;
/** Questions of one connection whose answers are looked for or not yet taken by the client; then it is not read any further. */
const MAX_OPEN_QUESTIONS = 64;

/** What the door for clients over TCP needs. */
interface TcpClientsDoor {
  readonly inbox: Inbox<ResolverInput>;
  readonly clients: Clients;
  readonly ctx: RoleContext;
  readonly flags: {
    readonly maxConnections: number;
    readonly idleTimeout: number;
  };
}

/** Takes questions over TCP (RFC 7766): many per connection, answered as their answers are found (§6.2.1.1). */
export async function serveTcpClients(
  listener: TcpListener,
  door: TcpClientsDoor,
): Promise<void> {
  const { ctx, flags } = door;
  const talks = new Set<Promise<void>>();
  for await (const connection of listener.accept(ctx.signal)) {
    if (talks.size >= flags.maxConnections) {
      connection[Symbol.dispose]();
      disconnected(connection, { ctx, reason: "too-many-connections" });
      continue;
    }
    const talk = new Conversation(connection, door).run();
    talks.add(talk);
    talk.finally(() => talks.delete(talk));
  }
  await Promise.all(talks);
}

function disconnected(
  { remote }: TcpConnection,
  { ctx, reason }: {
    readonly ctx: RoleContext;
    readonly reason: "idle" | "too-many-connections";
  },
): void {
  ctx.emit({
    type: "resolver.disconnected",
    remote: formatHostPort(remote),
    reason,
  });
}

/** One client's connection. */
class Conversation {
  readonly #connection: TcpConnection;
  readonly #door: TcpClientsDoor;
  #open = 0;
  /** Those of them whose answer is there and waits for the client to take it. */
  #unwritten = 0;
  /** When the client asked or took something last. */
  #lastAtMs: number;
  #isOver = false;
  #wake: (() => void) | undefined;
  readonly #closed = Promise.withResolvers<void>();
  /** Answers go out one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(connection: TcpConnection, door: TcpClientsDoor) {
    this.#connection = connection;
    this.#door = door;
    this.#lastAtMs = door.ctx.clock.nowMs();
  }

  async run(): Promise<void> {
    const ended = new LinkedAbort(this.#door.ctx.signal);
    const watching = this.#closeWhenIdle(ended.signal);
    try {
      await this.#readAll();
      // The client may have closed its side only; it gets what it asked for
      while (this.#open > 0 && !this.#isOver) await this.#changed();
      // Older Denos do not break off a write when the connection is closed
      await Promise.race([this.#writing, this.#closed.promise]);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
    } finally {
      this.#isOver = true;
      ended.abort();
      this.#connection[Symbol.dispose]();
      await watching;
    }
  }

  async #readAll(): Promise<void> {
    const { inbox, clients } = this.#door;
    const sender = { ...this.#connection.remote, transport: "tcp" } as const;
    const decoder = new MessageDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await this.#connection.read(buffer);
      if (count === null) return;
      for (const bytes of decoder.push(buffer.subarray(0, count))) {
        this.#lastAtMs = this.#door.ctx.clock.nowMs();
        this.#open += 1;
        const clientId = clients.add(this.#tell);
        const copy = bytes.slice();
        inbox.push({ kind: "query", clientId, sender, bytes: copy });
      }
      while (this.#open >= MAX_OPEN_QUESTIONS && !this.#isOver) {
        await this.#changed();
      }
    }
  }

  readonly #tell: Tell = (bytes) => {
    if (bytes === undefined || this.#isOver) return this.#done();
    this.#unwritten += 1;
    this.#writing = this.#writing
      .then(() => this.#connection.write(frameMessage(bytes)))
      .then(() => void (this.#unwritten -= 1))
      .catch((error) => {
        if (!(error instanceof RunError)) throw error;
        this.#isOver = true;
      })
      .finally(() => this.#done());
  };

  /** Notes that a question is done with. */
  #done(): void {
    this.#open -= 1;
    this.#lastAtMs = this.#door.ctx.clock.nowMs();
    this.#wake?.();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Closes the connection when there was no question for a while and none is open, or no answer is taken; and at the end of the role. */
  async #closeWhenIdle(signal: AbortSignal): Promise<void> {
    const { ctx, flags } = this.#door;
    try {
      for (;;) {
        const idleAtMs = this.#lastAtMs + flags.idleTimeout;
        const nowMs = ctx.clock.nowMs();
        const isSearching = this.#open > this.#unwritten;
        const isIdle = this.#unwritten > 0 || !isSearching;
        if (nowMs >= idleAtMs && isIdle) break;
        await ctx.clock.sleepUntil(Math.max(idleAtMs, nowMs + 1000), signal);
      }
      disconnected(this.#connection, { ctx, reason: "idle" });
    } catch {
      // Ended or stopping
    }
    this.#isOver = true;
    this.#connection[Symbol.dispose]();
    this.#closed.resolve();
    this.#wake?.();
  }
}
