import { catchUpRate } from "../catch_up.ts";
import type { LiveDistance } from "../abr/rule.ts";
import type { CatchUpOptions, CatchUpShape } from "../catch_up.ts";
import type { Delivery, PlayerOutput } from "./messages.ts";
import type { Playout } from "./playout.ts";

/** How to play a title that grows. */
export interface LiveOptions extends CatchUpOptions {
  /** The presentation time up to which there was media when playing began. */
  readonly edgeMs: number;
  /** Media is not kept for longer than this; for ever if not given. */
  readonly keptMs?: number | undefined;
  /** Segments come in chunks of this length while they are made: what has come of one is played. */
  readonly chunkMs?: number | undefined;
}

/** How often the distance to the live edge is looked at. */
const LOOK_MS = 250;
/** How often it is told. */
const TELL_MS = 1000;
/** So much farther from the edge than where there was nothing: segments are now and then a little late. */
const MARGIN_MS = 500;

/**
 * Keeps the distance to the live edge by the rate of play, and tells it.
 *
 * An author may ask for a distance at which there is nothing yet (ffmpeg: one segment, which is there when it has
 * ended and been written). So where the title did not go on, the distance that this led to is the target from then on:
 * who hurried back would wait at every segment. A stall because the link was slow changes no target.
 */
export class LatencyKeeper {
  readonly #options: LiveOptions;
  #targetMs: number;
  #wasStarved = false;
  #startedAtMs = 0;
  #lookAtMs = Infinity;
  #tellAtMs = 0;

  /**
   * Begins when {@linkcode LatencyKeeper.start} says so.
   *
   * @param shape What the rule of adaptation wants; see `catchUpRate`.
   */
  constructor(options: LiveOptions, shape?: CatchUpShape) {
    this.#options = { shape, ...options };
    this.#targetMs = options.targetMs;
  }

  /** When to look again. */
  get deadlineMs(): number {
    return this.#lookAtMs;
  }

  /** Playing begins. */
  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.#lookAtMs = nowMs + LOOK_MS;
    this.#tellAtMs = nowMs;
  }

  /** The buffer is dry, and there was no more of the title to be had, or not all of a segment. */
  starve(): void {
    this.#wasStarved = true;
  }

  /** It stalled while a segment of so much media came: that was the encoder's fault if the link was faster. */
  cameLate(
    { downloadMs, idleMs }: Pick<Delivery, "downloadMs" | "idleMs">,
    mediaMs: number,
  ): void {
    if (idleMs !== undefined && downloadMs - idleMs < mediaMs) this.starve();
  }

  /** Where it is. */
  distance(
    { positionMs }: Pick<Playout, "positionMs">,
    nowMs: number,
  ): LiveDistance {
    const sinceMs = nowMs - this.#startedAtMs;
    const latencyMs = this.#options.edgeMs + sinceMs - positionMs;
    return { latencyMs, targetMs: this.#targetMs };
  }

  /** Sets the rate of play by where it is, if it is time to. */
  look(playout: Playout, nowMs: number): PlayerOutput[] {
    if (nowMs < this.#lookAtMs) return [];
    this.#lookAtMs = playout.state === "ended" ? Infinity : nowMs + LOOK_MS;
    if (playout.state !== "playing") return [];
    if (this.#wasStarved) this.#giveWay(playout, nowMs);
    const { latencyMs, targetMs } = this.distance(playout, nowMs);
    const { bufferMs } = playout;
    // The last of it need not last.
    const rate = playout.complete
      ? 1
      : catchUpRate({ ...this.#options, targetMs }, { latencyMs, bufferMs });
    const changes = playout.setRate(rate, nowMs);
    if (nowMs < this.#tellAtMs) return changes;
    this.#tellAtMs = nowMs + TELL_MS;
    const record = { latencyMs, targetMs, playbackRate: rate, bufferMs };
    return [...changes, { kind: "latency", record }];
  }

  /** Stays where it has got to by waiting. */
  #giveWay(playout: Playout, nowMs: number): void {
    this.#wasStarved = false;
    const { latencyMs } = this.distance(playout, nowMs);
    const { keptMs = Infinity } = this.#options;
    const wantedMs = Math.min(latencyMs + MARGIN_MS, keptMs);
    this.#targetMs = Math.max(this.#targetMs, wantedMs);
  }
}
