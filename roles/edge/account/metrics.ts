import type { EdgeCacheStatus, EdgeEvent } from "../../../lib/events/edge.ts";
import {
  Histogram,
  type HistogramCounts,
} from "../../../lib/model/histogram.ts";

type Of<T extends EdgeEvent["type"]> = Extract<EdgeEvent, { readonly type: T }>;

/** Seconds: from a hit in memory to an origin that takes its time. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25]
  .concat([0.5, 1, 2.5, 5, 10]);

/** Answers whose body came out of the cache. */
const CACHED: ReadonlySet<EdgeCacheStatus> = new Set<EdgeCacheStatus>([
  "hit",
  "stale",
  "revalidated",
  "collapsed",
]);

/** Answers that say nothing about the cache. */
const BESIDE: ReadonlySet<EdgeCacheStatus> = new Set<EdgeCacheStatus>([
  "error",
  "bypass",
  "own",
]);

/** Of status codes (RFC 9110 §15), by their first digit. */
const FAMILIES: readonly string[] = Array.from(
  { length: 10 },
  (_, digit) => `${digit}xx`,
);

/** What is counted of the answers of one kind. */
interface Tally {
  count: number;
  bytes: number;
  readonly seconds: Histogram;
}

/** What an edge's counters stand at, to be added to those of others. */
export interface EdgeCounts {
  readonly byCache: readonly (readonly [
    EdgeCacheStatus,
    {
      readonly count: number;
      readonly bytes: number;
      readonly seconds: HistogramCounts;
    },
  ])[];
  readonly byStatus: readonly (readonly [string, number])[];
  readonly fetched: readonly (readonly [
    string,
    { readonly count: number; readonly bytes: number },
  ])[];
  readonly cachedBytes: number;
}

/** How full a tier of the cache is. */
export interface TierGauges {
  readonly objects: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly evictions: number;
}

/** How things stand now, what is not a sum of events: the memory, and with `--cache-dir` the disk. */
export interface EdgeGauges extends TierGauges {
  readonly disk: TierGauges | undefined;
  readonly origins: readonly {
    readonly origin: string;
    readonly up: boolean;
    readonly active: number;
    readonly waiting: number;
  }[];
}

/** An edge's counters for Prometheus. Unlike the events, nothing is left out when there is much. */
export class EdgeMetrics {
  readonly #byCache = new Map<EdgeCacheStatus, Tally>();
  readonly #byStatus = new Map<string, number>();
  readonly #fetched = new Map<string, { count: number; bytes: number }>();
  #cachedBytes = 0;

  /** Counts an answer. */
  answered(
    { cacheStatus, status, bytes, durationMs }: Omit<
      Of<"edge.answered">,
      "type" | "remote"
    >,
  ) {
    const tally = this.#tally(cacheStatus);
    tally.count += 1;
    tally.bytes += bytes;
    tally.seconds.add(durationMs / 1000);
    if (CACHED.has(cacheStatus)) this.#cachedBytes += bytes;
    const family = FAMILIES[Math.floor(status / 100)]!;
    this.#byStatus.set(family, (this.#byStatus.get(family) ?? 0) + 1);
  }

  #tally(cacheStatus: EdgeCacheStatus): Tally {
    let tally = this.#byCache.get(cacheStatus);
    if (tally === undefined) {
      tally = { count: 0, bytes: 0, seconds: new Histogram(BOUNDS) };
      this.#byCache.set(cacheStatus, tally);
    }
    return tally;
  }

  /** Counts a fetch. */
  fetched({ origin, bytes }: Of<"edge.fetched">): void {
    this.#addFetched(origin, { count: 1, bytes });
  }

  #addFetched(
    origin: string,
    { count, bytes }: { readonly count: number; readonly bytes: number },
  ): void {
    const sum = this.#fetched.get(origin) ?? { count: 0, bytes: 0 };
    sum.count += count;
    sum.bytes += bytes;
    this.#fetched.set(origin, sum);
  }

  /** What the counters stand at. */
  counts(): EdgeCounts {
    return {
      byCache: [...this.#byCache].map(([cache, tally]) => [
        cache,
        { ...tally, seconds: tally.seconds.counted() },
      ]),
      byStatus: [...this.#byStatus],
      fetched: [...this.#fetched],
      cachedBytes: this.#cachedBytes,
    };
  }

  /** Adds what another edge counted. */
  add({ byCache, byStatus, fetched, cachedBytes }: EdgeCounts): void {
    for (const [cache, { count, bytes, seconds }] of byCache) {
      const tally = this.#tally(cache);
      tally.count += count;
      tally.bytes += bytes;
      tally.seconds.addAll(seconds);
    }
    for (const [code, count] of byStatus) {
      this.#byStatus.set(code, (this.#byStatus.get(code) ?? 0) + count);
    }
    for (const [origin, sum] of fetched) this.#addFetched(origin, sum);
    this.#cachedBytes += cachedBytes;
  }

  /** Of all answers but errors, what was passed on without a look, and our own, those that were not fetched for their request; 0 to 1. */
  hitRatio(): number {
    let all = 0;
    let hits = 0;
    for (const [cache, { count }] of this.#byCache) {
      if (BESIDE.has(cache)) continue;
      all += count;
      if (cache !== "miss") hits += count;
    }
    return all === 0 ? 0 : hits / all;
  }

  /** The lines for `/metrics`. */
  text(gauges: EdgeGauges): string {
    return this.#counters() +
      gauge("hit_ratio", "Part of answers not fetched for their request.", [
        ["", this.hitRatio()],
      ]) + gaugesText(gauges);
  }

  #counters(): string {
    const kinds = [...this.#byCache];
    const fetched = [...this.#fetched];
    return [
      family(
        "requests_total",
        "counter",
        "Answers by how the cache came by them.",
        kinds.map(([cache, { count }]) => [`cache="${cache}"`, count]),
      ),
      family(
        "responses_total",
        "counter",
        "Answers by class of status.",
        [...this.#byStatus].map(([code, n]) => [`code="${code}"`, n]),
      ),
      family(
        "sent_bytes_total",
        "counter",
        "Bytes of bodies sent to clients.",
        kinds.map(([cache, { bytes }]) => [`cache="${cache}"`, bytes]),
      ),
      family(
        "cache_bytes_total",
        "counter",
        "Bytes of bodies sent to clients out of the cache.",
        [["", this.#cachedBytes]],
      ),
      family(
        "origin_requests_total",
        "counter",
        "Answers from origins.",
        fetched.map(([origin, { count }]) => [label({ origin }), count]),
      ),
      family(
        "origin_bytes_total",
        "counter",
        "Bytes of bodies that origins sent.",
        fetched.map(([origin, { bytes }]) => [label({ origin }), bytes]),
      ),
      "# HELP rolecall_edge_request_duration_seconds Time from a request to the end of its answer.\n",
      "# TYPE rolecall_edge_request_duration_seconds histogram\n",
      ...kinds.map(([cache, { seconds }]) =>
        seconds.lines(
          "rolecall_edge_request_duration_seconds",
          `cache="${cache}"`,
        )
      ),
    ].join("");
  }
}

/** How things stand now. */
function gaugesText(gauges: EdgeGauges): string {
  const { origins, disk } = gauges;
  return [
    tierText("", "in memory", gauges),
    disk === undefined ? "" : tierText("disk_", "on the disk", disk),
    gauge(
      "origin_up",
      "1 while an origin is asked.",
      origins.map(({ origin, up }) => [label({ origin }), up ? 1 : 0]),
    ),
    gauge(
      "origin_active_requests",
      "Requests under way to an origin.",
      origins.map(({ origin, active }) => [label({ origin }), active]),
    ),
    gauge(
      "origin_waiting_requests",
      "Requests that wait for their turn.",
      origins.map(({ origin, waiting }) => [label({ origin }), waiting]),
    ),
  ].join("");
}

function tierText(prefix: string, where: string, tier: TierGauges): string {
  const { objects, usedBytes, capacityBytes, evictions } = tier;
  const name = (what: string) => `${prefix}${what}`;
  return [
    gauge(name("objects"), `Responses held ${where}.`, [["", objects]]),
    gauge(name("used_bytes"), "Bytes they take.", [["", usedBytes]]),
    gauge(name("capacity_bytes"), "Bytes they may take.", [
      ["", capacityBytes],
    ]),
    family(name("evictions_total"), "counter", "Responses that made room.", [
      ["", evictions],
    ]),
  ].join("");
}

type Samples = readonly (readonly [labels: string, value: number])[];

function gauge(name: string, help: string, samples: Samples): string {
  return family(name, "gauge", help, samples);
}

/** One metric of an edge: HELP, TYPE and its samples. */
export function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  samples: Samples,
): string {
  const full = `rolecall_edge_${name}`;
  const lines = samples.map(([labels, value]) =>
    `${full}${labels === "" ? "" : `{${labels}}`} ${value}\n`
  );
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}

/** Labels with what others chose in them. */
export function label(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs).map(([key, value]) =>
    `${key}="${
      value.replace(/["\\\n]/g, (char) => char === "\n" ? "\\n" : `\\${char}`)
    }"`
  ).join(",");
}
