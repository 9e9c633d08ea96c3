import { RunError } from "../../lib/core/errors.ts";
import type { ResolverInput, ResolverOutput } from "../../lib/dns/resolver.ts";
import { frameMessage, MessageDecoder } from "../../lib/dns/stream.ts";
import type { Inbox } from "../../lib/io/inbox.ts";
import { LinkedAbort } from "../../lib/io/linked_abort.ts";
import type { Address, TcpConnection } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";

const READ_BYTES = 16_384;
/** The resolver ends a wait long before; this is only so that no connection is without an end. */
const TCP_TIMEOUT_MS = 10_000;

type Send = ResolverOutput & { readonly kind: "send" };

/** The messages of a resolver to authorities that are under way, each with a socket of its own and so a port drawn by the system. */
export class Upstream implements AsyncDisposable {
  readonly #ctx: RoleContext;
  readonly #inbox: Inbox<ResolverInput>;
  readonly #from: string;
  readonly #open = new Map<number, AbortController>();
  readonly #running = new Set<Promise<void>>();

  private constructor(
    inbox: Inbox<ResolverInput>,
    { ctx, from }: { readonly ctx: RoleContext; readonly from: string },
  ) {
    this.#ctx = ctx;
    this.#inbox = inbox;
    this.#from = from;
  }

  /**
   * Makes it ready to send; what arrives goes to `inbox`.
   *
   * @param about.from A literal address of this machine to send from, or "" for the system's choice.
   * @throws {RunError} `address-not-available` if it is none of this machine's.
   */
  static async open(
    inbox: Inbox<ResolverInput>,
    about: { readonly ctx: RoleContext; readonly from: string },
  ): Promise<Upstream> {
    if (about.from !== "") {
      // known at once, not with each message that cannot be sent
      await using _probe = about.ctx.net.listenUdp({
        host: about.from,
        port: 0,
      });
    }
    return new Upstream(inbox, about);
  }

  /** Sends a message and listens for what comes back. */
  send(send: Send): void {
    const over = new LinkedAbort(this.#ctx.signal);
    this.#open.set(send.exchangeId, over);
    const { signal } = over;
    const talk = send.transport === "udp"
      ? this.#askUdp(send, signal)
      : this.#askTcp(send, signal);
    const running = talk.catch((error) => {
      if (signal.aborted) return;
      if (!(error instanceof RunError)) throw error;
      // unreachable, or no such address here: the resolver asks another
      const { exchangeId } = send;
      this.#inbox.push({ kind: "disconnected", exchangeId });
    });
    this.#running.add(running);
    running.finally(() => {
      this.#running.delete(running);
      over[Symbol.dispose]();
    });
  }

  /** Nothing is awaited for this message any more. */
  close(exchangeId: number): void {
    this.#open.get(exchangeId)?.abort();
    this.#open.delete(exchangeId);
  }

  /** Closes all sockets. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const over of this.#open.values()) over.abort();
    await Promise.all(this.#running);
  }

  async #askUdp(
    { exchangeId, to, bytes }: Send,
    signal: AbortSignal,
  ): Promise<void> {
    await using socket = this.#ctx.net.listenUdp({
      host: this.#sourceFor(to),
      port: 0,
    });
    await socket.send(bytes, to);
    for await (const { bytes, host, port } of socket.receive(signal)) {
      const from = { host, port };
      this.#inbox.push({ kind: "message", exchangeId, from, bytes });
    }
  }

  async #askTcp(
    { exchangeId, to, bytes }: Send,
    signal: AbortSignal,
  ): Promise<void> {
    let connection: TcpConnection | undefined;
    const close = () => connection?.[Symbol.dispose]();
    signal.addEventListener("abort", close, { once: true });
    try {
      connection = await this.#ctx.net.connectTcp(to, {
        timeoutMs: TCP_TIMEOUT_MS,
        signal,
      });
      await connection.write(frameMessage(bytes));
      const decoder = new MessageDecoder();
      const buffer = new Uint8Array(READ_BYTES);
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        for (const message of decoder.push(buffer.subarray(0, count))) {
          const bytes = message.slice();
          this.#inbox.push({ kind: "message", exchangeId, from: to, bytes });
        }
      }
      this.#inbox.push({ kind: "disconnected", exchangeId });
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  }

  #sourceFor({ host }: Address): string {
    const isIpv6 = host.includes(":");
    if (this.#from !== "" && this.#from.includes(":") === isIpv6) {
      return this.#from;
    }
    return isIpv6 ? "::" : "0.0.0.0";
  }
}
