import { formatHostPort } from "../../../lib/core/address.ts";
import { ProtocolError, RunError } from "../../../lib/core/errors.ts";
import { EdgeHealth, type HealthOutput } from "../../../lib/dns/edge_health.ts";
import { LoadMeter } from "../../../lib/dns/load_meter.ts";
import { displayName } from "../../../lib/dns/name.ts";
import { smoothRoundTrip } from "../../../lib/dns/select/by_latency.ts";
import { noteLoad } from "../../../lib/dns/select/by_load.ts";
import type { Edge, EdgeBook } from "../../../lib/dns/select/edge.ts";
import type { ZoneTable } from "../../../lib/dns/authority/zone_table.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { LinkedAbort } from "../../../lib/io/linked_abort.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import { checkEdge, describeCheck, readMetrics } from "./edge_check.ts";
import type { WatchRules } from "./watch_flags.ts";

/** At the start the edges are checked one after the other with such pauses, or shorter ones if there are many. */
const START_PAUSE_MS = 20;

/** So many names are told when none of their edges is left. */
const TOLD_NAMES = 20;

/** What is to be found out about an edge. */
interface Watched {
  readonly edge: Edge;
  readonly isChecked: boolean;
  readonly tellsLoad: boolean;
}

/** What stands for it: its place, and what is found out. */
function keyOf({ edge, isChecked, tellsLoad }: Watched): string {
  return [edge.place, isChecked, tellsLoad].join("\n");
}

/** Watches the edges of the zones that are served, and writes what it finds into the book that the policies read. */
export class EdgeWatch {
  readonly #rules: WatchRules;
  readonly #book: EdgeBook;
  readonly #ctx: RoleContext;
  /** By what is watched; see {@linkcode keyOf}. */
  readonly #running = new Map<string, AbortController>();
  readonly #loops = new Set<Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  #zones: ZoneTable | undefined;

  /** Makes a watch that watches nothing yet. */
  constructor(
    rules: WatchRules,
    { book, ctx }: { readonly book: EdgeBook; readonly ctx: RoleContext },
  ) {
    this.#rules = rules;
    this.#book = book;
    this.#ctx = ctx;
    this.#failed.promise.catch(() => {});
  }

  /** Watches the edges of `zones` from now on, and no others. */
  follow(zones: ZoneTable): void {
    this.#zones = zones;
    const wanted = new Map(
      this.#wanted(zones).map((watched) => [keyOf(watched), watched]),
    );
    for (const [key, stop] of this.#running) {
      if (wanted.has(key)) continue;
      stop.abort();
      this.#running.delete(key);
      this.#book.forget(key.split("\n")[0]!);
    }
    const fresh = [...wanted].filter(([key]) => !this.#running.has(key));
    const pauseMs = Math.min(
      START_PAUSE_MS,
      this.#rules.intervalMs / fresh.length,
    );
    for (const [index, [key, watched]] of fresh.entries()) {
      const stop = new LinkedAbort(this.#ctx.signal);
      this.#running.set(key, stop);
      this.#start(watched, stop.signal, index * pauseMs);
    }
  }

  /** Resolves when the role ends and nothing is watched any more. */
  async run(): Promise<void> {
    const { clock, signal } = this.#ctx;
    await Promise.race([
      pauseUntil(Infinity, { clock, signal }),
      this.#failed.promise,
    ]);
    for (const stop of this.#running.values()) stop.abort();
    await Promise.all(this.#loops);
  }

  #wanted(zones: ZoneTable): Watched[] {
    const wanted = new Map<string, Watched>();
    for (const { redirect } of zones.redirects()) {
      const { parts } = redirect.steering;
      const tellsLoad = parts.includes("load");
      const isChecked = this.#rules.check !== undefined ||
        parts.includes("latency");
      if (!isChecked && !tellsLoad) continue;
      for (const family of [redirect.ipv4, redirect.ipv6]) {
        for (const edge of family?.group.edges ?? []) {
          const before = wanted.get(edge.place);
          wanted.set(edge.place, {
            edge: before?.edge ?? edge,
            isChecked: isChecked || before?.isChecked === true,
            tellsLoad: tellsLoad || before?.tellsLoad === true,
          });
        }
      }
    }
    return [...wanted.values()];
  }

  #start(watched: Watched, signal: AbortSignal, afterMs: number): void {
    const atMs = this.#ctx.clock.nowMs() + afterMs;
    const loops = [
      ...(watched.isChecked ? [this.#check(watched.edge, signal, atMs)] : []),
      ...(watched.tellsLoad ? [this.#weigh(watched.edge, signal, atMs)] : []),
    ];
    for (const loop of loops) {
      const ended = loop.catch((error) => {
        if (!signal.aborted) this.#failed.reject(error);
      }).finally(() => this.#loops.delete(ended));
      this.#loops.add(ended);
    }
  }

  async #check(edge: Edge, signal: AbortSignal, atMs: number): Promise<void> {
    const { clock } = this.#ctx;
    const place = { host: edge.host, port: edge.port ?? this.#rules.port };
    const health = new EdgeHealth(this.#rules, atMs);
    const about = { edge, check: describeCheck(place, this.#rules) };
    for (;;) {
      await clock.sleepUntil(health.deadlineMs, signal);
      health.handle({ kind: "timeout" }, clock.nowMs());
      const outcome = await checkEdge(place, this.#rules, {
        ctx: this.#ctx,
        signal,
      });
      if (outcome.kind === "passed") this.#time(edge, outcome.roundTripMs);
      for (const change of health.handle(outcome, clock.nowMs())) {
        this.#change(change, { ...about, reason: outcome.reason });
      }
    }
  }

  #time(edge: Edge, roundTripMs: number): void {
    const { state, name, host } = edge;
    state.roundTrip = smoothRoundTrip(state.roundTrip, roundTripMs);
    const { smoothedMs, variationMs } = state.roundTrip;
    this.#ctx.emit({
      type: "distance.measured",
      edge: name,
      ...{ host, roundTripMs, smoothedMs, variationMs },
    });
  }

  #change(
    change: HealthOutput,
    { edge, check, reason }: {
      readonly edge: Edge;
      readonly check: string;
      readonly reason: string;
    },
  ): void {
    if (change.kind === "check") return;
    const about = { edge: edge.name, host: edge.host, check, reason };
    this.#book.setUp(edge.place, change.kind === "recovered");
    if (change.kind === "recovered") {
      const { downMs } = change;
      this.#ctx.emit({ type: "edge.recovered", ...about, downMs });
      return;
    }
    const { misses: failures, silentMs, hasPassed } = change;
    this.#ctx.emit({
      type: "edge.failed",
      ...about,
      ...{ failures, silentMs, hasPassed },
    });
    this.#tellExhausted(edge);
  }

  /** Tells of the names that `edge` was the last for. */
  #tellExhausted(edge: Edge): void {
    const names = new Set<string>();
    const edges = new Set<string>();
    for (const { redirect } of this.#zones?.redirects() ?? []) {
      for (const family of [redirect.ipv4, redirect.ipv6]) {
        const group = family?.group;
        if (group === undefined || group.live.length > 0) continue;
        if (!group.edges.some(({ place }) => place === edge.place)) continue;
        if (names.size < TOLD_NAMES) names.add(displayName(redirect.name));
        for (const { host } of group.edges) edges.add(host);
      }
    }
    if (names.size === 0) return;
    this.#ctx.emit({
      type: "edges.exhausted",
      edges: [...edges],
      names: [...names],
    });
  }

  async #weigh(edge: Edge, signal: AbortSignal, atMs: number): Promise<void> {
    const ctx = this.#ctx;
    const { intervalMs, timeoutMs, loadMetrics } = this.#rules;
    const url = this.#loadUrl(edge);
    const meter = new LoadMeter(loadMetrics);
    const about = { edge: edge.name, host: edge.host };
    let isTelling = true;
    for (
      let dueMs = atMs;;
      dueMs = Math.max(ctx.clock.nowMs(), dueMs + intervalMs)
    ) {
      await ctx.clock.sleepUntil(dueMs, signal);
      try {
        const page = await readMetrics(url, { ctx, signal, timeoutMs });
        const load = meter.read(page, ctx.clock.nowMs());
        isTelling = true;
        if (load === undefined) continue;
        noteLoad(this.#book, edge.place, {
          value: load,
          format: (value) => meter.format(value),
        });
        const smoothedLoad = edge.state.load?.value ?? load;
        ctx.emit({ type: "load.measured", ...about, load, smoothedLoad });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RunError || error instanceof ProtocolError)) {
          throw error;
        }
        edge.state.load = undefined;
        if (isTelling) {
          ctx.emit({
            type: "load.missed",
            ...about,
            url,
            reason: error.message,
          });
        }
        isTelling = false;
      }
    }
  }

  #loadUrl({ host, admin }: Edge): string {
    const { loadPort, loadPath } = this.#rules;
    const at = admin?.includes(":")
      ? admin
      : formatHostPort({ host, port: Number(admin ?? loadPort) });
    return `http://${at}${loadPath}`;
  }
}
