import type { SegmentLocation } from "../mpd/mpd.ts";
import {
  type Choice,
  knownSizeBits,
  type Media,
  type Position,
  type Track,
} from "../title.ts";
import type { RequestState } from "./request_state.ts";

/** Two places this near are the same: timelines are rounded. */
const SAME_MS = 1;

/** One medium while it is played: which of its segments is next. */
export class PlayingTrack {
  readonly media: Media;
  /** Which buffer of the playout is its. */
  readonly index: number;
  /** So much at the beginning of the next segment is not wanted: a seek went into the middle of it. */
  skipMs = 0;
  /** The playout has been told that there is no more. */
  completed = false;
  /** Segments in a row that were left out. */
  holes = 0;
  readonly #initialized = new Set<string>();
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

  /** Nothing comes any more. */
  get exhausted(): boolean {
    return this.#ended && this.position === undefined;
  }

  /** Where in the presentation what is to be played of the next segment begins. */
  get startMs(): number {
    return (this.position?.startMs ?? 0) + this.skipMs;
  }

  /** Media of the next segment that is to be played. */
  get mediaMs(): number {
    return Math.max(0, (this.position?.durationMs ?? 0) - this.skipMs);
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
    this.completed = false;
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
  initialized(location: SegmentLocation): void {
    this.#initialized.add(keyOf(location));
  }
}

/** Of which least is there, the first of equals; those without a next segment are left out. */
export function neediestOf(
  tracks: readonly PlayingTrack[],
  aheadMs: (track: PlayingTrack) => number,
): PlayingTrack | undefined {
  return tracks.reduce<PlayingTrack | undefined>(
    (best, track) =>
      track.position === undefined ||
        best !== undefined && aheadMs(best) <= aheadMs(track)
        ? best
        : track,
    undefined,
  );
}

function keyOf({ urls, range }: SegmentLocation): string {
  return `${urls[0]} ${range?.first ?? ""}-${range?.last ?? ""}`;
}
