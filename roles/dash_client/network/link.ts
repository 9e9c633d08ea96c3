import { InputError } from "../../../lib/core/errors.ts";
import { SharedLink } from "../../../lib/model/shared_link.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { openTrace, type TraceFlags } from "./trace_source.ts";

/** What came is handed on at least so often while it is held back, as the player feels it: rules look at downloads under way. */
const TICK_MS = 50;
/** What a near server and this machine take until bytes are there is not added to what the trace has, up to so much real time. */
const GRACE_MS = 100;
/** So much is read before it may be handed on: the pace is kept by the link's arithmetic, not by timers, while this lasts. */
const AHEAD_BYTES = 2 ** 20;

/**
 * The network of `--trace`, between the real one and all players of this process: what comes from the sockets is read
 * no faster than the trace gives, and a round trip of the trace passes before it begins.
 *
 * It runs on the player's clock, `speed` times as fast as the wall's. The trace begins with play; what is fetched before,
 * such as the manifest, passes as it comes.
 */
export class Link {
  readonly #trace: NetworkTrace;
  readonly #speed: number;
  readonly #clock: Clock;
  #shared: SharedLink | undefined;

  /** Makes a link that lets all pass until it is started. */
  constructor(trace: NetworkTrace, speed: number, clock: Clock) {
    this.#trace = trace;
    this.#speed = speed;
    this.#clock = clock;
  }

  /** What it gives. */
  get trace(): NetworkTrace {
    return this.#trace;
  }

  /** The trace begins; of several calls the first counts. */
  start(): void {
    this.#shared ??= new SharedLink(this.#trace, this.#nowMs(), {
      graceMs: GRACE_MS * this.#speed,
    });
  }

  /** A request is about to be sent; undefined while nothing is shaped. Who takes it ends it. */
  request(): Passage | undefined {
    return this.#shared === undefined ? undefined : new Passage(this.#shared, {
      clock: this.#clock,
      speed: this.#speed,
    });
  }

  #nowMs(): number {
    return this.#clock.nowMs() * this.#speed;
  }
}

/** Makes the link of `--trace`, if it is given. See `openTrace` for what is thrown. */
export async function openLink(
  { trace, latency, speed }: TraceFlags & { readonly speed: number },
  ctx: RoleContext,
): Promise<Link | undefined> {
  if (trace === undefined && latency !== undefined) {
    throw new InputError(
      "--latency is that of --trace: without it the network is as it is",
    );
  }
  if (trace === undefined) return undefined;
  const network = await openTrace(trace, { latency, ctx });
  return new Link(network, speed, ctx.clock);
}

/** One answer on its way over a {@linkcode Link}. */
export class Passage implements Disposable {
  readonly #link: SharedLink;
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #id: number;

  /** The request is sent now. */
  constructor(
    link: SharedLink,
    { clock, speed }: { readonly clock: Clock; readonly speed: number },
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#speed = speed;
    this.#id = link.request(this.#nowMs());
  }

  /** The head of the answer is there: when its first byte came over the link, on the wall's monotonic clock. */
  answeredAtMs(): number {
    return this.#link.answeredAtMs(this.#id, this.#nowMs()) / this.#speed;
  }

  /** When all that was handed on was through, on the same clock. */
  get throughAtMs(): number {
    return this.#link.drainedAtMs(this.#id, this.#nowMs()) / this.#speed;
  }

  /** How long the link had nothing to pass on, on the same clock. */
  get idleMs(): number {
    return this.#link.idleMs(this.#id) / this.#speed;
  }

  /** Hands a body on at the pace of the link. @throws what reading it throws; the signal's reason. */
  async *pace(
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const link = this.#link;
    await using reading = new ReadingAhead(body, (bytes) => {
      link.offer(this.#id, bytes, this.#nowMs());
    });
    let handedOn = 0;
    for (;;) {
      const nowMs = this.#nowMs();
      const passed = link.passedBytes(this.#id, nowMs);
      while (handedOn < passed) {
        const part = reading.take(passed - handedOn);
        handedOn += part.length;
        yield part;
      }
      if (reading.waiting > 0) {
        const drainedAtMs = link.drainedAtMs(this.#id, nowMs);
        const wakeAtMs = Math.min(drainedAtMs, nowMs + TICK_MS);
        await this.#clock.sleepUntil(wakeAtMs / this.#speed, signal);
      } else if (!await reading.more()) return;
    }
  }

  /** The answer is over. */
  [Symbol.dispose](): void {
    this.#link.end(this.#id, this.#nowMs());
  }

  #nowMs(): number {
    return this.#clock.nowMs() * this.#speed;
  }
}

/** Reads a body ahead of who takes it, up to a bound. */
class ReadingAhead implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #offer: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  readonly #done: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  #changed = Promise.withResolvers<void>();
  /** Bytes that came and were not taken. */
  waiting = 0;

  /** Begins to read; `offer` hears of each chunk. */
  constructor(
    body: ReadableStream<Uint8Array>,
    offer: (bytes: number) => void,
  ) {
    this.#reader = body.getReader();
    this.#offer = offer;
    this.#done = this.#read();
  }

  /** The next bytes, at most `most` of them. */
  take(most: number): Uint8Array {
    const first = this.#chunks[0]!;
    const part = first.subarray(0, most);
    if (part.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(part.length);
    this.waiting -= part.length;
    this.#change();
    return part;
  }

  /** Waits for more; false at the end. @throws what broke the body off. */
  async more(): Promise<boolean> {
    while (this.waiting === 0 && !this.#isOver) await this.#changed.promise;
    if (this.waiting === 0 && this.#failure !== undefined) {
      throw this.#failure.error;
    }
    return this.waiting > 0;
  }

  /** Stops reading. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#change();
    await this.#reader.cancel().catch(() => {});
    await this.#done;
  }

  async #read(): Promise<void> {
    try {
      while (!this.#isOver) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#offer(value.length);
        this.#chunks.push(value);
        this.waiting += value.length;
        this.#change();
        while (this.waiting >= AHEAD_BYTES && !this.#isOver) {
          await this.#changed.promise;
        }
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#isOver = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
