/**
 * HTTP for {@linkcode WebSeed}s (BEP 19), each of which the swarm sees as one more connection.
 */
import { concat, utf8 } from "../../lib/core/bytes.ts";
import { messageOf, RunError } from "../../lib/core/errors.ts";
import type { Metainfo } from "../../lib/bittorrent/metainfo/metainfo.ts";
import type { Swarm } from "../../lib/bittorrent/swarm/swarm.ts";
import {
  WebSeed,
  type WebSeedInput,
  type WebSeedOutput,
} from "../../lib/bittorrent/web_seed/web_seed.ts";
import { fetchFollowing } from "../../lib/io/fetch_following.ts";
import { sha1 } from "../../lib/io/hash.ts";
import { LinkedAbort, OVER } from "../../lib/io/linked_abort.ts";
import type { TcpConnection } from "../../lib/io/net.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { SwarmDriver } from "../../lib/peer/swarm_driver.ts";

/** Servers that are asked at the same time; the others of a torrent stand by. */
const MAX_ACTIVE = 4;
/** Bytes the swarm has not taken, above which no more are read. */
const MAX_WAITING_BYTES = 2 ** 20;
/** How often the seeds hear what peers give, over how many seconds. */
const RATES_MS = 1_000;
const RATE_SECONDS = 5;

/** What all web seeds of a torrent share. */
export interface WebSeedsOptions {
  readonly info: Metainfo;
  readonly swarm: Swarm;
  readonly driver: SwarmDriver;
  readonly ctx: RoleContext;
}

/** The web seeds of a torrent, from the first that is asked to the last that failed. */
export class WebSeeds {
  readonly #options: WebSeedsOptions;
  readonly #standby: string[];
  readonly #active = new Set<WebSeedDriver>();
  readonly #stop = new AbortController();
  readonly #tasks = new Set<Promise<void>>();

  /** Creates those of `info.webSeeds` that speak HTTP. */
  constructor(options: WebSeedsOptions) {
    this.#options = options;
    this.#standby = options.info.webSeeds.filter((url) =>
      /^https?:/i.test(url)
    );
  }

  /** Begins to ask them. */
  start(): void {
    if (this.#standby.length === 0) return;
    while (this.#active.size < MAX_ACTIVE && this.#startNext());
    this.#task(this.#tellRates());
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    while (this.#tasks.size > 0) await Promise.allSettled([...this.#tasks]);
  }

  #startNext(): boolean {
    const { info, swarm } = this.#options;
    const complete = swarm.status.havePieces === info.pieceCount;
    const url = complete ? undefined : this.#standby.shift();
    if (url === undefined) return false;
    const seed = new WebSeedDriver(url, this.#options, this.#stop.signal);
    this.#active.add(seed);
    this.#task(
      seed.run().finally(() => {
        this.#active.delete(seed);
        if (!this.#stop.signal.aborted) this.#startNext();
      }),
    );
    return true;
  }

  async #tellRates(): Promise<void> {
    const { swarm, ctx: { clock } } = this.#options;
    while (!this.#stop.signal.aborted) {
      await pauseUntil(clock.nowMs() + RATES_MS, {
        clock,
        signal: this.#stop.signal,
      });
      const nowMs = clock.nowMs();
      let ours = 0;
      for (const seed of this.#active) ours += seed.bytesPerSecond;
      const { down } = swarm.rates(nowMs, RATE_SECONDS);
      const peersBytesPerSecond = Math.max(0, down - ours);
      for (const seed of this.#active) {
        seed.feed({ kind: "rates", peersBytesPerSecond });
      }
    }
  }

  #task(work: Promise<void>): void {
    const task = work.finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

/** One web seed: the machine, the requests it makes, and its end of a connection that has no socket. */
class WebSeedDriver implements TcpConnection {
  readonly local = { host: "", port: 0 };
  readonly remote: { readonly host: string; readonly port: number };
  readonly #url: string;
  readonly #machine: WebSeed;
  readonly #options: WebSeedsOptions;
  readonly #end = new AbortController();
  /** What the swarm has not read. */
  readonly #said: Uint8Array[] = [];
  #saidBytes = 0;
  #wakeReader: () => void = () => {};
  #wakeFetch: () => void = () => {};
  #wakeClock = new AbortController();
  #request = new AbortController();
  #fetching: Promise<void> = Promise.resolve();

  constructor(url: string, options: WebSeedsOptions, stop: AbortSignal) {
    const { protocol, hostname, port } = new URL(url);
    const usual = protocol === "https:" ? 443 : 80;
    this.remote = { host: hostname, port: port === "" ? usual : Number(port) };
    this.#url = url;
    this.#options = options;
    this.#machine = new WebSeed({
      layout: options.info,
      url,
      infoHash: options.info.infoHash,
      peerId: concat(utf8("-WS0001-"), sha1(utf8(url)).subarray(0, 12)),
    });
    if (stop.aborted) this.#end.abort();
    stop.addEventListener("abort", () => this[Symbol.dispose]());
  }

  get bytesPerSecond(): number {
    return this.#machine.bytesPerSecond;
  }

  /** Runs the machine until the swarm closes the connection, or the server turns out to be of no use. */
  async run(): Promise<void> {
    const { clock } = this.#options.ctx;
    this.feed({ kind: "start" });
    while (!this.#end.signal.aborted) {
      this.#wakeClock = new LinkedAbort(this.#end.signal);
      const { deadlineMs } = this.#machine;
      await clock.sleepUntil(
        deadlineMs,
        this.#wakeClock.signal,
      ).then(() => this.feed({ kind: "timeout" }), () => {});
    }
    this.#request.abort();
    await this.#fetching;
  }

  feed(input: WebSeedInput): void {
    if (this.#end.signal.aborted) return;
    const { clock } = this.#options.ctx;
    for (const output of this.#machine.handle(input, clock.nowMs())) {
      this.#perform(output);
    }
    this.#wakeClock.abort(OVER);
  }

  #perform(output: WebSeedOutput): void {
    switch (output.kind) {
      case "join":
        return this.#options.driver.adopt(this, this.#url);
      case "say":
        this.#said.push(output.bytes);
        this.#saidBytes += output.bytes.length;
        return this.#wakeReader();
      case "fetch": {
        const request = this.#request = new AbortController();
        this.#fetching = this.#fetching.then(() =>
          this.#fetch(output, request.signal)
        );
        return;
      }
      case "abort":
        return this.#request.abort();
      case "failed":
        this.#options.ctx.emit({
          type: "webseed.failed",
          url: this.#url,
          reason: output.reason,
          ...(output.retryMs === Infinity
            ? {}
            : { retryMs: Math.round(output.retryMs) }),
        });
        if (output.retryMs === Infinity) this[Symbol.dispose]();
    }
  }

  async #fetch(
    { id, url, offset, lengthBytes }: Extract<
      WebSeedOutput,
      { readonly kind: "fetch" }
    >,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    const startMs = this.#options.ctx.clock.nowMs();
    try {
      const range = `bytes=${offset}-${offset + lengthBytes - 1}`;
      const response = await fetchFollowing(this.#options.ctx.net, url, {
        headers: { range },
        signal,
      });
      this.feed({ kind: "answered", id, ...headOf(response) });
      const body = response.body?.getReader();
      try {
        while (body !== undefined && !signal.aborted) {
          const { value, done } = await body.read();
          if (done) break;
          this.feed({ kind: "data", id, bytes: value });
          await this.#drained();
        }
      } finally {
        await body?.cancel().catch(() => {});
      }
      if (!signal.aborted) this.feed({ kind: "ended", id });
      this.#options.ctx.emit({
        type: "webseed.fetched",
        ...{ url, offset, bytes: lengthBytes, status: response.status },
        durationMs: Math.round(this.#options.ctx.clock.nowMs() - startMs),
      });
    } catch (error) {
      if (signal.aborted) return;
      this.feed({
        ...{ kind: "failed", id },
        reason: error instanceof RunError
          ? messageOf(error)
          : "the connection was lost",
      });
    }
  }

  async #drained(): Promise<void> {
    while (this.#saidBytes > MAX_WAITING_BYTES && !this.#end.signal.aborted) {
      await new Promise<void>((resolve) => this.#wakeFetch = resolve);
    }
  }

  // The connection, as the swarm's driver sees it.

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#said.length === 0) {
      if (this.#end.signal.aborted) return null;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    const first = this.#said.shift()!;
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count < first.length) this.#said.unshift(first.subarray(count));
    this.#saidBytes -= count;
    this.#wakeFetch();
    return count;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.feed({ kind: "received", bytes });
    return Promise.resolve();
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  setNoDelay(): void {}

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#request.abort();
    this.#wakeReader();
    this.#wakeFetch();
  }
}

/** What the head of an answer says. */
function headOf(
  { status, headers }: Response,
): Omit<Extract<WebSeedInput, { readonly kind: "answered" }>, "kind" | "id"> {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(
    headers.get("content-range") ?? "",
  );
  const length = headers.get("content-length");
  const total = status === 206 ? range?.[2] ?? "*" : length ?? "*";
  const retry = headers.get("retry-after") ?? "";
  return {
    status,
    offset: range === null ? null : Number(range[1]),
    fileBytes: /^\d+$/.test(total) ? Number(total) : null,
    // A date is as good as no word: the clocks of a class differ.
    retryAfterMs: /^\d{1,5}$/.test(retry) ? Number(retry) * 1000 : null,
  };
}
