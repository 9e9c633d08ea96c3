/**
 * Who is served.
 *
 * Every `chokeIntervalMs` a round of tit-for-tat gives `unchokeSlots` slots to those who give us most, and one by lot
 * (slides; BEP 3). In between a free slot is given at once to whoever wants it: clients that wait for the timer leave a
 * swarm idle for its first 10 s.
 *
 * Slots alone waste upload: when the served peers have all we have, nobody asks, and others wait choked (measured with
 * u_s = u, N = 10: a third of the leeches' upload). So whenever 100 ms of upload were lost while someone waited, that
 * someone gets an extra slot. It keeps the incentive: an extra slot is served only when nobody with an earned one waits,
 * it ends when that leaves nothing for a second, and the one who gives us most gets it first. Who has nothing to give yet
 * has a slot apart: see `starter`.
 */
import { type ChokerName, CHOKERS } from "./choker.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { Spread } from "./spread.ts";
import { StarterSlot } from "./starter.ts";
import type { SwarmState } from "../state/state.ts";
import type { Uploads } from "../upload/upload.ts";

/** Upload time that is lost before someone who waits gets an extra slot. */
const LOST_MS = 100;
/** An extra slot that for so long got nothing ends: the upload is used up. */
const STARVED_MS = 1_000;

/** A slot that was free may be held for so long without giving anything while someone who gives waits. */
const UNEARNED_MS = 3_000;

/** The slots of a swarm. */
export class Choking {
  readonly #state: SwarmState;
  readonly #spread: Spread;
  readonly #uploads: Uploads;
  readonly #starter: StarterSlot;
  #nextRoundMs: number;
  #nextDrawMs: number;
  /** The peer with the optimistic slot. */
  #lucky: PeerSession | null = null;
  /** Interested and choked, longest first. */
  readonly #wanting = new Set<PeerSession>();
  readonly #extras = new Set<PeerSession>();
  /** Since when upload is being lost; Infinity when it is not. */
  #losingFromMs = Infinity;
  #lostMs = 0;

  /** Creates the slots: all free. */
  constructor(
    state: SwarmState,
    parts: { readonly spread: Spread; readonly uploads: Uploads },
    nowMs: number,
  ) {
    this.#state = state;
    this.#spread = parts.spread;
    this.#uploads = parts.uploads;
    this.#starter = new StarterSlot(state);
    this.#nextRoundMs = nowMs + state.options.chokeIntervalMs;
    this.#nextDrawMs = nowMs + state.options.optimisticIntervalMs;
  }

  /** When the next round is, or an extra slot is due. */
  get deadlineMs(): number {
    return Math.min(
      this.#nextRoundMs,
      this.#losingFromMs + LOST_MS - this.#lostMs,
    );
  }

  /** Whether someone interested is choked. */
  get anyoneWaits(): boolean {
    return this.#wanting.size > 0;
  }

  /** A peer says whether it wants something of us. */
  interested(session: PeerSession, interested: boolean): void {
    session.peerInterested = interested;
    this.#note(session);
    this.fillFreeSlots();
    if (session.pieces.count === 0) this.#giveStart();
  }

  /** A peer is gone. */
  left(session: PeerSession): void {
    this.#wanting.delete(session);
    this.#extras.delete(session);
    if (this.#starter.holder === session) this.#starter.free();
  }

  /** Gives slots that are free to interested peers, the best first, newcomers in the order they came. */
  fillFreeSlots(): void {
    const { freeRide } = this.#state.options;
    if (freeRide || this.#wanting.size + this.#extras.size === 0) return;
    let free = this.#choker === "none" ? Infinity : this.#slots() + 1;
    for (const session of this.#state.open()) {
      if (session.peerInterested && this.#hasEarned(session)) free -= 1;
    }
    if (free <= 0) return;
    const waiting = [...this.#wanting, ...this.#extras]
      .sort((a, b) => this.#worth(b) - this.#worth(a));
    for (const session of waiting.slice(0, free)) {
      this.#unchoke(session, false, "a slot is free");
      this.#setExtra(session, false);
    }
  }

  /** Runs the round if it is due, and takes back extra slots that are not used. */
  tick(): void {
    const { nowMs, options } = this.#state;
    for (const session of this.#extras) {
      if (
        session.uploads.length > 0 && nowMs - session.servedAtMs > STARVED_MS
      ) this.#choke(session, "the upload is used up");
    }
    this.#giveStart();
    if (nowMs < this.#nextRoundMs) {
      this.#swapUnearned();
      return this.fillFreeSlots();
    }
    this.#nextRoundMs = nowMs + options.chokeIntervalMs;
    this.#lostMs = 0;
    if (!options.freeRide) this.#round();
  }

  /** After each input: gives an extra slot when upload was lost while someone waited. Returns whether it did. */
  useIdle(): boolean {
    const { nowMs, options } = this.#state;
    if (nowMs > this.#losingFromMs) this.#lostMs += nowMs - this.#losingFromMs;
    let given = this.#starter.over !== null && this.#giveStart();
    // Fractions of a millisecond must not keep the deadline from being met.
    if (this.#lostMs > LOST_MS - 1) {
      this.#lostMs = 0;
      const session = this.#nextExtra();
      if (session !== null) {
        this.#unchoke(session, false, "upload was left over");
        this.#setExtra(session, true);
        given = true;
      }
    }
    this.#losingFromMs = this.#wanting.size === 0 || options.freeRide
      ? Infinity
      : Math.max(nowMs, this.#uploads.idleFromMs);
    return given;
  }

  #round(): void {
    const { nowMs, options } = this.#state;
    const { rng } = options;
    const redraw = nowMs >= this.#nextDrawMs;
    if (redraw) this.#nextDrawMs = nowMs + options.optimisticIntervalMs;
    const sessions = shuffled([...this.#state.open()], rng);
    const decision = CHOKERS[this.#choker](
      sessions.map((session) => ({
        peerId: session.address,
        interested: session.peerInterested,
        bytesPerSecond: this.#worth(session),
        newcomer: session.newcomer,
        servedUntilMs: session.amChoking ? session.servedUntilMs : nowMs,
      })),
      {
        slots: this.#slots(),
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
        if (session === this.#starter.holder) this.#starter.free();
        this.#unchoke(session, session === this.#lucky, decision.reason);
        this.#setExtra(session, false);
      } else if (!session.peerInterested) {
        this.#choke(session, "it wants nothing of us");
      } else if (this.#hasEarned(session)) {
        this.#choke(session, decision.reason);
      }
    }
  }

  /**
   * Between rounds: who has a slot because it was free when it came, and for seconds gave nothing of what we want, yields
   * it to one who gives and waits. Free riders who join first would else be served for the first 10 s by everyone.
   */
  #swapUnearned(): void {
    const { have, nowMs, options } = this.#state;
    if (have.complete || options.freeRide || this.#wanting.size === 0) return;
    if (this.#choker !== "tit-for-tat") return;
    let giving: PeerSession[] | null = null;
    for (const session of this.#state.open()) {
      if (
        !this.#hasEarned(session) || session === this.#lucky ||
        !session.amInterested || session.downloadedBytes > 0 ||
        nowMs - session.unchokedAtMs < UNEARNED_MS
      ) continue;
      giving ??= this.#giving();
      if (giving.length === 0) return;
      const reason = "it gave nothing for a slot that was free";
      this.#choke(session, reason);
      this.#unchoke(giving.shift()!, false, "it gives, and another did not");
    }
  }

  /** Those who wait and give, the best first. */
  #giving(): PeerSession[] {
    return [...this.#wanting].filter((session) => this.#worth(session) > 0)
      .sort((a, b) => this.#worth(b) - this.#worth(a));
  }

  /** Gives the slot of those who have nothing to the next when it has served its purpose. Returns whether someone was given it. */
  #giveStart(): boolean {
    const { options } = this.#state;
    const { over } = this.#starter;
    if (over !== null) this.#choke(this.#starter.free()!, over);
    if (
      this.#starter.holder !== null || options.freeRide ||
      this.#choker !== "tit-for-tat" || this.#spread.active
    ) return false;
    const session = this.#starter.draw(this.#wanting);
    if (session === null) return false;
    this.#unchoke(session, false, "it has nothing to give yet");
    return true;
  }

  /** Whether a peer is served, and not for what others leave nor for having nothing. */
  #hasEarned({ amChoking, extraSlot, starts }: PeerSession): boolean {
    return !amChoking && !extraSlot && !starts;
  }

  get #choker(): ChokerName {
    return this.#state.options.choker ?? "tit-for-tat";
  }

  /** Of those who wait the one that is worth most. */
  #nextExtra(): PeerSession | null {
    let best: PeerSession | null = null;
    let bestWorth = -Infinity;
    for (const session of this.#wanting) {
      const worth = this.#worth(session);
      if (worth <= bestWorth) continue;
      best = session;
      bestWorth = worth;
    }
    return best;
  }

  /** Slots given by worth. A seed that spreads the first copy serves more: see {@linkcode Spread.slots}. */
  #slots(): number {
    return Math.max(this.#state.options.unchokeSlots, this.#spread.slots());
  }

  /** What a peer is worth: what it gives us, or as a seed what it takes, in a round robin how long it has waited; while the first copy is spread, how well it passes on, and after that nothing if it did not. */
  #worth(session: PeerSession): number {
    const { have, nowMs } = this.#state;
    if (this.#spread.active) return -session.kept;
    if (this.#choker === "round-robin") return -session.servedUntilMs;
    if (session.hoards) return -1;
    // By its first piece, who came last would seem to take more than those who wait.
    if (have.complete && session.uploadedBytes <= session.startBytes) return 0;
    return (have.complete ? session.upMeter : session.downMeter).rate(nowMs);
  }

  #unchoke(session: PeerSession, optimistic: boolean, reason: string): void {
    if (!session.amChoking) return;
    session.amChoking = false;
    session.servedAtMs = this.#state.nowMs;
    session.unchokedAtMs = this.#state.nowMs;
    this.#note(session);
    session.say({ kind: "unchoke" });
    this.#state.dirty.add(session);
    this.#tell("peer.unchoked", session, { optimistic, reason });
    this.#spread.reveal();
  }

  #choke(session: PeerSession, reason: string): void {
    if (session.amChoking) return;
    session.amChoking = true;
    session.servedUntilMs = this.#state.nowMs;
    if (session.starts) this.#starter.free();
    this.#setExtra(session, false);
    this.#note(session);
    session.say({ kind: "choke" });
    session.rejectUploads();
    this.#state.dirty.add(session);
    this.#tell("peer.choked", session, { reason, optimistic: false });
  }

  #setExtra(session: PeerSession, extra: boolean): void {
    session.extraSlot = extra;
    if (extra) this.#extras.add(session);
    else this.#extras.delete(session);
  }

  /** Keeps the list of those who wait. */
  #note(session: PeerSession): void {
    if (session.peerInterested && session.amChoking) this.#wanting.add(session);
    else this.#wanting.delete(session);
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
