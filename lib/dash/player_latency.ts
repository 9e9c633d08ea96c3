import { catchUpRate } from "./catch_up.ts";
import type { LiveDistance } from "./abr/rule.ts";
import type { CatchUpOptions, CatchUpShape } from "./catch_up.ts";
import type { PlayerOutput } from "./player_messages.ts";
import type { Playout } from "./playout.ts";

/** How to play a title that grows. */
export interface LiveOptions extends CatchUpOptions {
  /** The presentation time up to which there was media when playing began. */
  readonly edgeMs: number;
}

/** How often the distance to the live edge is looked at. */
const LOOK_MS = 250;
/** How often it is told. */
const TELL_MS = 1000;

/** Keeps the distance to the live edge by the rate of play, and tells it. */
export class LatencyKeeper {
  readonly #options: LiveOptions;
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

  /** Where it is. */
  distance(
    { positionMs }: Pick<Playout, "positionMs">,
    nowMs: number,
  ): LiveDistance {
    const { edgeMs, targetMs } = this.#options;
    const sinceMs = nowMs - this.#startedAtMs;
    return { latencyMs: edgeMs + sinceMs - positionMs, targetMs };
  }

  /** Sets the rate of play by where it is, if it is time to. */
  look(playout: Playout, nowMs: number): PlayerOutput[] {
    if (nowMs < this.#lookAtMs) return [];
    this.#lookAtMs = playout.state === "ended" ? Infinity : nowMs + LOOK_MS;
    if (playout.state !== "playing") return [];
    const { latencyMs, targetMs } = this.distance(playout, nowMs);
    const { bufferMs } = playout;
    // The last of it need not last.
    const rate = playout.complete
      ? 1
      : catchUpRate(this.#options, { latencyMs, bufferMs });
    const changes = playout.setRate(rate, nowMs);
    if (nowMs < this.#tellAtMs) return changes;
    this.#tellAtMs = nowMs + TELL_MS;
    const record = { latencyMs, targetMs, playbackRate: rate, bufferMs };
    return [...changes, { kind: "latency", record }];
  }
}
