/**
 * The "intelligence at the client" of the slide: when to request a segment, at which rate, from which URL.
 *
 * One segment at a time. For each: wait until it fits in the buffer, ask the rule, fetch the initialization segment
 * of that rung if it has not been fetched, fetch the segment, add it to the playout buffer. A segment that is to be had
 * nowhere in its rate (the driver has tried all BaseURLs, with pauses) is asked for in the rung below; one that no
 * server knows in any rate is a hole, and left out. Playing goes on meanwhile; every input first lets the buffer run to that instant.
 *
 * The clock of the machine is the player's: with `speed` 4 it is fed four times the time that passes, and divides
 * measured throughput by four, since a title played four times as fast needs four times the rate.
 */
import type { DashEvent } from "../events/dash.ts";
import type { Machine } from "../core/machine.ts";
import type { AbrDecision, AbrRule, AbrSession, AbrState } from "./abr/rule.ts";
import type { SegmentLocation } from "./mpd.ts";
import { Playout, type PlayoutChange, type PlayoutOptions } from "./playout.ts";
import type { RequestState } from "./request_state.ts";
import { ThroughputMeter } from "./throughput.ts";
import type { Choice, Position } from "./title.ts";

/** How a {@linkcode Player} behaves. */
export interface PlayerOptions extends PlayoutOptions {
  readonly rule: AbrRule;
  /** The rung of the rule `fixed`, 0 the lowest; Infinity the highest. */
  readonly fixedIndex: number;
  /** Times real time. */
  readonly speed: number;
}

/** What the driver tells. Times in it are of the wall clock, not the player's. */
export type PlayerInput =
  | { readonly kind: "start" }
  | {
    readonly kind: "fetched";
    readonly fetchId: number;
    readonly bytes: number;
    /** From the request to the head of the answer. */
    readonly ttfbMs: number;
    /** From the request to the last byte. */
    readonly downloadMs: number;
    /** Address and port it came from. */
    readonly server: string;
    /** The Cache-Status field (RFC 9211), or "". */
    readonly cacheStatus: string;
    /** The Age field; 0 without one. */
    readonly ageSeconds: number;
  }
  | {
    readonly kind: "failed";
    readonly fetchId: number;
    /** The URL asked last. */
    readonly url: string;
    readonly problem: string;
    /** All servers say that there is no such thing. */
    readonly absent: boolean;
  };

/** What the driver is to do, or to tell. */
export type PlayerOutput =
  | PlayoutChange
  | {
    readonly kind: "fetch";
    readonly fetchId: number;
    readonly segmentNumber: number;
    readonly location: SegmentLocation;
    /** The rung above could not be had: each place once is enough. */
    readonly fallback: boolean;
    /** For the CDN. */
    readonly state: RequestState;
  }
  | { readonly kind: "downloaded"; readonly record: SegmentRecord }
  | {
    readonly kind: "missed";
    readonly segmentNumber: number;
    readonly url: string;
    readonly problem: string;
    readonly next: "lower-rate" | "skip";
    readonly waitMs: number;
  }
  | {
    readonly kind: "gave-up";
    readonly segmentNumber: number;
    readonly url: string;
    readonly problem: string;
  };

/** A segment that came: the fields of the event `segment.downloaded`. */
export type SegmentRecord = Omit<
  Extract<DashEvent, { readonly type: "segment.downloaded" }>,
  "type"
>;

/** Which copy of a segment is being fetched. */
interface Attempt {
  /** The rung; 0 is the lowest. */
  readonly index: number;
  /** Whether this is a lower rung than the rule chose. */
  readonly fallback: boolean;
}

interface Fetching {
  readonly attempt: Attempt;
  readonly reason: string;
  /** Set while the initialization segment is fetched, which comes first. */
  readonly initialization: SegmentLocation | undefined;
}

/** So many segments in a row may be left out; then the title is taken to end there. */
const MAX_HOLES = 3;
/** A rule's wait below this is none: it comes of rounding. */
const SHORTEST_WAIT_MS = 1;

/** See the head of this file. */
export class Player
  implements Machine<PlayerInput | { readonly kind: "timeout" }, PlayerOutput> {
  readonly #positions: readonly Position[];
  readonly #options: PlayerOptions;
  readonly #session: AbrSession;
  readonly #meter = new ThroughputMeter();
  readonly #initialized = new Set<string>();
  #playout: Playout;
  #at = 0;
  #fetchId = 0;
  #fetching: Fetching | undefined;
  #holes = 0;
  /** Stalls that a request has told of. */
  #stallsTold = 0;
  #wakeAtMs = Infinity;
  /** Set while the player waits for room in the buffer. */
  #roomWantedAtMs: number | undefined;
  /** What the rule chose and wants held back. */
  #held: AbrDecision | undefined;
  #last: { readonly choice: Choice; readonly stalledMs: number } | undefined;

  /** Creates a player of `positions` (see `planTitle`). */
  constructor(positions: readonly Position[], options: PlayerOptions) {
    this.#positions = positions;
    this.#options = options;
    this.#session = options.rule.start();
    this.#playout = new Playout(options, 0);
  }

  /** The buffer, for the summary. */
  get playout(): Pick<
    Playout,
    "bufferMs" | "positionMs" | "stalledMs" | "stallCount" | "state"
  > {
    return this.#playout;
  }

  /** See {@linkcode Machine.deadlineMs}: the next request or the end of the buffer. */
  get deadlineMs(): number {
    return Math.min(this.#wakeAtMs, this.#playout.deadlineMs);
  }

  /** See {@linkcode Machine.handle}. */
  handle(
    input: PlayerInput | { readonly kind: "timeout" },
    nowMs: number,
  ): PlayerOutput[] {
    if (input.kind === "start") {
      this.#playout = new Playout(this.#options, nowMs);
      return this.#proceed(nowMs);
    }
    if (input.kind === "timeout") {
      const changes = this.#playout.advance(nowMs);
      return nowMs < this.#wakeAtMs
        ? changes
        : [...changes, ...this.#proceed(nowMs)];
    }
    const fetching = this.#fetching;
    if (fetching === undefined || input.fetchId !== this.#fetchId) return [];
    this.#fetching = undefined;
    // A segment that comes just as the buffer runs dry comes in time: it is taken before the buffer is looked at.
    if (input.kind === "fetched" && fetching.initialization === undefined) {
      return this.#take(fetching, input, nowMs);
    }
    const outputs: PlayerOutput[] = this.#playout.advance(nowMs);
    if (input.kind === "failed") {
      return [...outputs, ...this.#fail(fetching, input, nowMs)];
    }
    if (fetching.initialization !== undefined) {
      this.#initialized.add(keyOf(fetching.initialization));
    }
    return [...outputs, this.#fetch(fetching.attempt, fetching.reason)];
  }

  /** Makes the next request, or says when to ask again. */
  #proceed(nowMs: number): PlayerOutput[] {
    this.#wakeAtMs = Infinity;
    const position = this.#positions[this.#at];
    if (position === undefined) return this.#playout.complete(nowMs);
    const decision = this.#held ?? this.#choose(position, nowMs);
    if (decision === undefined) return [];
    this.#held = undefined;
    const attempt = { index: decision.index, fallback: false };
    return [this.#fetch(attempt, decision.reason)];
  }

  /** Asks the rule once there is room; undefined when there is something to wait for first. */
  #choose(position: Position, nowMs: number): AbrDecision | undefined {
    const roomAtMs = this.#playout.roomAtMs(position.durationMs);
    if (roomAtMs > nowMs) {
      this.#roomWantedAtMs ??= nowMs;
      this.#wakeAtMs = roomAtMs;
      return undefined;
    }
    if (this.#roomWantedAtMs !== undefined) {
      this.#session.waited?.(nowMs - this.#roomWantedAtMs);
      this.#roomWantedAtMs = undefined;
    }
    const decision = this.#session.decide(this.#stateAt(position, nowMs));
    // While nothing plays the buffer does not sink: waiting for that would be for ever.
    if (
      decision.waitMs < SHORTEST_WAIT_MS || this.#playout.state !== "playing"
    ) return decision;
    this.#held = decision;
    this.#wakeAtMs = nowMs + decision.waitMs;
    return undefined;
  }

  #stateAt(position: Position, nowMs: number): AbrState {
    const ladder = position.choices.map((choice) => choice.bitsPerSecond);
    const { bitsPerSecond, smoothed } = this.#meter;
    const { speed, fixedIndex, capMs } = this.#options;
    const last = this.#last?.choice;
    return {
      ladder,
      throughputBitsPerSecond: bitsPerSecond === undefined
        ? undefined
        : bitsPerSecond / speed,
      smoothed: smoothed === undefined ? undefined : {
        bitsPerSecond: smoothed.bitsPerSecond / speed,
        latencyMs: smoothed.latencyMs * speed,
      },
      bufferMs: this.#playout.bufferMs,
      bufferCapMs: capMs,
      segmentDurationMs: position.durationMs,
      segmentIndex: this.#at,
      segmentCount: this.#positions.length,
      // Periods may have ladders of their own: the nearest rung from below stands for the last one.
      lastIndex: last === undefined ? undefined : Math.max(
        0,
        ladder.findLastIndex((rate) => rate <= last.bitsPerSecond),
      ),
      fixedIndex: Math.min(fixedIndex, ladder.length - 1),
      nowMs,
    };
  }

  #choice(index: number): Choice {
    return this.#positions[this.#at]!.choices[index]!;
  }

  #fetch(attempt: Attempt, reason: string): PlayerOutput {
    const { initialization, segment } = this.#choice(attempt.index);
    // One initialization segment may serve all rungs (bitstreamSwitching).
    const wanted = initialization !== undefined &&
        !this.#initialized.has(keyOf(initialization))
      ? initialization
      : undefined;
    this.#fetchId += 1;
    this.#fetching = { attempt, reason, initialization: wanted };
    return {
      kind: "fetch",
      fetchId: this.#fetchId,
      segmentNumber: this.#positions[this.#at]!.number,
      location: wanted ?? segment,
      fallback: attempt.fallback,
      state: this.#requestState(attempt.index, wanted !== undefined),
    };
  }

  #requestState(index: number, isInitialization: boolean): RequestState {
    const { choices, durationMs, contentType } = this.#positions[this.#at]!;
    const { state, bufferMs, stallCount } = this.#playout;
    const stalled = stallCount > this.#stallsTold;
    this.#stallsTold = stallCount;
    const { segment } = isInitialization
      ? choices[index]!
      : this.#positions[this.#at + 1]?.choices[index] ?? {};
    return {
      contentType,
      bitsPerSecond: choices[index]!.bitsPerSecond,
      topBitsPerSecond: choices.at(-1)!.bitsPerSecond,
      durationMs: isInitialization ? undefined : durationMs,
      bufferMs,
      throughputBitsPerSecond: this.#meter.bitsPerSecond,
      startup: state !== "playing",
      stalled,
      next: segment?.urls[0],
    };
  }

  #take(
    { attempt, reason }: Fetching,
    input: Extract<PlayerInput, { kind: "fetched" }>,
    nowMs: number,
  ): PlayerOutput[] {
    const position = this.#positions[this.#at]!;
    const choice = this.#choice(attempt.index);
    const { kind: _kind, fetchId: _fetchId, ...measured } = input;
    const changes = this.#playout.add(position.durationMs, nowMs);
    const { bufferMs, stalledMs } = this.#playout;
    this.#measure(attempt.index, input, nowMs);
    const record: SegmentRecord = {
      segmentNumber: position.number,
      segmentCount: this.#positions.length,
      representationId: choice.representationId,
      height: choice.height,
      bitsPerSecond: choice.bitsPerSecond,
      layer: attempt.index + 1,
      layerCount: position.choices.length,
      mediaMs: position.durationMs,
      ...measured,
      throughputBitsPerSecond: input.bytes * 8000 /
        Math.max(input.downloadMs, 0.1),
      bufferMs,
      stallMs: stalledMs - (this.#last?.stalledMs ?? 0),
      reason: attempt.fallback ? "the rung above could not be had" : reason,
    };
    this.#last = { choice, stalledMs };
    this.#holes = 0;
    this.#at += 1;
    return [
      { kind: "downloaded", record },
      ...changes,
      ...this.#proceed(nowMs),
    ];
  }

  /** Tells the rule what came, in the player's time, then the meter. */
  #measure(
    index: number,
    { bytes, downloadMs, ttfbMs }: Extract<PlayerInput, { kind: "fetched" }>,
    nowMs: number,
  ): void {
    const { speed } = this.#options;
    const { durationMs } = this.#positions[this.#at]!;
    this.#session.downloaded?.({
      index,
      sizeBits: bytes * 8,
      bits: bytes * 8,
      downloadMs: downloadMs * speed,
      latencyMs: ttfbMs * speed,
      bufferMs: this.#playout.bufferMs,
      segmentDurationMs: durationMs,
      abandonedFor: undefined,
      nowMs,
    });
    this.#meter.add(bytes, downloadMs, {
      latencyMs: ttfbMs,
      segmentDurationMs: durationMs / speed,
    });
  }

  #fail(
    { attempt, reason }: Fetching,
    { url, problem, absent }: Extract<PlayerInput, { kind: "failed" }>,
    nowMs: number,
  ): PlayerOutput[] {
    const segmentNumber = this.#positions[this.#at]!.number;
    const missed = {
      kind: "missed",
      segmentNumber,
      url,
      problem,
      waitMs: 0,
    } as const;
    const index = attempt.index - 1;
    if (index >= 0) {
      return [
        { ...missed, next: "lower-rate" },
        this.#fetch({ index, fallback: true }, reason),
      ];
    }
    this.#holes += 1;
    if (!absent || this.#holes > MAX_HOLES) {
      return [{ kind: "gave-up", segmentNumber, url, problem }];
    }
    this.#at += 1;
    return [{ ...missed, next: "skip" }, ...this.#proceed(nowMs)];
  }
}

function keyOf({ urls, range }: SegmentLocation): string {
  return `${urls[0]} ${range?.first ?? ""}-${range?.last ?? ""}`;
}
