import { messageOf, ProtocolError, RunError } from "../core/errors.ts";
import {
  Announcer,
  type AnnouncerInput,
  type AnnouncerOutput,
} from "../bittorrent/tracker/announcer.ts";
import type {
  AnnounceEvent,
  AnnounceReply,
  AnnounceRequest,
} from "../bittorrent/tracker/messages.ts";
import { TrackerRefusal } from "../bittorrent/tracker/http/client.ts";
import type { RoleContext } from "../role.ts";
import { announceOnce, isSpoken } from "./announce_once.ts";

/** Peers asked for; more than anyone connects to at once are not needed. */
const NUM_WANT = 50;
/** A tracker's interval is half an hour; a peer that knows nobody asks again after this. */
const LONELY_INTERVAL_MS = 30_000;
/** How long leaving may take. */
const STOP_TIMEOUT_MS = 2_000;

/** What {@linkcode TrackerDriver} needs of the peer. */
export interface TrackerDriverOptions {
  readonly ctx: RoleContext;
  readonly tiers: readonly (readonly string[])[];
  /** Makes the announce of this moment. */
  readonly requestOf: (
    event: AnnounceEvent,
    to: { readonly numWant: number; readonly tier: number },
  ) => AnnounceRequest;
  /** Peers came. */
  readonly found: (reply: AnnounceReply) => void;
}

/** Announces to a torrent's trackers until it is stopped. */
export class TrackerDriver {
  /** Whether any tracker ever answered. */
  everAnswered = false;
  /** What the last failure was; "" if there was none. */
  lastFailure = "";
  readonly #options: TrackerDriverOptions;
  readonly #announcer: Announcer;
  readonly #tasks = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** What trackers gave us to send back. */
  readonly #trackerIds = new Map<string, Uint8Array>();
  #alarm = new AbortController();
  #leaving = false;

  /** Creates a driver that does nothing yet. */
  constructor(options: TrackerDriverOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options.tiers);
  }

  /** Announces that we are here. */
  start(): void {
    this.#feed({ kind: "start" });
    this.#task(this.#keepTime());
  }

  /** Announces that the download is complete. */
  complete(): void {
    this.#feed({ kind: "completed" });
  }

  /** Announces that we leave; waits at most 2 s. */
  async stop(): Promise<void> {
    if (this.#leaving) return;
    const { clock } = this.#options.ctx;
    this.#leaving = true;
    // What is under way may be the news that the download is complete.
    const late = new AbortController();
    const timer = clock.sleepUntil(clock.nowMs() + STOP_TIMEOUT_MS, late.signal)
      .then(() => this.#stop.abort(), () => {});
    const leaving = this.#announcer.handle({ kind: "stop" }, clock.nowMs());
    this.#alarm.abort();
    while (this.#tasks.size > 0) await Promise.allSettled([...this.#tasks]);
    for (const output of leaving) this.#task(this.#announce(output));
    while (this.#tasks.size > 0) await Promise.allSettled([...this.#tasks]);
    late.abort();
    await timer;
    this.#stop.abort();
  }

  #feed(input: AnnouncerInput): void {
    const { clock } = this.#options.ctx;
    for (const output of this.#announcer.handle(input, clock.nowMs())) {
      this.#task(this.#announce(output));
    }
    this.#alarm.abort();
  }

  async #announce({ tier, url, event }: AnnouncerOutput): Promise<void> {
    const { ctx, requestOf, found } = this.#options;
    const stopped = event === "stopped";
    const numWant = stopped ? 0 : NUM_WANT;
    const request = requestOf(event, { numWant, tier });
    const trackerId = this.#trackerIds.get(url);
    try {
      const reply = await announceOnce(
        url,
        trackerId === undefined ? request : { ...request, trackerId },
        { ctx, signal: this.#stop.signal },
      );
      this.everAnswered = true;
      // BEP 3: a reply without one leaves the last one good.
      if (reply.trackerId) this.#trackerIds.set(url, reply.trackerId);
      const intervalMs = reply.intervalSeconds * 1000;
      const lonely = reply.peers.length === 0;
      if (!stopped) {
        this.#feed({
          kind: "answered",
          tier,
          intervalMs: Math.max(
            lonely ? Math.min(intervalMs, LONELY_INTERVAL_MS) : intervalMs,
            (reply.minIntervalSeconds ?? 0) * 1000,
          ),
        });
        const nextMs = this.#announcer.retryMs(tier, ctx.clock.nowMs());
        ctx.emit({
          type: "announce.answered",
          tracker: url,
          event,
          peers: reply.peers.length,
          intervalMs: Math.round(nextMs),
          ...(reply.warning === null ? {} : { warning: reply.warning }),
        });
        found(reply);
      }
    } catch (error) {
      if (this.#stop.signal.aborted || stopped) return;
      this.#failed({ tier, url, event }, error);
    }
  }

  #failed(
    { tier, url, event }: Omit<AnnouncerOutput, "kind">,
    error: unknown,
  ): void {
    if (!(error instanceof RunError) && !(error instanceof ProtocolError)) {
      throw error;
    }
    const { ctx } = this.#options;
    this.lastFailure = messageOf(error);
    const retryMs = error instanceof TrackerRefusal
      ? error.retryMs
      : isSpoken(url)
      ? undefined
      : Infinity;
    this.#feed({ kind: "failed", tier, retryMs });
    const againMs = this.#announcer.retryMs(tier, ctx.clock.nowMs());
    ctx.emit({
      type: "announce.failed",
      tracker: url,
      event,
      code: error.code,
      message: messageOf(error),
      ...(againMs === Infinity ? {} : { retryMs: Math.round(againMs) }),
    });
  }

  async #keepTime(): Promise<void> {
    const { clock } = this.#options.ctx;
    while (!this.#leaving) {
      this.#alarm = new AbortController();
      try {
        await clock.sleepUntil(this.#announcer.deadlineMs, this.#alarm.signal);
      } catch {
        continue; // Something changed.
      }
      this.#feed({ kind: "timeout" });
    }
  }

  #task(work: Promise<void>): void {
    const task = work.finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}
