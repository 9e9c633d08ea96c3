/**
 * The slot of those who have nothing yet.
 *
 * Slots are earned by giving, and who has no piece has nothing to give. Of a class that starts within a second, those
 * who come first find the slots free, get pieces, give them to each other and earn the slots of the first round; those
 * who come last wait for the draw, one in 30 s, with all their upload idle (measured with N = 300 in virtual time: two
 * thirds had nothing after 4 s of 16). So one peer at a time that has no piece is given its first, ahead of the others'
 * turns but for every other one: who pretends for ever to have nothing can take no more than half. That piece is no merit:
 * a seed's free slots go to who takes most, and who came last would have them before all who wait (N = 100 within a
 * minute: the slowest took 0.71 of the bound, not 0.46).
 */
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Who asks for nothing, or is not sent it, for so long yields the slot to the next. */
const STALLED_MS = 3_000;

/** See the head of this file. */
export class StarterSlot {
  readonly #state: SwarmState;
  /** Who has the slot. */
  holder: PeerSession | null = null;

  /** Creates the slot: free. */
  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** Gives the slot, which is free, to one of those who wait, by lot: all who could give would else give to the same. Null if all have something, or were given some by us. */
  draw(waiting: Iterable<PeerSession>): PeerSession | null {
    const { rng } = this.#state.options;
    const poor = [...waiting].filter((session) =>
      session.pieces.count === 0 && session.uploadedBytes === 0
    );
    if (poor.length === 0) return null;
    const holder = this.holder = poor[Math.floor(rng() * poor.length)]!;
    holder.starts = true;
    holder.startBytes = Infinity;
    return holder;
  }

  /** Frees the slot. Returns who had it. */
  free(): PeerSession | null {
    const { holder } = this;
    this.holder = null;
    if (holder !== null) {
      holder.starts = false;
      holder.startBytes = holder.uploadedBytes;
    }
    return holder;
  }

  /** Why the slot ends: the piece was sent or came from elsewhere before we began, or nothing goes on. Null if it is to go on, or is free. */
  get over(): string | null {
    if (this.holder === null) return null;
    const { nowMs, options } = this.#state;
    const { uploadedBytes, pieces, peerInterested } = this.holder;
    const { servedAtMs, unchokedAtMs } = this.holder;
    if (
      uploadedBytes >= options.layout.pieceLength ||
      (uploadedBytes === 0 && pieces.count > 0)
    ) return "it has something to give now";
    if (!peerInterested || nowMs - servedAtMs >= STALLED_MS) {
      return "it takes nothing";
    }
    // Who asks for a byte now and then would keep the slot from everyone else.
    return nowMs - unchokedAtMs >= options.optimisticIntervalMs
      ? "it takes too long for a piece"
      : null;
  }
}
