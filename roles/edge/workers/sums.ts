import type { RolecallEvent } from "../../../lib/events/mod.ts";
import type { EdgeGauges, TierGauges } from "../account/metrics.ts";

type Of<T extends RolecallEvent["type"]> = Extract<
  RolecallEvent,
  { readonly type: T }
>;

/** How all threads stand together; there is at least one. */
export function gaugesOfAll(all: readonly EdgeGauges[]): EdgeGauges {
  const disks = all.flatMap(({ disk }) => disk ?? []);
  return {
    ...tierOfAll(all),
    disk: disks.length === 0 ? undefined : tierOfAll(disks),
    origins: all[0]!.origins.map(({ origin }, at) => {
      const views = all.map(({ origins }) => origins[at]!);
      return {
        origin,
        up: views.every(({ up }) => up),
        active: views.reduce((total, { active }) => total + active, 0),
        waiting: views.reduce((total, { waiting }) => total + waiting, 0),
      };
    }),
  };
}

function tierOfAll(parts: readonly TierGauges[]): TierGauges {
  const sum = (value: (part: TierGauges) => number) =>
    parts.reduce((total, each) => total + value(each), 0);
  return {
    objects: sum(({ objects }) => objects),
    usedBytes: sum(({ usedBytes }) => usedBytes),
    capacityBytes: sum(({ capacityBytes }) => capacityBytes),
    evictions: sum(({ evictions }) => evictions),
  };
}

/**
 * What an edge says of what its threads say: each of them judges the origins for itself, and takes up its part of the
 * disk. An origin is suspended from when one thread does not ask it until all do.
 */
export class WorkerEvents {
  readonly #emit: (event: RolecallEvent) => void;
  readonly #workers: number;
  /** By origin, who does not ask it. */
  readonly #suspending = new Map<string, Set<number>>();
  readonly #lagging = new Set<string>();
  #restored = { threads: 0, objects: 0, bytes: 0, removed: 0, durationMs: 0 };

  /** Tells `emit` of what `workers` threads say. */
  constructor(workers: number, emit: (event: RolecallEvent) => void) {
    this.#workers = workers;
    this.#emit = emit;
  }

  /** Takes what the thread `index` says. */
  heard(index: number, event: RolecallEvent): void {
    switch (event.type) {
      case "cache.restored":
        return this.#cacheRestored(event);
      case "upstream.checked":
        // All ask; one says so.
        if (index === 0) this.#emit(event);
        return;
      case "upstream.suspended": {
        const by = this.#suspending.get(event.origin) ?? new Set();
        this.#suspending.set(event.origin, by.add(index));
        if (by.size === 1) this.#emit(event);
        return;
      }
      case "upstream.restored": {
        const by = this.#suspending.get(event.origin);
        if (by?.delete(index) && by.size === 0) this.#emit(event);
        return;
      }
      case "upstream.lagged":
        if (!this.#lagging.has(event.origin)) this.#emit(event);
        this.#lagging.add(event.origin);
        return;
      default:
        this.#emit(event);
    }
  }

  #cacheRestored(
    { objects, bytes, removed, durationMs }: Of<"cache.restored">,
  ) {
    const sum = this.#restored;
    sum.threads += 1;
    sum.objects += objects;
    sum.bytes += bytes;
    sum.removed += removed;
    sum.durationMs = Math.max(sum.durationMs, durationMs);
    if (sum.threads < this.#workers) return;
    const { threads: _, ...all } = sum;
    this.#emit({ type: "cache.restored", ...all });
  }
}
