import { parseName } from "../../../../lib/dns/name.ts";
import { StubQuery } from "../../../../lib/dns/stub_query.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import type { Address } from "../../../../lib/io/net.ts";
import { askServer } from "../../../../lib/lookup/ask_server.ts";
import type { RoleContext } from "../../../../lib/role.ts";

/** Longest wait for a connection: on loopback it is there, or refused, at once. */
const CONNECT_MS = 1000;

/** Something a client did: it went to an edge. */
export interface Visit {
  readonly atMs: number;
  readonly edge: string;
  readonly isServed: boolean;
}

/** Who a client is, and what it wants. */
export interface CachingClientOptions {
  readonly name: string;
  readonly address: string;
  /** Its local DNS server. */
  readonly resolver: Address;
  /** Where edges listen. */
  readonly edgePort: number;
  /** From the start of a visit to that of the next. */
  readonly everyMs: number;
}

/** A client as any browser is: it keeps an answer for as long as its TTL says, and connects again and again to what it knows. */
export class CachingClient {
  readonly #options: CachingClientOptions;
  readonly #ctx: RoleContext;
  readonly #visits: Visit[] = [];
  #edge: string | undefined;
  #knownUntilMs = -Infinity;
  #latestMs = 0;

  /** Makes one that knows nothing yet. */
  constructor(options: CachingClientOptions, ctx: RoleContext) {
    this.#options = options;
    this.#ctx = ctx;
  }

  /** All visits so far. */
  get visits(): readonly Visit[] {
    return this.#visits;
  }

  /** The edge it was sent to last. */
  get edge(): string | undefined {
    return this.#edge;
  }

  /** By how much a visit was late at most: what a busy machine adds to all times. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** Visits from `startsAtMs` on, until `signal` aborts. */
  async run(startsAtMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ctx;
    let dueMs = startsAtMs;
    while (!signal.aborted) {
      await clock.sleepUntil(dueMs, signal).catch(() => {});
      if (signal.aborted) return;
      this.#latestMs = Math.max(this.#latestMs, clock.nowMs() - dueMs);
      await this.#visit(signal);
      dueMs = Math.max(clock.nowMs(), dueMs + this.#options.everyMs);
    }
  }

  async #visit(signal: AbortSignal): Promise<void> {
    const { clock, net } = this.#ctx;
    if (clock.nowMs() >= this.#knownUntilMs) await this.#ask(signal);
    const edge = this.#edge;
    if (edge === undefined) return;
    const atMs = clock.nowMs();
    let isServed = true;
    try {
      const at = { host: edge, port: this.#options.edgePort };
      const options = { timeoutMs: CONNECT_MS, signal };
      (await net.connectTcp(at, options))[Symbol.dispose]();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RunError)) throw error;
      isServed = false;
    }
    this.#visits.push({ atMs, edge, isServed });
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { clock, net, rng } = this.#ctx;
    const { name, resolver, address } = this.#options;
    const query = new StubQuery({ name: parseName(name), rng });
    const answer = await askServer(query, {
      ...{ server: resolver, from: address, ctx: { clock, net, signal } },
    });
    if (answer === undefined || answer instanceof Error) return;
    const [edge] = answer.addresses;
    if (edge === undefined) return;
    this.#edge = edge;
    this.#knownUntilMs = clock.nowMs() + 1000 * answer.ttlSeconds;
  }
}
