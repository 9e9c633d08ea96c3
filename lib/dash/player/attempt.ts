import type { SegmentLocation } from "../mpd/mpd.ts";
import type { PlayerOutput } from "./messages.ts";
import type { PlayingTrack } from "./track.ts";

/** Which copy of a segment is being fetched. */
export interface Attempt {
  /** The rung; 0 is the lowest. */
  readonly index: number;
  readonly reason: string;
  /** Whether this is a lower rung than the rule chose. */
  readonly fallback: boolean;
}

/** One that is under way. */
export interface Fetching extends Attempt {
  readonly track: PlayingTrack;
  /** Set while the initialization segment is fetched, which comes first. */
  readonly initialization: SegmentLocation | undefined;
}

/** Those that are under way, by number. */
export class Requests {
  readonly #all = new Map<number, Fetching>();
  #lastId = 0;

  /** Whether there are none. */
  get none(): boolean {
    return this.#all.size === 0;
  }

  /** Whether one is of `track`. */
  has(track: PlayingTrack): boolean {
    return [...this.#all.values()].some((each) => each.track === track);
  }

  /** The one with a number; undefined when it is over. */
  get(fetchId: number): Fetching | undefined {
    return this.#all.get(fetchId);
  }

  /** Begins one; returns its number. */
  begin(fetching: Fetching): number {
    this.#lastId += 1;
    this.#all.set(this.#lastId, fetching);
    return this.#lastId;
  }

  /** One is over; returns what it was, undefined when nobody waited for it. */
  end(fetchId: number): Fetching | undefined {
    const fetching = this.#all.get(fetchId);
    this.#all.delete(fetchId);
    return fetching;
  }

  /** Gives all up. */
  abort(): PlayerOutput[] {
    const ids = [...this.#all.keys()];
    this.#all.clear();
    return ids.map((fetchId) => ({ kind: "abort", fetchId }));
  }
}

/** What is asked for again when nothing was to be had: the lowest rate, each place once. */
export const LAST_RESORT: Attempt = { index: 0, fallback: true, reason: "" };
