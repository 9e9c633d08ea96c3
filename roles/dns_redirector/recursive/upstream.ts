import { anyAddressOf, familyOf } from "../../../lib/core/address.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type {
  ResolverInput,
  ResolverOutput,
} from "../../../lib/dns/resolver/in_out.ts";
import type { Inbox } from "../../../lib/io/inbox.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import type { Address } from "../../../lib/io/net.ts";
import { askOverTcp } from "../../../lib/lookup/ask_over_tcp.ts";
import type { RoleContext } from "../../../lib/role.ts";

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
      // Known at once, not with each message that cannot be sent
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
      // Unreachable, or no such address here: the resolver asks another
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
    await askOverTcp(bytes, {
      ...{ to, net: this.#ctx.net, signal },
      connectTimeoutMs: TCP_TIMEOUT_MS,
      received: (bytes) =>
        this.#inbox.push({ kind: "message", exchangeId, from: to, bytes }),
    });
    this.#inbox.push({ kind: "disconnected", exchangeId });
  }

  #sourceFor({ host }: Address): string {
    const family = familyOf(host);
    return this.#from !== "" && familyOf(this.#from) === family
      ? this.#from
      : anyAddressOf(family);
  }
}
