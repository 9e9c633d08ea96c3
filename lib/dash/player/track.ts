import type { SegmentLocation } from "../mpd/mpd.ts";
import {
  type Choice,
  knownSizeBits,
  type Media,
  type Position,
  type Track,
} from "../title.ts";
import type { SampleTimes } from "../sample_times.ts";
import type { Playout, PlayoutChange } from "./playout.ts";
import type { RequestState } from "./request_state.ts";

/** Two places this near are the same: timelines are rounded. */
const SAME_MS = 1;
/** Less media than this is none: sums of durations are not exact. */
const LEAST_MS = 1e-3;

/** One medium while it is played: which of its segments is next. */
export class PlayingTrack {
  readonly media: Media;
  /** Which buffer of the playout is its. */
  readonly index: number;
  /** So much at the beginning of the next segment is not wanted: a seek went into the middle of it. */
  skipMs = 0;
  /** Segments in a row that were left out. */
  holes = 0;
  /** The playout has been told that there is no more. */
  #completed = false;
  /** Media of the next segment that has come already. */
  #arrivedMs = 0;
  /** What initialized, and what it said where that was asked. */
  readonly #initialized = new Map<string, SampleTimes | undefined>();
  #positions: readonly Position[];
  #ended: boolean;
  #at = 0;
  /** Of the next segment, however the list changes. */
  #nextNumber: number;

  /**
   * Creates one that begins with the segment in which `fromMs` lies.
   *
   * @param options.ended Nothing comes after the positions of `track`.
   */
  constructor(track: Track, options: {
    readonly index: number;
    readonly fromMs: number;
    readonly ended: boolean;
  }) {
    this.media = track.media;
    this.index = options.index;
    this.#positions = track.positions;
    this.#ended = options.ended;
    this.#nextNumber = track.positions[0]?.number ?? 1;
    this.goTo(options.fromMs);
  }

  /** The next segment; undefined when there is none, or none yet. */
  get position(): Position | undefined {
    return this.#positions[this.#at];
  }

  /** Those known, in order. */
  get positions(): readonly Position[] {
    return this.#positions;
  }

  /** Of the next segment among those known. */
  get at(): number {
    return this.#at;
  }

  /** How many segments there are; Infinity while that is not known. */
  get count(): number {
    return this.#ended ? this.#positions.length : Infinity;
  }

  /** Tells the playout, once, when nothing comes any more: of the last segment the rest may not be wanted. */
  finish(playout: Playout, nowMs: number): PlayoutChange[] {
    const restMs = this.#at === this.#positions.length - 1
      ? this.mediaMs - this.#arrivedMs
      : this.position === undefined
      ? 0
      : Infinity;
    if (this.#completed || !this.#ended || restMs > LEAST_MS) return [];
    this.#completed = true;
    return playout.finish(nowMs, this.index);
  }

  /** Where in the presentation what is to be played of the next segment begins. */
  get startMs(): number {
    return (this.position?.startMs ?? 0) + this.skipMs;
  }

  /** Media of the next segment that is to be played. */
  get mediaMs(): number {
    return Math.max(0, (this.position?.durationMs ?? 0) - this.skipMs);
  }

  /** Of that, what has come already. */
  get arrivedMs(): number {
    return this.#arrivedMs;
  }

  /** The next segment has come up to `upToMs` of it; returns what is new of it and to be played. */
  arrive(upToMs: number): number {
    const reachedMs = Math.min(upToMs - this.skipMs, this.mediaMs);
    const newMs = Math.max(0, reachedMs - this.#arrivedMs);
    this.#arrivedMs += newMs;
    return newMs;
  }

  /** Size of the segment `ahead` places after the next one in a rung, in bits; undefined where the manifest does not tell, and in a Period with another ladder. */
  sizeBits(ahead: number, index: number): number | undefined {
    const now = this.position?.choices;
    const then = this.#positions[this.#at + ahead]?.choices;
    const choice = then?.[index];
    return choice === undefined || then?.length !== now?.length ||
        choice.bitsPerSecond !== now?.[index]?.bitsPerSecond
      ? undefined
      : knownSizeBits(choice);
  }

  /** What a request for the next segment in a rung is about. */
  requestState(index: number, isInitialization: boolean): Pick<
    RequestState,
    | "contentType"
    | "bitsPerSecond"
    | "topBitsPerSecond"
    | "durationMs"
    | "next"
  > {
    const { choices, durationMs, contentType } = this.position!;
    const choice = choices[index]!;
    const next = isInitialization
      ? choice
      : this.#positions[this.#at + 1]?.choices[index];
    return {
      contentType,
      bitsPerSecond: choice.bitsPerSecond,
      topBitsPerSecond: choices.at(-1)!.bitsPerSecond,
      durationMs: isInitialization ? undefined : durationMs,
      next: next?.segment.urls[0],
    };
  }

  /** Goes to the segment in which a place of the presentation lies. */
  goTo(positionMs: number): void {
    const at = this.#positions.findLastIndex(({ startMs }) =>
      startMs <= positionMs + SAME_MS
    );
    this.#at = Math.max(0, at);
    this.#arrivedMs = 0;
    this.#completed = false;
    const { position } = this;
    if (position === undefined) return;
    this.#nextNumber = position.number;
    const intoMs = positionMs - position.startMs;
    this.skipMs = intoMs > SAME_MS ? Math.min(intoMs, position.durationMs) : 0;
  }

  /** Goes on to the segment after the next one. */
  pass(): void {
    this.#nextNumber = this.#positions[this.#at]!.number + 1;
    this.#at += 1;
    this.skipMs = 0;
    this.#arrivedMs = 0;
  }

  /** Takes in what there is of a live title now. Returns where to go on when what was next is there no more. */
  grow(
    positions: readonly Position[],
    ended: boolean,
  ): { readonly lostTo: number } | undefined {
    const at = positions.findIndex(({ number }) => number >= this.#nextNumber);
    this.#positions = positions;
    this.#ended = ended;
    this.#at = at < 0 ? positions.length : at;
    const { position } = this;
    if (position === undefined || position.number === this.#nextNumber) {
      return undefined;
    }
    return { lostTo: position.startMs };
  }

  /** The initialization segment that a rung needs and that was not fetched. One may serve all rungs (bitstreamSwitching). */
  missingInitialization(
    { initialization }: Choice,
  ): SegmentLocation | undefined {
    return initialization === undefined ||
        this.#initialized.has(keyOf(initialization))
      ? undefined
      : initialization;
  }

  /** An initialization segment came. */
  initialized(location: SegmentLocation, times?: SampleTimes): void {
    this.#initialized.set(keyOf(location), times);
  }

  /** What to read of what a rung is asked for next: see `PlayerOutput`. */
  toRead(choice: Choice): SampleTimes | "times" | undefined {
    const { initialization } = choice;
    if (initialization === undefined) return undefined;
    return this.missingInitialization(choice) === undefined
      ? this.#initialized.get(keyOf(initialization))
      : "times";
  }
}

/**
 * For which tracks to ask now: each, or the one of which least is there, the first of equals; and when to look again at
 * those that cannot be asked for yet.
 */
export function tracksToAsk(
  tracks: readonly PlayingTrack[],
  nowMs: number,
  { isEach, dueAtMs, aheadMs }: {
    readonly isEach: boolean;
    /** When its next segment can be asked for. */
    dueAtMs(track: PlayingTrack): number;
    aheadMs(track: PlayingTrack): number;
  },
): { readonly asked: readonly PlayingTrack[]; readonly againAtMs: number } {
  const due = tracks.filter((track) => dueAtMs(track) <= nowMs);
  const later = tracks.map(dueAtMs).filter((atMs) => atMs > nowMs);
  const needy = due.reduce<readonly PlayingTrack[]>(
    ([best], track) =>
      best !== undefined && aheadMs(best) <= aheadMs(track) ? [best] : [track],
    [],
  );
  const againAtMs = isEach || due.length === 0 ? Math.min(...later) : Infinity;
  return { asked: isEach ? due : needy, againAtMs };
}

function keyOf({ urls, range }: SegmentLocation): string {
  return `${urls[0]} ${range?.first ?? ""}-${range?.last ?? ""}`;
}
