import type { Machine } from "../../core/machine.ts";
import type { AnnounceEvent } from "./messages.ts";

/** After a failure: 5 s, doubled up to 5 min. A tracker that starts after the peers of a class is found soon. */
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** Never more often than this, whatever the tracker says. */
const MIN_INTERVAL_MS = 5_000;

/** What happened; `tier` and `url` are those of the announce. */
export type AnnouncerInput =
  | { readonly kind: "start" }
  | { readonly kind: "timeout" }
  | {
    readonly kind: "answered";
    readonly tier: number;
    readonly intervalMs: number;
  }
  | {
    readonly kind: "failed";
    readonly tier: number;
    /** How long the tracker wants not to be asked again, Infinity for ever, if it said so (BEP 31). */
    readonly retryMs?: number | undefined;
  }
  /** The download is complete. */
  | { readonly kind: "completed" }
  /** We are leaving. */
  | { readonly kind: "stop" };

/** An announce to be made; each is answered by `answered` or `failed`, except those of `stopped`. */
export interface AnnouncerOutput {
  readonly kind: "announce";
  readonly tier: number;
  readonly url: string;
  readonly event: AnnounceEvent;
}

interface Tier {
  /** The one that works moves to the front (BEP 12). */
  readonly urls: string[];
  /** The one being tried. */
  at: number;
  failures: number;
  nextAtMs: number;
  /** The announce under way. */
  busy: AnnounceEvent | null;
  /** Trackers that know of us. */
  readonly told: Set<string>;
  /** Trackers that want not to be asked, until when. */
  readonly barred: Map<string, number>;
  completedDue: boolean;
}

/**
 * When to tell which tracker what. Each tier (BEP 12) is announced to at one of its trackers: the first that answers. A
 * tracker hears `started` first, `completed` when the download ends, `stopped` at the end.
 */
export class Announcer implements Machine<AnnouncerInput, AnnouncerOutput> {
  readonly #tiers: Tier[];
  #stopped = false;

  /** @param tiers Of the torrent; the order in a tier is kept. */
  constructor(tiers: readonly (readonly string[])[]) {
    this.#tiers = tiers.map((urls) => ({
      urls: [...urls],
      at: 0,
      failures: 0,
      nextAtMs: 0,
      busy: null,
      told: new Set<string>(),
      barred: new Map<string, number>(),
      completedDue: false,
    }));
  }

  /** When the next announce is due. */
  get deadlineMs(): number {
    let deadlineMs = Infinity;
    if (this.#stopped) return deadlineMs;
    for (const tier of this.#tiers) {
      if (tier.busy === null) deadlineMs = Math.min(deadlineMs, tier.nextAtMs);
    }
    return deadlineMs;
  }

  /** How long until the tier's next attempt. */
  retryMs(tier: number, nowMs: number): number {
    return Math.max(0, (this.#tiers[tier]?.nextAtMs ?? nowMs) - nowMs);
  }

  /** Takes one input; announces whatever is due. */
  handle(input: AnnouncerInput, nowMs: number): AnnouncerOutput[] {
    switch (input.kind) {
      case "answered":
        this.#answered(this.#tiers[input.tier]!, input.intervalMs, nowMs);
        break;
      case "failed":
        this.#failed(this.#tiers[input.tier]!, input.retryMs, nowMs);
        break;
      case "completed":
        for (const tier of this.#tiers) {
          // Who was not told that we started need not know that we are done.
          tier.completedDue = tier.told.size > 0 || tier.busy !== null;
          if (tier.completedDue && tier.failures === 0) tier.nextAtMs = nowMs;
        }
        break;
      case "stop":
        return this.#stop();
    }
    return this.#stopped ? [] : this.#due(nowMs);
  }

  #due(nowMs: number): AnnouncerOutput[] {
    const out: AnnouncerOutput[] = [];
    for (const [index, tier] of this.#tiers.entries()) {
      const url = tier.urls[tier.at];
      if (url === undefined || tier.busy !== null || tier.nextAtMs > nowMs) {
        continue;
      }
      tier.busy = !tier.told.has(url)
        ? "started"
        : tier.completedDue
        ? "completed"
        : "none";
      out.push({ kind: "announce", tier: index, url, event: tier.busy });
    }
    return out;
  }

  #answered(tier: Tier, intervalMs: number, nowMs: number): void {
    const [url] = tier.urls.splice(tier.at, 1);
    tier.urls.unshift(url!);
    tier.told.add(url!);
    tier.at = 0;
    tier.failures = 0;
    if (tier.busy === "completed") tier.completedDue = false;
    tier.busy = null;
    tier.nextAtMs = tier.completedDue
      ? nowMs
      : nowMs + Math.max(MIN_INTERVAL_MS, intervalMs);
  }

  /** The next of the tier is tried at once; after the last, all again later, but for those that want not to be asked. */
  #failed(tier: Tier, retryMs: number | undefined, nowMs: number): void {
    tier.busy = null;
    if (retryMs !== undefined) {
      tier.barred.set(tier.urls[tier.at]!, nowMs + retryMs);
    }
    tier.at += 1;
    tier.nextAtMs = nowMs;
    if (this.#passBarred(tier, nowMs)) return;
    const againMs = nowMs +
      Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** tier.failures);
    tier.failures += 1;
    const openMs = tier.urls.map((url) => tier.barred.get(url) ?? 0);
    tier.nextAtMs = Math.max(againMs, Math.min(...openMs));
    tier.at = 0;
    this.#passBarred(tier, tier.nextAtMs);
  }

  /** Goes on to the next tracker of a tier that may be asked at `atMs`. Returns whether there is one. */
  #passBarred(tier: Tier, atMs: number): boolean {
    const { urls, barred } = tier;
    while (tier.at < urls.length && (barred.get(urls[tier.at]!) ?? 0) > atMs) {
      tier.at += 1;
    }
    return tier.at < urls.length;
  }

  #stop(): AnnouncerOutput[] {
    this.#stopped = true;
    return this.#tiers.flatMap((tier, index) =>
      [...tier.told].map((url) => ({
        kind: "announce" as const,
        tier: index,
        url,
        event: "stopped" as const,
      }))
    );
  }
}
