/**
 * A live title in virtual time: the player of real play (`lib/dash/player/player.ts`), its buffer and its pace, on the link of a
 * trace. Nothing of the player is modelled, so what it does here it does for real; the network is `TraceLink`'s.
 *
 * The title is being made while it is played. Its n-th segment can be had once all of it has been made; the player joins
 * when the edge is `targetMs` into the title, begins with the first segment and tries to stay that far behind. With
 * `chunkMs` a segment can be had once its first chunk has been made, and the others come as they are made (low-latency
 * CMAF), as far as the link carries them.
 */
import type { AbrRule } from "../dash/abr/rule.ts";
import { liveQoe } from "../dash/live_qoe.ts";
import type { SegmentLocation } from "../dash/mpd/mpd.ts";
import { Player } from "../dash/player/player.ts";
import type {
  LatencyRecord,
  PlayerInput,
  PlayerOutput,
  SegmentRecord,
} from "../dash/player/messages.ts";
import type { Position, Track } from "../dash/title.ts";
import { type NetworkTrace, TraceLink } from "../model/trace.ts";
import {
  type AbrTitle,
  INITIALIZATION_BITS,
  type PlayedSegment,
} from "./abr_play.ts";

/** How the player behaves. */
export interface LivePlayOptions {
  /** How far behind the live edge to be, above 0. */
  readonly targetMs: number;
  /** Segments come in chunks of this length while they are made. */
  readonly chunkMs?: number | undefined;
  /** Most that the pace differs from 1. */
  readonly maxChange: number;
  /** Most media held. */
  readonly bufferCapMs: number;
  /** Playing starts when this much is there; 0 is with the next segment. */
  readonly startMs?: number;
  /** Playing goes on after a stall when this much is there; as `startMs` unless said otherwise. */
  readonly resumeMs?: number;
  /** The rung of the rule `fixed`. */
  readonly fixedIndex?: number;
  /** Whether segments may be given up; false unless said otherwise. */
  readonly abandon?: boolean;
}

/** What a play came to. */
export interface LivePlayResult {
  readonly segments: readonly LivePlayedSegment[];
  /** The distance to the edge, as the player tells it each second. */
  readonly latencies: readonly {
    readonly atMs: number;
    readonly record: LatencyRecord;
  }[];
  readonly startupMs: number;
  readonly playedMs: number;
  readonly stallMs: number;
  readonly stallCount: number;
  readonly switchCount: number;
  readonly abandonCount: number;
  readonly averageBitsPerSecond: number;
  /** Share of the segments in the highest rung, 0 to 1. */
  readonly topShare: number;
  readonly meanLatencyMs: number;
  readonly maxLatencyMs: number;
  /** How far the pace was off 1 on average. */
  readonly paceChange: number;
  /** See `liveQoe`; of what the highest rate without latency, stall and change would have, 0 to 1 or below 0. */
  readonly qoe: number;
}

/** A segment that came. */
export interface LivePlayedSegment extends PlayedSegment {
  /** Behind the live edge, once it was there. */
  readonly latencyMs: number;
  readonly playbackRate: number;
}

/** Bytes that have come are told this often. */
const PROGRESS_MS = 50;

interface Request {
  readonly fetchId: number;
  readonly requestedAtMs: number;
  readonly answerAtMs: number;
  readonly arrivalAtMs: number;
  readonly bits: number;
  /** When it is told next how far it is. */
  progressAtMs: number;
  /** What comes before the end, in chunks. */
  readonly chunks: { readonly atMs: number; readonly mediaMs: number }[];
  /** Until the arrival, how long the link waits for chunks to be made. */
  readonly idleMs: number;
}

/** Plays `title` live over `trace` with `rule`. */
export function playLive(
  title: AbrTitle,
  trace: NetworkTrace,
  rule: AbrRule,
  options: LivePlayOptions,
): LivePlayResult {
  return new LivePlay(title, trace, rule, options).run();
}

class LivePlay {
  readonly #title: AbrTitle;
  readonly #options: LivePlayOptions;
  readonly #link: TraceLink;
  readonly #player: Player;
  readonly #positions: readonly Position[];
  /** By what the player asks for. */
  readonly #sizes = new Map<SegmentLocation, number>();
  readonly #segments: LivePlayedSegment[] = [];
  readonly #latencies: { atMs: number; record: LatencyRecord }[] = [];
  /** How many segments have been made. */
  #made = 0;
  #request: Request | undefined;
  #startupMs = 0;
  #abandonCount = 0;

  constructor(
    title: AbrTitle,
    trace: NetworkTrace,
    rule: AbrRule,
    options: LivePlayOptions,
  ) {
    const { targetMs, startMs = 0, resumeMs = startMs } = options;
    this.#title = title;
    this.#options = options;
    this.#link = new TraceLink(trace);
    this.#positions = this.#lineUp();
    this.#made = this.#madeAt(0);
    this.#player = new Player([this.#track()], {
      ...{ startMs, resumeMs, capMs: options.bufferCapMs },
      ...{ rule, fixedIndex: options.fixedIndex ?? 0, speed: 1, fromMs: 0 },
      abandon: options.abandon,
      live: {
        ...{ edgeMs: targetMs, targetMs, maxChange: options.maxChange },
        chunkMs: options.chunkMs,
      },
    });
  }

  run(): LivePlayResult {
    const player = this.#player;
    this.#take(player.handle({ kind: "start" }, 0), 0);
    while (player.playout.state !== "ended") {
      const madeAtMs = this.#nextMadeAtMs();
      const request = this.#request;
      const dueAtMs = Math.min(
        request?.arrivalAtMs ?? Infinity,
        request?.progressAtMs ?? Infinity,
        request?.chunks[0]?.atMs ?? Infinity,
      );
      const nowMs = Math.min(player.deadlineMs, madeAtMs, dueAtMs);
      let input: PlayerInput | { readonly kind: "timeout" };
      if (dueAtMs === nowMs) input = this.#arrived(request!, nowMs);
      else if (madeAtMs === nowMs) input = this.#grown(nowMs);
      else input = { kind: "timeout" };
      this.#take(player.handle(input, nowMs), nowMs);
    }
    return this.#result();
  }

  #lineUp(): readonly Position[] {
    const { ladder, durationsMs, sizesBits, initializations } = this.#title;
    const location = (url: string, bits: number) => {
      const made = { urls: [url], range: undefined };
      this.#sizes.set(made, bits);
      return made;
    };
    const shared = new Map<number, SegmentLocation>();
    for (const which of initializations ?? []) {
      if (which === undefined || shared.has(which)) continue;
      shared.set(which, location(`init/${which}`, INITIALIZATION_BITS));
    }
    let startMs = 0;
    return durationsMs.map((durationMs, at) => {
      const about = { number: at + 1, startMs, durationMs };
      startMs += durationMs;
      const choices = ladder.map((bitsPerSecond, index) => {
        const which = initializations?.[index];
        const segment = location(`${index}/${at}`, sizesBits[at]![index]!);
        return {
          ...{ representationId: String(index), bitsPerSecond },
          ...{ width: 0, height: 0, framesPerSecond: 0, codecs: "" },
          initialization: which === undefined ? undefined : shared.get(which),
          segment: Object.assign(segment, about),
        };
      });
      return { ...about, contentType: "video", choices };
    });
  }

  /** How many segments have been made `nowMs` after the player joined. */
  #madeAt(nowMs: number): number {
    const edgeMs = this.#options.targetMs + nowMs;
    const next = this.#positions.findIndex((position) =>
      this.#thereAtMs(position) > edgeMs
    );
    return next < 0 ? this.#positions.length : next;
  }

  /** Where the edge is when something of a segment can be had. */
  #thereAtMs({ startMs, durationMs }: Position): number {
    return startMs + Math.min(durationMs, this.#options.chunkMs ?? Infinity);
  }

  /** When the next one has been made; Infinity when there is none. */
  #nextMadeAtMs(): number {
    const next = this.#positions[this.#made];
    if (next === undefined) return Infinity;
    return this.#thereAtMs(next) - this.#options.targetMs;
  }

  #track(): Track {
    return { media: "video", positions: this.#positions.slice(0, this.#made) };
  }

  #grown(nowMs: number): PlayerInput {
    this.#made = Math.max(this.#made + 1, this.#madeAt(nowMs));
    const ended = this.#made === this.#positions.length;
    return { kind: "grown", tracks: [this.#track()], ended };
  }

  #arrived(request: Request, nowMs: number): PlayerInput {
    const { fetchId, bits, requestedAtMs, answerAtMs } = request;
    const ttfbMs = answerAtMs - requestedAtMs;
    const elapsedMs = nowMs - requestedAtMs;
    if (nowMs === request.chunks[0]?.atMs) {
      const { mediaMs } = request.chunks.shift()!;
      return { kind: "arrived", fetchId, mediaMs };
    }
    if (nowMs < request.arrivalAtMs) {
      request.progressAtMs = nowMs + PROGRESS_MS;
      const bytes = this.#link.bitsBetween(answerAtMs, nowMs) / 8;
      const totalBytes = bits / 8;
      return {
        ...{ kind: "progressed", fetchId, bytes, totalBytes, ttfbMs },
        elapsedMs,
      };
    }
    this.#request = undefined;
    return {
      ...{ kind: "fetched", fetchId, bytes: bits / 8, ttfbMs },
      ...{ downloadMs: elapsedMs, server: "simulated" },
      ...{ cacheStatus: "", ageSeconds: 0 },
      ...request.idleMs > 0 ? { idleMs: request.idleMs } : {},
    };
  }

  #take(outputs: readonly PlayerOutput[], nowMs: number): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "started":
          this.#startupMs = output.startupMs;
          break;
        case "latency":
          this.#latencies.push({ atMs: nowMs, record: output.record });
          break;
        case "abort":
          this.#request = undefined;
          this.#abandonCount += 1;
          break;
        case "downloaded":
          this.#segments.push(this.#segmentOf(output.record, nowMs));
          break;
        case "fetch":
          this.#ask(output, nowMs);
      }
    }
  }

  #ask(
    { fetchId, location, segmentNumber, read }: Extract<
      PlayerOutput,
      { kind: "fetch" }
    >,
    nowMs: number,
  ): void {
    const bits = this.#sizes.get(location)!;
    const answerAtMs = this.#link.answerAtMs(nowMs);
    const { startMs, durationMs } = this.#positions[segmentNumber - 1]!;
    const { chunkMs = Infinity, targetMs } = this.#options;
    const isWhole = read === "times" || chunkMs >= durationMs;
    const chunks: { atMs: number; mediaMs: number }[] = [];
    let arrivalAtMs = answerAtMs;
    let idleMs = 0;
    for (let mediaMs = 0; mediaMs < durationMs;) {
      const partMs = isWhole
        ? durationMs
        : Math.min(chunkMs, durationMs - mediaMs);
      mediaMs += partMs;
      const waitMs = isWhole
        ? 0
        : Math.max(0, startMs + mediaMs - targetMs - arrivalAtMs);
      idleMs += waitMs;
      arrivalAtMs = this.#link.arrivalAtMs(
        arrivalAtMs + waitMs,
        bits * partMs / durationMs,
      );
      if (mediaMs < durationMs) chunks.push({ atMs: arrivalAtMs, mediaMs });
    }
    this.#request = {
      ...{ fetchId, requestedAtMs: nowMs, answerAtMs, arrivalAtMs, bits },
      ...{ chunks, idleMs },
      // What has come of a segment in chunks is no matter of time alone.
      progressAtMs: this.#player.abandons && isWhole
        ? answerAtMs + PROGRESS_MS
        : Infinity,
    };
  }

  #segmentOf(record: SegmentRecord, nowMs: number): LivePlayedSegment {
    const { positionMs } = this.#player.playout;
    const latencyMs = this.#options.targetMs + nowMs - positionMs;
    const playbackRate = this.#latencies.at(-1)?.record.playbackRate ?? 1;
    return {
      segmentIndex: record.segmentNumber - 1,
      index: record.layer - 1,
      bitsPerSecond: record.bitsPerSecond,
      requestedAtMs: nowMs - record.downloadMs,
      arrivedAtMs: nowMs,
      sizeBits: record.bytes * 8,
      ttfbMs: record.ttfbMs,
      bufferMs: record.bufferMs,
      stallMs: record.stallMs,
      reason: record.reason,
      ...{ latencyMs, playbackRate },
    };
  }

  #result(): LivePlayResult {
    const { ladder, durationsMs } = this.#title;
    const segments = this.#segments;
    const { playedMs, stalledMs, stallCount } = this.#player.playout;
    const told = this.#latencies.map(({ record }) => record);
    const latencies = told.map(({ latencyMs }) => latencyMs);
    const highestBitsPerSecond = ladder.at(-1)!;
    let switchCount = 0;
    let bits = 0;
    let qoe = 0;
    for (const [at, segment] of segments.entries()) {
      const segmentDurationMs = durationsMs[segment.segmentIndex]!;
      const before = segments[at - 1] ?? segment;
      if (before.index !== segment.index) switchCount += 1;
      bits += segment.bitsPerSecond * segmentDurationMs / 1000;
      qoe += liveQoe({
        ...segment,
        ...{ segmentDurationMs, highestBitsPerSecond },
        lowestBitsPerSecond: ladder[0]!,
        changeBitsPerSecond: Math.abs(
          segment.bitsPerSecond - before.bitsPerSecond,
        ),
      });
    }
    const mediaMs = durationsMs.reduce((sum, each) => sum + each, 0);
    return {
      ...{ segments, latencies: this.#latencies, startupMs: this.#startupMs },
      ...{ playedMs, stallMs: stalledMs, stallCount, switchCount },
      abandonCount: this.#abandonCount,
      averageBitsPerSecond: bits * 1000 / mediaMs,
      topShare:
        segments.filter(({ index }) => index === ladder.length - 1).length /
        segments.length,
      meanLatencyMs: mean(latencies),
      maxLatencyMs: latencies.reduce((most, each) => Math.max(most, each), 0),
      paceChange: mean(
        told.map(({ playbackRate }) => Math.abs(1 - playbackRate)),
      ),
      qoe: qoe / (highestBitsPerSecond * mediaMs / 1e6),
    };
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) /
    Math.max(1, values.length);
}
