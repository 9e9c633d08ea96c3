/**
 * The contest of courses that build a CDN (Northeastern's "Roll Your Own CDN"): requests by Zipf's law, 20 MiB of cache, a
 * catalogue ten times that. Whose cache has more of what is asked for?
 */
import { type Rng, seededRng } from "../../lib/core/rng.ts";
import { ByteStore } from "../../lib/http/cache/byte_store.ts";
import { Zipf } from "../../lib/model/zipf.ts";

/** What each cache may hold. */
const BUDGET_BYTES = 20 * 2 ** 20;
const OBJECTS = 2000;
const OBJECT_BYTES = 10 * BUDGET_BYTES / OBJECTS;

/** What is asked for, in this order. */
export interface CacheTrace {
  /** Numbers of objects. */
  readonly asked: readonly number[];
  /** By number. */
  readonly sizes: readonly number[];
}

interface TraceOptions {
  readonly seed: number;
  readonly requests: number;
}

function zipfTrace(
  { seed, requests }: TraceOptions,
  options: {
    readonly sizeOf?: (rng: Rng) => number;
    /** The object for a rank at a time. */
    readonly objectOf?: (rank: number, at: number) => number;
    readonly objects?: number;
  } = {},
): CacheTrace {
  const rng = seededRng(seed);
  const { sizeOf = () => 1, objectOf = (rank) => rank } = options;
  const raw = Array.from({ length: OBJECTS }, () => sizeOf(rng));
  const sum = raw.reduce((all, size) => all + size, 0);
  const sizes = Array.from(
    { length: options.objects ?? OBJECTS },
    (_, at) =>
      at < OBJECTS
        ? Math.ceil(raw[at]! / sum * 10 * BUDGET_BYTES)
        : OBJECT_BYTES,
  );
  const zipf = new Zipf(OBJECTS, 0.9);
  const asked = Array.from(
    { length: requests },
    (_, at) => objectOf(zipf.draw(rng), at),
  );
  return { asked, sizes };
}

/** The traces: what a cache meets. */
export const TRACES: Readonly<
  Record<string, (options: TraceOptions) => CacheTrace>
> = {
  /** All objects of one size, as the segments of a title are. */
  "equal sizes": (options) => zipfTrace(options),
  /** Sizes spread over two orders of magnitude: manifests, sound, video. */
  "mixed sizes": (options) =>
    zipfTrace(options, {
      sizeOf: (rng) => Math.exp(2.2 * (rng() + rng() + rng() + rng() - 2)),
    }),
  /** Every other request of the second half of each ten thousand is for something nobody asks for again. */
  scans: (options) =>
    zipfTrace(options, {
      objects: OBJECTS + options.requests,
      objectOf: (rank, at) =>
        at % 10_000 >= 5000 && at % 2 === 1 ? OBJECTS + at : rank,
    }),
  /** What was popular is not any more, a few times. */
  "shifting popularity": (options) =>
    zipfTrace(options, {
      objectOf: (rank, at) =>
        (rank + 500 * Math.floor(6 * at / options.requests)) % OBJECTS,
    }),
};

/** Part of the requests that hit, 0 to 1. */
export function contest(name: keyof typeof RULES, trace: CacheTrace): number {
  return RULES[name](trace) / trace.asked.length;
}

/** From a trace to its hits. */
const RULES = {
  /** The least recently used leaves. */
  LRU: lru,
  /** What our edge does. */
  ours,
  /** As ours, with eight objects always on their way in: as many as a load client asks for at once. */
  "ours, filling": (trace: CacheTrace) => ours(trace, 8),
  /** The best that never changes, chosen by who knows all requests: those asked for most for their size. */
  static: staticPlacement,
  /** As "ours, filling", by who knows in advance how often each is asked for: what of the loss to static is not ignorance. */
  "known, filling": (trace: CacheTrace) => known(trace, 8),
  /** Who knows all requests in advance, leaves out what is wanted last (Belady, 1966). The best there is for equal sizes. */
  Belady: belady,
};

function lru({ asked, sizes }: CacheTrace): number {
  const held = new Set<number>();
  let [used, hits] = [0, 0];
  for (const object of asked) {
    if (held.delete(object)) hits += 1;
    else used += sizes[object]!;
    held.add(object);
    for (const oldest of held) {
      if (used <= BUDGET_BYTES) break;
      held.delete(oldest);
      used -= sizes[oldest]!;
    }
  }
  return hits;
}

function ours({ asked, sizes }: CacheTrace, fillingAtOnce = 0): number {
  const store = new ByteStore<number>({ budgetBytes: BUDGET_BYTES });
  const filling: number[] = [];
  let hits = 0;
  for (const object of asked) {
    const key = `/${object}`;
    const sizeBytes = sizes[object]!;
    if (store.get(key) !== undefined) hits += 1;
    else if (fillingAtOnce === 0) store.set(key, object, { sizeBytes });
    else {
      store.set(key, object, { sizeBytes, isPinned: true });
      filling.push(object);
      if (filling.length <= fillingAtOnce) continue;
      const done = filling.shift()!;
      store.set(`/${done}`, done, { sizeBytes: sizes[done]! });
    }
  }
  return hits;
}

/** Who leaves is always the one asked for least for its size, of those that are not on their way in. */
function known({ asked, sizes }: CacheTrace, fillingAtOnce: number): number {
  const counts = new Float64Array(sizes.length);
  for (const object of asked) counts[object]! += 1;
  const worthOf = (object: number) => counts[object]! / sizes[object]!;
  const [held, filling] = [new Set<number>(), new Set<number>()];
  let [used, hits] = [0, 0];
  for (const object of asked) {
    if (held.has(object) || filling.has(object)) {
      hits += 1;
      continue;
    }
    used += sizes[object]!;
    filling.add(object);
    const [done] = filling;
    if (filling.size > fillingAtOnce && filling.delete(done!)) held.add(done!);
    while (used > BUDGET_BYTES && held.size > 0) {
      let [least, leastWorth] = [-1, Infinity];
      for (const each of held) {
        const worth = worthOf(each);
        if (worth < leastWorth) [least, leastWorth] = [each, worth];
      }
      held.delete(least);
      used -= sizes[least]!;
    }
  }
  return hits;
}

function staticPlacement({ asked, sizes }: CacheTrace): number {
  const counts = new Map<number, number>();
  for (const object of asked) {
    counts.set(object, (counts.get(object) ?? 0) + 1);
  }
  const worth = ([object, count]: [number, number]) => count / sizes[object]!;
  let [left, hits] = [BUDGET_BYTES, 0];
  for (const each of [...counts].sort((a, b) => worth(b) - worth(a))) {
    const [object, count] = each;
    if (sizes[object]! > left) continue;
    left -= sizes[object]!;
    hits += count;
  }
  return hits;
}

function belady({ asked, sizes }: CacheTrace): number {
  const next = new Float64Array(asked.length);
  const seen = new Map<number, number>();
  for (let at = asked.length - 1; at >= 0; at--) {
    next[at] = seen.get(asked[at]!) ?? Infinity;
    seen.set(asked[at]!, at);
  }
  const held = new Map<number, number>();
  let [used, hits] = [0, 0];
  for (const [at, object] of asked.entries()) {
    if (held.has(object)) hits += 1;
    else used += sizes[object]!;
    held.set(object, next[at]!);
    while (used > BUDGET_BYTES) {
      let [last, lastAt] = [object, -1];
      for (const [each, nextAt] of held) {
        if (nextAt > lastAt) [last, lastAt] = [each, nextAt];
      }
      held.delete(last);
      used -= sizes[last]!;
    }
  }
  return hits;
}
