import type { Rng } from "../../../core/rng.ts";

/** How many chances a newcomer has in the draw for the optimistic slot; others have one (BEP 3). */
const NEWCOMER_CHANCES = 3;

/** What the choker knows of one connected peer. */
export interface ChokeCandidate {
  readonly peerId: string;
  /** The peer has asked us to serve it (BEP 3, "interested"). */
  readonly interested: boolean;
  /** Payload rate over the last 20 s: received from the peer while leeching, sent to it while seeding. */
  readonly bytesPerSecond: number;
  /** Connected since the last draw: three times as likely to win it. */
  readonly newcomer?: boolean;
  /** When it was last served: now, if it is; 0, if never. Whose turn it is in a round robin. */
  readonly servedUntilMs?: number;
}

/** What a round decided. */
export interface ChokeDecision {
  /** Peers to serve until the next round, best first; everyone else is choked. */
  readonly unchoked: readonly string[];
  /** The member of `unchoked` that was drawn by lot, or null in rounds without a free slot. */
  readonly optimistic: string | null;
  /** One sentence a student can read, such as "top 4 of 9 by rate; p7 drawn by lot". */
  readonly reason: string;
}

/** What a round goes by, beside the candidates. */
export interface ChokeOptions {
  /** Number of slots given by rate; the optimistic slot comes on top. */
  readonly slots: number;
  /** The optimistic slot is drawn anew. */
  readonly redraw: boolean;
  /** The peer that holds the optimistic slot now, or null. */
  readonly lucky: string | null;
}

/** Decides one round: whom to serve until the next. */
export type Choker = (
  candidates: readonly ChokeCandidate[],
  options: ChokeOptions,
  rng: Rng,
) => ChokeDecision;

/** `--choker`: how peers that want something are chosen. */
export type ChokerName = "tit-for-tat" | "round-robin" | "none";

/** The chokers by name. The two beside tit-for-tat are there to be compared with it. */
export const CHOKERS: Readonly<Record<ChokerName, Choker>> = {
  "tit-for-tat": chokeRound,
  "round-robin": takeTurns,
  none: serveAll,
};

/**
 * Decides one round of tit-for-tat: the `slots` fastest interested peers, and one drawn by lot.
 *
 * Slide "BitTorrent: tit-for-tat"; BEP 3, section "choking"; Cohen 2003, section 3.2. The caller runs it
 * every 10 s and passes `redraw` every third time, so a lucky peer keeps its slot for 30 s.
 *
 * @param candidates Connected peers in any order; ties in rate keep their order.
 * @throws {RangeError} If `slots` is negative or not an integer.
 *
 * @example Three peers, one slot
 * ```ts
 * import { chokeRound } from "./choker.ts";
 * import assert from "node:assert/strict";
 *
 * const peers = [
 *   { peerId: "slow", interested: true, bytesPerSecond: 10 },
 *   { peerId: "fast", interested: true, bytesPerSecond: 90 },
 *   { peerId: "idle", interested: false, bytesPerSecond: 0 },
 * ];
 * const round = chokeRound(peers, { slots: 1, redraw: true, lucky: null }, () => 0);
 * assert.deepEqual(round.unchoked, ["fast", "slow"]);
 * assert.equal(round.optimistic, "slow");
 * ```
 */
export function chokeRound(
  candidates: readonly ChokeCandidate[],
  options: ChokeOptions,
  rng: Rng,
): ChokeDecision {
  const { slots, redraw, lucky } = options;
  if (!Number.isInteger(slots) || slots < 0) {
    throw new RangeError(
      `Cannot run a choke round: slots must be an integer >= 0, got ${slots}`,
    );
  }
  const ranked = candidates.filter((peer) => peer.interested)
    .toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond);
  const regular = ranked.slice(0, slots).map((peer) => peer.peerId);
  const rest = ranked.slice(slots);
  const kept = !redraw && lucky !== null &&
      rest.some((peer) => peer.peerId === lucky)
    ? lucky
    : null;
  const optimistic = kept ?? draw(rest, rng);
  return {
    unchoked: optimistic === null ? regular : [...regular, optimistic],
    optimistic,
    reason: `top ${regular.length} of ${ranked.length} by rate` +
      (optimistic === null
        ? ""
        : `; ${optimistic} ${kept ? "keeps its slot" : "drawn by lot"}`),
  };
}

/** Serves `slots` + 1 peers in turn, whatever they give: those who have waited longest. Ties keep their order. */
function takeTurns(
  candidates: readonly ChokeCandidate[],
  { slots }: ChokeOptions,
): ChokeDecision {
  const waited = candidates.filter((peer) => peer.interested).toSorted((a, b) =>
    (a.servedUntilMs ?? 0) - (b.servedUntilMs ?? 0)
  );
  const unchoked = waited.slice(0, slots + 1).map((peer) => peer.peerId);
  return {
    unchoked,
    optimistic: null,
    reason: `${unchoked.length} of ${waited.length} in turn`,
  };
}

/** Serves everyone who wants something. */
function serveAll(candidates: readonly ChokeCandidate[]): ChokeDecision {
  const unchoked = candidates.filter((peer) => peer.interested).map((peer) =>
    peer.peerId
  );
  return {
    unchoked,
    optimistic: null,
    reason: `all ${unchoked.length}: nobody is choked`,
  };
}

/** Draws one of `peers`; null if there is none. */
function draw(peers: readonly ChokeCandidate[], rng: Rng): string | null {
  const tickets = peers.flatMap((peer) =>
    new Array<string>(peer.newcomer ? NEWCOMER_CHANCES : 1).fill(peer.peerId)
  );
  return tickets[Math.floor(rng() * tickets.length)] ?? null;
}
