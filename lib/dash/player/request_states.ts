import type { Adaptation } from "./adaptation.ts";
import type { Playout } from "./playout.ts";
import type { RequestState } from "./request_state.ts";
import type { PlayingTrack } from "./track.ts";

/** What a player tells with its requests; of each stall once. */
export class RequestStates {
  #stallsTold = 0;

  /** As the next segment of `track`, or what initializes it, is asked for. */
  state(
    track: PlayingTrack,
    { index, isInitialization, playout, adaptation }: {
      /** The rung. */
      readonly index: number;
      readonly isInitialization: boolean;
      readonly playout: Pick<Playout, "state" | "stallCount" | "aheadMs">;
      readonly adaptation: Pick<Adaptation, "bitsPerSecond">;
    },
  ): RequestState {
    const { state, stallCount } = playout;
    const stalled = stallCount > this.#stallsTold;
    this.#stallsTold = stallCount;
    return {
      ...track.requestState(index, isInitialization),
      bufferMs: playout.aheadMs(track.index),
      throughputBitsPerSecond: adaptation.bitsPerSecond,
      startup: state !== "playing",
      stalled,
    };
  }
}
