import { chokeRound } from "./choker.ts";
import type { PeerSession } from "./peer_session.ts";
import type { SwarmState } from "./swarm_state.ts";

/**
 * Who is served. Every `chokeIntervalMs` a round of tit-for-tat; in between a free slot is given at once to whoever
 * wants it. Clients that wait for the timer leave a swarm idle for its first 10 s.
 */
export class Choking {
  readonly #state: SwarmState;
  readonly #unchoked: (session: PeerSession) => void;
  #nextRoundMs: number;
  #nextDrawMs: number;
  /** The peer with the optimistic slot. */
  #lucky: PeerSession | null = null;

  /** @param unchoked Called for each peer that is served from now on. */
  constructor(
    state: SwarmState,
    unchoked: (session: PeerSession) => void,
    nowMs: number,
  ) {
    this.#state = state;
    this.#unchoked = unchoked;
    this.#nextRoundMs = nowMs + state.options.chokeIntervalMs;
    this.#nextDrawMs = nowMs + state.options.optimisticIntervalMs;
  }

  /** When the next round is. */
  get deadlineMs(): number {
    return this.#nextRoundMs;
  }

  /** Gives slots that are free to interested peers, the fastest first, newcomers in the order they came. */
  fillFreeSlots(): void {
    const { options } = this.#state;
    if (options.freeRide) return;
    const waiting: PeerSession[] = [];
    let free = options.unchokeSlots + 1;
    for (const session of this.#state.open()) {
      if (!session.peerInterested) continue;
      if (session.amChoking) waiting.push(session);
      else free -= 1;
    }
    if (free <= 0 || waiting.length === 0) return;
    waiting.sort((a, b) => this.#rate(b) - this.#rate(a));
    for (const session of waiting.slice(0, free)) {
      this.#unchoke(session, false, "a slot is free");
    }
  }

  /** Runs the round if it is due. */
  tick(): void {
    const { nowMs, options } = this.#state;
    const { rng } = options;
    if (nowMs < this.#nextRoundMs) return;
    this.#nextRoundMs = nowMs + options.chokeIntervalMs;
    if (options.freeRide) return;
    const redraw = nowMs >= this.#nextDrawMs;
    if (redraw) this.#nextDrawMs = nowMs + options.optimisticIntervalMs;
    const sessions = shuffled([...this.#state.open()], rng);
    const decision = chokeRound(
      sessions.map((session) => ({
        peerId: session.address,
        interested: session.peerInterested,
        bytesPerSecond: this.#rate(session),
        newcomer: session.newcomer,
      })),
      {
        slots: options.unchokeSlots,
        redraw,
        lucky: this.#lucky?.address ?? null,
      },
      rng,
    );
    if (redraw) { for (const session of sessions) session.newcomer = false; }
    const served = new Set(decision.unchoked);
    this.#lucky = null;
    for (const session of sessions) {
      if (session.address === decision.optimistic) this.#lucky = session;
      if (served.has(session.address)) {
        this.#unchoke(session, session === this.#lucky, decision.reason);
      } else {
        this.#choke(
          session,
          session.peerInterested ? decision.reason : "it wants nothing of us",
        );
      }
    }
  }

  /** What a peer is worth: what it gives us, or as a seed what it takes. */
  #rate(session: PeerSession): number {
    const { have, nowMs } = this.#state;
    return (have.complete ? session.upMeter : session.downMeter).rate(nowMs);
  }

  #unchoke(session: PeerSession, optimistic: boolean, reason: string): void {
    if (!session.amChoking) return;
    session.amChoking = false;
    session.say({ kind: "unchoke" });
    this.#state.dirty.add(session);
    this.#tell("peer.unchoked", session, { optimistic, reason });
    this.#unchoked(session);
  }

  #choke(session: PeerSession, reason: string): void {
    if (session.amChoking) return;
    session.amChoking = true;
    session.say({ kind: "choke" });
    session.rejectUploads();
    this.#state.dirty.add(session);
    this.#tell("peer.choked", session, { reason, optimistic: false });
  }

  #tell(
    type: "peer.choked" | "peer.unchoked",
    session: PeerSession,
    { optimistic, reason }: { optimistic: boolean; reason: string },
  ): void {
    const who = { remote: session.address, peerId: session.peerId };
    this.#state.emit(
      type === "peer.choked"
        ? { type, ...who, reason }
        : { type, ...who, optimistic, reason },
    );
  }
}

/** Equal rates must not always fall to those who came first. */
function shuffled<T>(items: T[], rng: () => number): T[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(rng() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
  return items;
}
