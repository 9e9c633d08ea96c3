/**
 * How a first seed with scarce upload hands out its pieces: each to one peer, before any is sent twice.
 *
 * A swarm is no faster than its only source sends new pieces: F/us of the lecture's bound. Leeches that all see the
 * whole file there ask for the same pieces now and then (the measured clients' seeds sent 1.4 to 1.7 copies where 1.0 was
 * enough). So the seed shows each peer, by `have` messages, only a few pieces that it shows to nobody else, and a new one
 * as soon as the peer has got one; the peers pass them on. When every piece is out there, the seed shows everything and
 * is a seed like any other. Any BitTorrent client can be the peer. Related to super-seeding (BEP 16), but no peer has to
 * wait until others have got its pieces.
 */
import type { PeerSession } from "./peer_session.ts";
import type { SwarmState } from "./swarm_state.ts";

/** A piece not fetched for so long is shown to another peer. */
const REVEAL_LIFE_MS = 20_000;
/** Pieces a served peer is shown in addition to one second's worth. */
const SPARE_PIECES = 2;

/** Pieces beyond the window that a peer may have got and not passed on, before it is shown no more: enough for those who pass on, and all a free rider gets. */
const KEPT_PIECES = 4;

/** The reveals of a spreading seed. */
export class Spread {
  readonly #state: SwarmState;
  /** Shown to nobody, in random order. */
  #unrevealed: number[] = [];
  /** Shown to one peer, which does not have it yet. */
  readonly #given = new Map<number, { session: PeerSession; atMs: number }>();
  /** Fetched by the peer it was shown to, and not yet passed on. */
  readonly #kept = new Map<number, PeerSession>();
  readonly #seen = new Set<number>();
  #active: boolean;

  /** Spreads if we have everything and the options want it. */
  constructor(state: SwarmState) {
    this.#state = state;
    const { options, have } = state;
    this.#active = have.complete && options.spreadBytesPerSecond > 0;
    if (!this.#active) return;
    for (let index = 0; index < have.length; index++) {
      const other = Math.floor(options.rng() * (index + 1));
      this.#unrevealed.push(this.#unrevealed[other] ?? index);
      this.#unrevealed[other] = index;
    }
  }

  /** Whether pieces are still held back. */
  get active(): boolean {
    return this.#active;
  }

  /** Peers changed, or may be shown more: shows what is due. */
  reveal(session: PeerSession): void {
    if (!this.#active || session.stage !== "open") return;
    const window = this.#window(session);
    let open = window;
    for (const { session: holder } of this.#given.values()) {
      if (holder === session) open -= 1;
    }
    let kept = 0;
    for (const holder of this.#kept.values()) if (holder === session) kept += 1;
    if (kept >= window + KEPT_PIECES) return;
    for (; open > 0; open--) {
      const pieceIndex = this.#choose(session);
      if (pieceIndex === null) return;
      this.#given.set(pieceIndex, { session, atMs: this.#state.nowMs });
      this.#show(session, pieceIndex);
    }
  }

  /** A peer has got a piece, from us or elsewhere. */
  seen(session: PeerSession, pieceIndex: number): void {
    if (!this.#active) return;
    this.#seen.add(pieceIndex);
    const given = this.#given.get(pieceIndex);
    const keeper = this.#kept.get(pieceIndex);
    this.#given.delete(pieceIndex);
    this.#kept.delete(pieceIndex);
    if (given?.session === session && !this.#alone(session)) {
      this.#kept.set(pieceIndex, session);
    }
    if (
      this.#seen.size === this.#state.have.length || session.pieces.complete
    ) {
      return this.#finish();
    }
    this.reveal(session);
    if (keeper !== undefined) this.reveal(keeper);
  }

  /** A peer has gone: what it was shown and did not get goes to others. */
  left(session: PeerSession): void {
    for (const [pieceIndex, keeper] of this.#kept) {
      if (keeper === session) this.#kept.delete(pieceIndex);
    }
    for (const [pieceIndex, { session: holder }] of this.#given) {
      if (holder !== session) continue;
      this.#given.delete(pieceIndex);
      this.#unrevealed.push(pieceIndex);
    }
  }

  /** Once a second: takes back what nobody fetches. */
  tick(): void {
    if (!this.#active) return;
    for (const [pieceIndex, { atMs }] of this.#given) {
      if (this.#state.nowMs - atMs < REVEAL_LIFE_MS) continue;
      this.#given.delete(pieceIndex);
      this.#unrevealed.push(pieceIndex);
    }
    for (const session of this.#state.open()) this.reveal(session);
  }

  /** Whether there is nobody the peer could pass anything on to. */
  #alone(session: PeerSession): boolean {
    for (const other of this.#state.open()) if (other !== session) return false;
    return true;
  }

  /** How many pieces a peer may have before it: one while it is choked, to be interested in. */
  #window(session: PeerSession): number {
    if (session.amChoking) return 1;
    let served = 0;
    for (const other of this.#state.open()) if (!other.amChoking) served += 1;
    const { spreadBytesPerSecond, layout } = this.#state.options;
    return SPARE_PIECES +
      Math.ceil(spreadBytesPerSecond / layout.pieceLength / served);
  }

  /** Takes a piece nobody was shown; at the end one that a choked peer was shown and cannot fetch. */
  #choose(session: PeerSession): number | null {
    for (let at = this.#unrevealed.length - 1; at >= 0; at--) {
      const pieceIndex = this.#unrevealed[at]!;
      if (!this.#seen.has(pieceIndex) && session.revealed.has(pieceIndex)) {
        continue;
      }
      this.#unrevealed.splice(at, 1);
      if (!this.#seen.has(pieceIndex)) return pieceIndex;
    }
    if (session.amChoking) return null;
    for (const [pieceIndex, { session: holder }] of this.#given) {
      if (holder.amChoking && !session.revealed.has(pieceIndex)) {
        return pieceIndex;
      }
    }
    return null;
  }

  #show(session: PeerSession, pieceIndex: number): void {
    session.revealed.add(pieceIndex);
    session.say({ kind: "have", pieceIndex });
    this.#state.dirty.add(session);
  }

  #finish(): void {
    this.#active = false;
    this.#given.clear();
    this.#kept.clear();
    for (const session of this.#state.open()) {
      for (let index = 0; index < this.#state.have.length; index++) {
        if (!session.revealed.has(index) && !session.pieces.has(index)) {
          this.#show(session, index);
        }
      }
      session.revealed.clear();
    }
  }
}
