import type {
  AbrDecision,
  AbrRule,
  AbrSession,
  AbrState,
} from "../abr/rule.ts";
import { ThroughputMeter } from "../abr/throughput_meter.ts";
import type { Choice, Position } from "../title.ts";
import { rungInstead } from "./abandon.ts";
import type { AbandonRecord, InputOf } from "./messages.ts";
import type { LatencyKeeper, LiveOptions } from "./latency.ts";
import type { PlayingTrack } from "./track.ts";
import type { Playout } from "./playout.ts";

/** How rates are chosen. */
export interface AdaptationOptions {
  readonly rule: AbrRule;
  /** The rung of the rule `fixed`, 0 the lowest; Infinity the highest. */
  readonly fixedIndex: number;
  /** Times real time. */
  readonly speed: number;
  /** Most media held. */
  readonly capMs: number;
  /** See `LiveOptions`. */
  readonly live?: Pick<LiveOptions, "chunkMs"> | undefined;
  /** Among players that share: the highest rung in which peers have all of a segment, and would serve it; -1 if in none. */
  readonly offered?: ((position: Position) => number) | undefined;
}

/** A rung to fetch, and why. */
export type Chosen = Pick<AbrDecision, "index" | "reason">;

/** A rule's wait below this is none: it comes of rounding. */
const SHORTEST_WAIT_MS = 1;
/** Of the buffer, what must be left of waiting for peers in vain when a rung is chosen that they have. */
const AFTER_PEERS = 2 / 3;
/** What of the throughput sound may take. */
const SOUND_SHARE = 0.1;

/** The rule at work in a player, and what it is told: in the player's time, of the main track. */
export class Adaptation {
  readonly #options: AdaptationOptions;
  readonly #latency: LatencyKeeper | undefined;
  readonly #session: AbrSession;
  readonly #meter = new ThroughputMeter();
  /** Set while the player waits for room in the buffer. */
  #roomWantedAtMs: number | undefined;
  /** What the rule chose and wants held back. */
  #held: AbrDecision | undefined;
  #last: Choice | undefined;

  /**
   * Starts the rule.
   *
   * @param latency Of a live title: where it plays.
   */
  constructor(options: AdaptationOptions, latency?: LatencyKeeper) {
    this.#options = options;
    this.#latency = latency;
    this.#session = options.rule.start();
  }

  /** How fast segments came, by the wall clock; undefined before the first. */
  get bitsPerSecond(): number | undefined {
    return this.#meter.bitsPerSecond;
  }

  /**
   * Asks the rule once there is room; a number is when to ask again. A higher rung than the rule's is taken when peers have
   * it: it costs the CDN nothing. If they then do not give it in time, there must be buffer enough to have all of it from
   * the CDN.
   */
  choose(
    track: PlayingTrack,
    playout: Playout,
    when: { readonly roomAtMs: number; readonly nowMs: number },
  ): Chosen | number {
    const chosen = this.#ask(track, playout, when);
    const { offered } = this.#options;
    if (typeof chosen === "number" || offered === undefined) return chosen;
    const position = track.position!;
    const index = offered(position);
    const { bitsPerSecond } = this.#meter;
    if (index <= chosen.index || bitsPerSecond === undefined) return chosen;
    const bits = position.choices[index]!.bitsPerSecond *
      position.durationMs / 1000;
    const fromCdnMs = bits * 1000 / bitsPerSecond * this.#options.speed;
    if (fromCdnMs > AFTER_PEERS * playout.aheadMs(track.index)) return chosen;
    return { index, reason: `peers have it; ${chosen.reason}` };
  }

  #ask(
    track: PlayingTrack,
    playout: Playout,
    { roomAtMs, nowMs }: { readonly roomAtMs: number; readonly nowMs: number },
  ): Chosen | number {
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      return held;
    }
    if (roomAtMs > nowMs) {
      this.#roomWantedAtMs ??= nowMs;
      return roomAtMs;
    }
    if (this.#roomWantedAtMs !== undefined) {
      this.#session.waited?.(nowMs - this.#roomWantedAtMs);
      this.#roomWantedAtMs = undefined;
    }
    const bufferMs = playout.aheadMs(track.index);
    const playbackRate = playout.rate;
    const live = this.#latency?.distance(playout, nowMs);
    const now = { bufferMs, nowMs, playbackRate, live };
    const state = this.#stateAt(track, now);
    const decision = this.#session.decide(state);
    // While nothing plays the buffer does not sink: waiting for that would be for ever.
    if (decision.waitMs < SHORTEST_WAIT_MS || playout.state !== "playing") {
      return decision;
    }
    this.#held = decision;
    return nowMs + decision.waitMs;
  }

  /** Chooses the rate of sound: the highest that takes at most a tenth of the throughput, the lowest until that is known. */
  chooseSound(choices: readonly Choice[]): Chosen {
    const { bitsPerSecond = 0 } = this.#meter;
    const mostBitsPerSecond = SOUND_SHARE * bitsPerSecond / this.#options.speed;
    const index = choices.findLastIndex((choice) =>
      choice.bitsPerSecond <= mostBitsPerSecond
    );
    return { index: Math.max(0, index), reason: "sound" };
  }

  /** The viewer has gone elsewhere: what was chosen for here is void. */
  forget(): void {
    this.#held = undefined;
    this.#roomWantedAtMs = undefined;
  }

  /** Tells the rule what came, then the meter. */
  took(
    position: Position,
    index: number,
    { input, bufferMs, nowMs }: {
      readonly input: InputOf<"fetched">;
      readonly bufferMs: number;
      readonly nowMs: number;
    },
  ): void {
    const { speed } = this.#options;
    const { bytes, peerBytes = 0, cdnBytes = bytes - peerBytes } = input;
    const choice = position.choices[index]!;
    this.#last = choice;
    const { downloadMs, latencyMs } = this.#asOfCdn(
      { ...input, cdnBytes },
      choice,
    );
    this.#session.downloaded?.({
      index,
      sizeBits: bytes * 8,
      bits: bytes * 8,
      downloadMs: downloadMs * speed,
      latencyMs: latencyMs * speed,
      bufferMs,
      segmentDurationMs: position.durationMs,
      abandonedFor: undefined,
      nowMs,
    });
    if (cdnBytes === 0) return;
    this.#meter.add(bytes, downloadMs, {
      latencyMs,
      segmentDurationMs: position.durationMs / speed,
    });
  }

  /**
   * How long a segment would have taken from the CDN: what peers gave of it came as fast as what the CDN did, or at the
   * rate measured of it before, or, when nothing of it was, as fast as it plays. What a rule must know is the network by
   * which it gets what peers do not have: measuring them, players chose rates that the CDN could not keep up with, and
   * five of them stalled for 67 s where they had 4 s without peers.
   */
  #asOfCdn(
    { bytes, cdnBytes, peerMs = 0, idleMs = 0, ttfbMs, downloadMs }:
      & InputOf<"fetched">
      & { readonly cdnBytes: number },
    { bitsPerSecond: playing }: Choice,
  ): { readonly downloadMs: number; readonly latencyMs: number } {
    if (cdnBytes === bytes) {
      const latencyMs = Math.max(0, ttfbMs - peerMs);
      return { downloadMs: downloadMs - peerMs - idleMs, latencyMs };
    }
    const bitsPerSecond = cdnBytes > 0
      ? cdnBytes * 8000 / Math.max(downloadMs - peerMs - idleMs, 0.1)
      : this.#meter.bitsPerSecond ?? playing * this.#options.speed;
    return { downloadMs: bytes * 8000 / bitsPerSecond, latencyMs: 0 };
  }

  /** Whether to give a segment up that is on its way: asks the rule, or `rungInstead` for one that has no word in it. */
  abandon(
    position: Position,
    index: number,
    { input, bufferMs, nowMs }: {
      readonly input: InputOf<"progressed">;
      readonly bufferMs: number;
      readonly nowMs: number;
    },
  ): AbandonRecord & { readonly insteadIndex: number } | undefined {
    const { speed } = this.#options;
    const ladder = ladderOf(position);
    const sizeBits = input.totalBytes === undefined
      ? ladder[index]! * position.durationMs / 1000
      : input.totalBytes * 8;
    const told = {
      index,
      sizeBits,
      bits: input.bytes * 8,
      latencyMs: input.ttfbMs * speed,
      bufferMs,
      segmentDurationMs: position.durationMs,
    };
    const elapsedMs = input.elapsedMs * speed;
    const smoothed = this.#smoothed;
    const progress = { ...told, ladder, elapsedMs, smoothed };
    const insteadIndex = this.#session.abandon === undefined
      ? rungInstead(progress)
      : this.#session.abandon(progress);
    if (insteadIndex === undefined || insteadIndex >= index) return undefined;
    this.#session.downloaded?.({
      ...told,
      downloadMs: elapsedMs,
      abandonedFor: insteadIndex,
      nowMs,
    });
    return {
      insteadIndex,
      segmentNumber: position.number,
      bitsPerSecond: ladder[index]!,
      insteadBitsPerSecond: ladder[insteadIndex]!,
      bytes: input.bytes,
      totalBytes: Math.round(sizeBits / 8),
      elapsedMs: input.elapsedMs,
      bufferMs,
    };
  }

  #stateAt(
    track: PlayingTrack,
    now: Pick<AbrState, "bufferMs" | "nowMs" | "playbackRate" | "live">,
  ): AbrState {
    const position = track.position!;
    const ladder = ladderOf(position);
    const { speed, fixedIndex, capMs, live } = this.#options;
    const { bitsPerSecond } = this.#meter;
    const last = this.#last;
    return {
      ladder,
      throughputBitsPerSecond: bitsPerSecond === undefined
        ? undefined
        : bitsPerSecond / speed,
      smoothed: this.#smoothed,
      bufferCapMs: capMs,
      segmentDurationMs: position.durationMs,
      chunkMs: live?.chunkMs,
      segmentIndex: track.at,
      segmentCount: track.count,
      // Periods may have ladders of their own: the nearest rung from below stands for the last one.
      lastIndex: last === undefined ? undefined : Math.max(
        0,
        ladder.findLastIndex((rate) => rate <= last.bitsPerSecond),
      ),
      fixedIndex: Math.min(fixedIndex, ladder.length - 1),
      sizeBits: (ahead, index) => track.sizeBits(ahead, index),
      ...now,
    };
  }

  /** What the meter says, in the player's time. */
  get #smoothed(): AbrState["smoothed"] {
    const { smoothed } = this.#meter;
    const { speed } = this.#options;
    return smoothed === undefined ? undefined : {
      bitsPerSecond: smoothed.bitsPerSecond / speed,
      latencyMs: smoothed.latencyMs * speed,
    };
  }
}

function ladderOf({ choices }: Position): readonly number[] {
  return choices.map(({ bitsPerSecond }) => bitsPerSecond);
}
