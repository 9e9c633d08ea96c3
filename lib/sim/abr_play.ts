/**
 * A player on a network, in virtual time: what `--abr all` runs and what rules are compared with.
 *
 * The model is that of Sabre (Spiteri, Sitaraman, Sparacio, MMSys 2018): one request at a time; each waits a round trip,
 * then bits flow at the rate of the moment; a request is made when its segment fits into the buffer; the picture starts
 * with the first segment and, after a stall, goes on with the next one. The score is theirs too, the time average of
 * `ln(rate / lowest rate) - gamma * (standing still)`, gamma = 5: over the whole session, start-up included.
 * `startMs` and `resumeMs` make it wait as our real player does. What is ours and not Sabre's: a segment given up is
 * asked for in the rung it was given up for. Sabre forgets that choice (it writes one variable and reads another) and
 * asks the rule anew; `forgetAbandonChoice` does so too, to be compared with its published figures.
 */
import type {
  AbrDecision,
  AbrRule,
  AbrSession,
  AbrState,
} from "../dash/abr/rule.ts";
import type { Choice } from "../dash/title.ts";
import { ThroughputMeter } from "../dash/abr/throughput_meter.ts";
import { TraceCursor } from "../model/trace_cursor.ts";
import type { NetworkTrace } from "../model/trace.ts";
import { AbrBuffer, type Watched } from "./abr_buffer.ts";

/** What the video of a rung is, for the log. */
export type RungFormat = Pick<
  Choice,
  "codecs" | "width" | "height" | "framesPerSecond"
>;

/** A title as the simulation needs it. */
export interface AbrTitle {
  readonly name: string;
  /** Rates in bits per second, lowest first. */
  readonly ladder: readonly number[];
  /** Media time of each segment. */
  readonly durationsMs: readonly number[];
  /** By segment, then by rung. */
  readonly sizesBits: readonly (readonly number[])[];
  /** By rung, which initialization segment it has: fetched before the first segment of a rung that has it. None unless given, as in Sabre. */
  readonly initializations?: readonly (number | undefined)[];
  /** By rung, what its video is; a film's description does not say. */
  readonly formats?: readonly RungFormat[];
}

/** How the player behaves. */
export interface AbrPlayOptions {
  /** Most media held (`--buffer`). */
  readonly bufferCapMs: number;
  /** Playing starts when this much is there; 0 is with the first segment. */
  readonly startMs?: number;
  /** Playing goes on after a stall when this much is there; 0 is with the next segment. */
  readonly resumeMs?: number;
  /** The rung of the rule `fixed`. */
  readonly fixedIndex?: number;
  /** Whether a rule may give a segment up; true unless said otherwise. */
  readonly abandon?: boolean;
  /** See the head of this file. */
  readonly forgetAbandonChoice?: boolean;
  /** Whether rules may know the sizes of segments to come; true unless said otherwise. */
  readonly sizesKnown?: boolean;
  /** Told of each segment that came. */
  onSegment?(segment: PlayedSegment): void;
}

/** A segment that came. */
export interface PlayedSegment {
  /** From 0. */
  readonly segmentIndex: number;
  readonly index: number;
  /** The rate of that rung. */
  readonly bitsPerSecond: number;
  /** When it was requested and when it was there, on the clock of the trace. */
  readonly requestedAtMs: number;
  readonly arrivedAtMs: number;
  readonly sizeBits: number;
  /** Until its first bit, a part of the time it took. */
  readonly ttfbMs: number;
  /** Once it is in. */
  readonly bufferMs: number;
  /** How long the picture stood still since the one before came. */
  readonly stallMs: number;
  readonly reason: string;
}

/** What a play came to. */
export interface AbrPlayResult extends Readonly<Watched> {
  /** From the first request to the first picture. */
  readonly startupMs: number;
  /** Start-up, media and stalls. */
  readonly totalMs: number;
  /** Everything received. */
  readonly bits: number;
  /** Received of segments that were given up. */
  readonly wastedBits: number;
  readonly abandonCount: number;
  /** See the head of this file. */
  readonly score: number;
  readonly averageBitsPerSecond: number;
}

/** How large an initialization segment is taken to be: that of one track has 600 to 1500 bytes. */
export const INITIALIZATION_BITS = 8000;
/** What a unit of stalled time costs against a unit of utility: gamma of the score. */
export const STALL_PENALTY = 5;

/** Sabre asks whether to give up whenever this much more has come, and at least so long has passed. */
const PROGRESS = { bits: 12_000, ms: 50 };
/** A segment is given up at most this often. */
const MAX_ABANDONS = 1000;

/** Returns what each rung is worth: the natural logarithm of its rate over the lowest. */
export function utilitiesOf(ladder: readonly number[]): readonly number[] {
  return ladder.map((rate) => Math.log(rate / ladder[0]!));
}

/** Plays `title` over `trace` with `rule`. */
export function playOverTrace(
  title: AbrTitle,
  trace: NetworkTrace,
  rule: AbrRule,
  options: AbrPlayOptions,
): AbrPlayResult {
  return new Play(title, trace, rule.start(), options).run();
}

class Play {
  readonly #title: AbrTitle;
  readonly #link: TraceCursor;
  readonly #session: AbrSession;
  readonly #options: AbrPlayOptions;
  readonly #meter = new ThroughputMeter();
  readonly #buffer: AbrBuffer;
  #state: "starting" | "playing" | "stalled" = "starting";
  #startupMs = 0;
  /** Standing still until the last segment came. */
  #stalledMs = 0;
  readonly #initialized = new Set<number>();
  #at = 0;
  #last: number | undefined;
  #bits = 0;
  #wastedBits = 0;
  #abandonCount = 0;

  constructor(
    title: AbrTitle,
    trace: NetworkTrace,
    session: AbrSession,
    options: AbrPlayOptions,
  ) {
    this.#title = title;
    this.#link = new TraceCursor(trace);
    this.#session = session;
    this.#options = options;
    const { ladder } = title;
    this.#buffer = new AbrBuffer({ ladder, utilities: utilitiesOf(ladder) });
  }

  run(): AbrPlayResult {
    for (; this.#at < this.#title.sizesBits.length; this.#at++) this.#segment();
    this.#buffer.play(this.#buffer.levelMs);
    const { watched } = this.#buffer;
    const totalMs = this.#startupMs + watched.playedMs + watched.stallMs;
    return {
      ...watched,
      startupMs: this.#startupMs,
      totalMs,
      bits: this.#bits,
      wastedBits: this.#wastedBits,
      abandonCount: this.#abandonCount,
      score: (watched.utilityMs - STALL_PENALTY * watched.stallMs) / totalMs,
      averageBitsPerSecond: watched.bits * 1000 / watched.playedMs,
    };
  }

  /** Gets one segment, in whatever rung it comes at last. */
  #segment(): void {
    let chosen: AbrDecision | undefined;
    for (let tries = 0;; tries++) {
      this.#waitForRoom();
      const asked = chosen ?? this.#session.decide(this.#abrState());
      if (asked.waitMs > 0 && this.#state === "playing") {
        this.#pass(asked.waitMs);
        this.#link.idle(asked.waitMs);
      }
      const abandonedFor = this.#download(asked, tries < MAX_ABANDONS);
      if (abandonedFor === undefined) return;
      chosen = this.#options.forgetAbandonChoice === true ? undefined : {
        index: abandonedFor,
        waitMs: 0,
        reason: "what was asked for came too slowly",
      };
    }
  }

  #waitForRoom(): void {
    if (this.#state !== "playing") return;
    const { levelMs } = this.#buffer;
    const durationMs = this.#title.durationsMs[this.#at]!;
    const overMs = levelMs + durationMs - this.#options.bufferCapMs;
    // A segment longer than the whole buffer is requested when the buffer is empty.
    const waitMs = Math.min(levelMs, overMs);
    if (waitMs <= 0) return;
    this.#pass(waitMs);
    this.#link.idle(waitMs);
    this.#session.waited?.(waitMs);
  }

  /** Fetches a segment in the rung asked for; returns the rung it was given up for, if it was. */
  #download(
    { index, reason }: AbrDecision,
    mayAbandon: boolean,
  ): number | undefined {
    const segmentDurationMs = this.#title.durationsMs[this.#at]!;
    const sizeBits = this.#title.sizesBits[this.#at]![index]!;
    this.#initialize(index);
    const requestedAtMs = this.#link.nowMs;
    const latencyMs = this.#link.request();
    const got = this.#receive(index, { sizeBits, latencyMs, mayAbandon });
    const { downloadMs, abandonedFor } = got;
    this.#pass(downloadMs);
    this.#bits += got.bits;
    if (abandonedFor === undefined) {
      this.#buffer.push(index, segmentDurationMs);
      this.#start();
      this.#last = index;
    } else {
      this.#wastedBits += got.bits;
      this.#abandonCount += 1;
    }
    this.#session.downloaded?.({
      index,
      sizeBits,
      bits: got.bits,
      downloadMs,
      latencyMs,
      bufferMs: this.#buffer.levelMs,
      segmentDurationMs,
      abandonedFor,
      nowMs: this.#link.nowMs,
    });
    if (abandonedFor !== undefined) return abandonedFor;
    const bytes = sizeBits / 8;
    this.#meter.add(bytes, downloadMs, { latencyMs, segmentDurationMs });
    const { stallMs } = this.#buffer.watched;
    this.#options.onSegment?.({
      segmentIndex: this.#at,
      index,
      bitsPerSecond: this.#title.ladder[index]!,
      requestedAtMs,
      arrivedAtMs: this.#link.nowMs,
      ...{ sizeBits, ttfbMs: latencyMs },
      bufferMs: this.#buffer.levelMs,
      stallMs: stallMs - this.#stalledMs,
      reason,
    });
    this.#stalledMs = stallMs;
    return undefined;
  }

  /** Fetches the initialization segment of a rung that has one of its own. */
  #initialize(index: number): void {
    const which = this.#title.initializations?.[index];
    if (which === undefined || this.#initialized.has(which)) return;
    this.#initialized.add(which);
    this.#pass(this.#link.request() + this.#link.receive(INITIALIZATION_BITS));
  }

  #receive(
    index: number,
    { sizeBits, latencyMs, mayAbandon }: {
      readonly sizeBits: number;
      readonly latencyMs: number;
      readonly mayAbandon: boolean;
    },
  ): { bits: number; downloadMs: number; abandonedFor: number | undefined } {
    const session = this.#session;
    // Nothing is held before the first segment, so there is nothing to save by giving it up.
    if (
      session.abandon === undefined || this.#options.abandon === false ||
      !mayAbandon || this.#at === 0
    ) {
      const downloadMs = latencyMs + this.#link.receive(sizeBits);
      return { bits: sizeBits, downloadMs, abandonedFor: undefined };
    }
    const { ladder, durationsMs } = this.#title;
    let bits = 0;
    let elapsedMs = latencyMs;
    // The first look counts from the request.
    let leastMs = PROGRESS.ms - latencyMs;
    for (;;) {
      const part = this.#link.receivePart(sizeBits - bits, {
        bits: PROGRESS.bits,
        ms: leastMs,
      });
      bits += part.bits;
      elapsedMs += part.ms;
      leastMs = PROGRESS.ms;
      if (bits >= sizeBits) break;
      const abandonedFor = session.abandon({
        ladder,
        index,
        sizeBits,
        bits,
        elapsedMs,
        latencyMs,
        bufferMs: Math.max(0, this.#buffer.levelMs - elapsedMs),
        segmentDurationMs: durationsMs[this.#at]!,
        smoothed: this.#meter.smoothed,
      });
      if (abandonedFor !== undefined) {
        return { bits, downloadMs: elapsedMs, abandonedFor };
      }
    }
    return { bits, downloadMs: elapsedMs, abandonedFor: undefined };
  }

  /** Starts or goes on playing if enough is there. */
  #start(): void {
    if (this.#state === "playing") return;
    const { startMs = 0, resumeMs = 0 } = this.#options;
    const wantedMs = this.#state === "starting" ? startMs : resumeMs;
    const complete = this.#at >= this.#title.sizesBits.length - 1;
    if (this.#buffer.levelMs >= wantedMs || complete) this.#state = "playing";
  }

  /** Lets time pass at the player. */
  #pass(elapsedMs: number): void {
    if (this.#state === "starting") this.#startupMs += elapsedMs;
    else if (this.#state === "stalled") {
      this.#buffer.watched.stallMs += elapsedMs;
    } else if (this.#buffer.play(elapsedMs) > 0) this.#state = "stalled";
  }

  #abrState(): AbrState {
    const { ladder, durationsMs, sizesBits } = this.#title;
    const { bitsPerSecond, smoothed } = this.#meter;
    const at = this.#at;
    return {
      ladder,
      throughputBitsPerSecond: bitsPerSecond,
      smoothed,
      bufferMs: this.#buffer.levelMs,
      bufferCapMs: this.#options.bufferCapMs,
      segmentDurationMs: durationsMs[at]!,
      segmentIndex: at,
      segmentCount: sizesBits.length,
      lastIndex: this.#last,
      fixedIndex: Math.min(this.#options.fixedIndex ?? 0, ladder.length - 1),
      nowMs: this.#link.nowMs,
      ...(this.#options.sizesKnown === false ? {} : {
        sizeBits: (ahead: number, index: number) =>
          sizesBits[at + ahead]?.[index],
      }),
    };
  }
}
