import { RunError } from "../../../lib/core/errors.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";
import type { HttpHandler } from "../../../lib/io/http.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RunningThread } from "../../../lib/io/threads.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { EdgeState } from "../front/admin.ts";
import { markOf } from "../node.ts";
import { EdgeMetrics } from "../account/metrics.ts";
import type { EdgeFlags } from "../flags.ts";
import type { Players } from "../account/players.ts";
import {
  type LeadCall,
  WORKER_MODULE,
  type WorkerCall,
  type WorkerState,
  type WorkerTask,
} from "./worker.ts";
import { WorkerLink } from "./link.ts";
import { gaugesOfAll, WorkerEvents } from "./sums.ts";

/** How long threads may take to stop: answers in flight have 2 s of it. */
const STOPPING_MS = 4000;

/** What the lead does for its threads. */
export interface LeadService {
  readonly players: Pick<Players, "note">;
  /** Answers what is no thread's own: purges. */
  readonly answer: HttpHandler;
}

/**
 * The threads of an edge, each joined to each. They share the port; the responses to a target are kept by one of them,
 * so what holds for one cache holds for all of it: one fetch for all who wait, no copy kept twice.
 */
export class Crew implements Disposable {
  readonly #ctx: RoleContext;
  readonly #flags: EdgeFlags;
  readonly #service: LeadService;
  readonly #mark: string;
  readonly #events: WorkerEvents;
  readonly #threads: RunningThread[] = [];
  readonly #links: WorkerLink[] = [];
  readonly #listening = Promise.withResolvers<number>();
  readonly #allClosed = Promise.withResolvers<void>();
  #listeners = 0;
  #closed = 0;

  /** Starts nothing yet. */
  constructor(flags: EdgeFlags, ctx: RoleContext, service: LeadService) {
    this.#ctx = ctx;
    this.#flags = flags;
    this.#service = service;
    this.#mark = markOf(ctx);
    this.#events = new WorkerEvents(flags.workers, ctx.emit);
  }

  /** Serves until told to stop, or a thread fails. @throws {RunError} What the thread failed with. */
  async run(): Promise<void> {
    const { workers, port } = this.#flags;
    await this.#checkPort();
    const mesh = meshOf(workers);
    const start = (index: number, listensAt: number) =>
      this.#start(index, { port: listensAt, links: mesh[index]! });
    // The first finds the port that is free, and clears the folder of what nobody wants, before others write there.
    const first = start(0, port);
    const listensAt = await Promise.race([this.#listening.promise, first]);
    if (listensAt === undefined) return;
    const ends = [first];
    for (let index = 1; index < workers; index++) {
      ends.push(start(index, listensAt));
    }
    const over = new AbortController();
    try {
      await Promise.race([Promise.all(ends), this.#late(over.signal)]);
    } finally {
      over.abort();
    }
  }

  /** Resolves when the threads have had their time to stop; whoever still runs then is ended. */
  async #late(over: AbortSignal): Promise<void> {
    const { clock, signal } = this.#ctx;
    await pauseUntil(Infinity, { clock, signal });
    await pauseUntil(clock.nowMs() + STOPPING_MS, { clock, signal: over });
  }

  /**
   * Fails if somebody has the port: the system would let other threads of this user share it, those of another edge too.
   * Who connects while this looks is reset, as it would have been refused just before: nobody can bind without listening.
   */
  async #checkPort(): Promise<void> {
    const { host, port } = this.#flags;
    if (port === 0) return;
    await using _free = this.#ctx.net.listenTcp({ host, port });
  }

  /** Calls all threads for the same; their results in order. */
  callAll(call: WorkerCall): Promise<readonly unknown[]> {
    return Promise.all(this.#links.map((link) => link.call(call)));
  }

  /** How all stand together; `own` counts what was answered here. */
  async look(own: EdgeMetrics): Promise<EdgeState> {
    const states = await this.callAll({ kind: "look" }) as WorkerState[];
    const metrics = new EdgeMetrics();
    metrics.add(own.counts());
    for (const { counts } of states) metrics.add(counts);
    return { metrics, gauges: gaugesOfAll(states.map(({ gauges }) => gauges)) };
  }

  /** Ends what still runs. */
  [Symbol.dispose](): void {
    for (const link of this.#links) link[Symbol.dispose]();
    for (const thread of this.#threads) thread[Symbol.dispose]();
  }

  /** Starts a thread; resolves when it has ended. */
  async #start(
    index: number,
    { port, links }: {
      readonly port: number;
      readonly links: readonly (MessagePort | null)[];
    },
  ): Promise<undefined> {
    const { name, rng, processes, signal } = this.#ctx;
    const { port1, port2 } = new MessageChannel();
    this.#links.push(
      new WorkerLink(port1, {
        handle: this.#service.answer,
        call: (call) => this.#called(call as LeadCall),
      }, this.#ctx.clock),
    );
    const flags = shareOf({ ...this.#flags, port }, index);
    const mark = this.#mark;
    const task: WorkerTask = { index, flags, mark, links, lead: port2 };
    const thread = processes.startThread(WORKER_MODULE, {
      name,
      seed: Math.floor(rng() * 2 ** 32),
      task,
      ports: [port2, ...links.filter((link) => link !== null)],
      emit: (event) => this.#heard(index, event),
    });
    this.#threads.push(thread);
    const stop = () => thread.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await thread.ended;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    // Its objects are gone with it: the others could only say so.
    if (!signal.aborted) {
      throw new RunError("thread-failed", "A thread of the edge has ended");
    }
    return undefined;
  }

  #heard(index: number, event: RolecallEvent): void {
    if (event.type !== "role.listening") {
      return this.#events.heard(index, event);
    }
    if (index === 0) this.#listening.resolve(event.port);
    this.#listeners += 1;
    if (this.#listeners === this.#flags.workers) this.#ctx.emit(event);
  }

  #called(call: LeadCall): unknown {
    if (call.kind === "note") {
      return this.#service.players.note(call.remote, call.said);
    }
    this.#closed += 1;
    if (this.#closed === this.#threads.length) this.#allClosed.resolve();
    return this.#allClosed.promise;
  }
}

/** The ports by which each thread is joined to each: `mesh[a][b]` is the one that `a` has to `b`. */
function meshOf(workers: number): (MessagePort | null)[][] {
  const mesh = Array.from(
    { length: workers },
    () => new Array<MessagePort | null>(workers).fill(null),
  );
  for (let a = 0; a < workers; a++) {
    for (let b = a + 1; b < workers; b++) {
      const { port1, port2 } = new MessageChannel();
      mesh[a]![b] = port1;
      mesh[b]![a] = port2;
    }
  }
  return mesh;
}

/** What one thread may use of what all may. */
function shareOf(flags: EdgeFlags, index: number): EdgeFlags {
  const { workers } = flags;
  const share = (whole: number) =>
    Math.floor(whole / workers) + (index < whole % workers ? 1 : 0);
  return {
    ...flags,
    cacheSize: share(flags.cacheSize),
    diskSize: share(flags.diskSize),
    originConnections: share(flags.originConnections),
    originQueue: share(flags.originQueue),
    prefill: index === 0 ? flags.prefill : [],
  };
}
