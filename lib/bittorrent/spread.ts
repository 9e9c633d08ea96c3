/**
 * How a first seed with scarce upload hands out its pieces: each to one peer, before any is sent twice (BEP 16,
 * "super-seeding").
 *
 * A swarm is no faster than its only source sends new pieces: F/us of the lecture's bound. Leeches that all see the
 * whole file there ask for the same pieces now and then (the measured clients' seeds sent 1.4 to 1.7 copies where 1.0 was
 * enough). So the seed pretends to have nothing and shows each peer, by `have` messages, only pieces it shows to nobody
 * else, a new one as soon as the peer has got one; the peers pass them on. When every piece is out, the seed shows
 * everything and is a seed like any other. Any BitTorrent client can be the peer.
 *
 * BEP 16 waits with a peer's next piece until its last one was seen elsewhere. That halves the rate of a seed whose peers
 * have less upload than it has. Here a peer is made to wait only if it keeps far more to itself than the others do: a
 * free rider, who is not to be fed with what everyone needs.
 */
import type { PeerSession } from "./peer_session.ts";
import type { SwarmState } from "./swarm_state.ts";

/** A piece that nobody fetches for so long is shown to another peer. */
const LIFE_MS = 20_000;
/** Pieces a served peer is shown ahead, beside what it takes in {@linkcode AHEAD_SECONDS}. */
const SPARE_PIECES = 1;
/** Covers the way of a `have` and a request, and the check of the piece before. */
const AHEAD_SECONDS = 0.25;
/** A peer may keep so many pieces more than twice what the best of the others keep. */
const KEPT_PIECES = 4;
/** Everyone served gets a piece of its own within so long; who waits for a minute would take the seed for dead. */
const ROUND_SECONDS = 10;

/** What a seed that spreads the first copy shows to whom. */
export class Spread {
  readonly #state: SwarmState;
  /** Shown to nobody, in random order. */
  #fresh: number[] = [];
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
    this.#active = have.complete && options.superSeed;
    if (!this.#active) return;
    for (let index = 0; index < have.length; index++) {
      const other = Math.floor(options.rng() * (index + 1));
      this.#fresh.push(this.#fresh[other] ?? index);
      this.#fresh[other] = index;
    }
  }

  /** Whether pieces are still held back. */
  get active(): boolean {
    return this.#active;
  }

  /** How many peers to serve: pieces go to all who can have one soon, so that all have something to give. 0 when not spreading. */
  slots(): number {
    if (!this.#active) return 0;
    const { upMeter, nowMs, options } = this.#state;
    return Math.floor(
      upMeter.rate(nowMs, 2) * ROUND_SECONDS / options.layout.pieceLength,
    );
  }

  /** Shows a peer what is due to it. */
  reveal(session: PeerSession): void {
    if (!this.#active || session.stage !== "open") return;
    const window = this.#window(session);
    if (session.due.size >= window || this.#keepsTooMuch(session)) return;
    while (session.due.size < window) {
      const pieceIndex = this.#choose(session);
      if (pieceIndex === null) return;
      this.#show(session, pieceIndex);
    }
  }

  /** A peer has got a piece, from us or elsewhere. */
  seen(session: PeerSession, pieceIndex: number): void {
    if (!this.#active) return;
    session.due.delete(pieceIndex);
    this.#seen.add(pieceIndex);
    const given = this.#given.get(pieceIndex);
    const keeper = this.#kept.get(pieceIndex);
    this.#given.delete(pieceIndex);
    if (keeper !== undefined) {
      this.#kept.delete(pieceIndex);
      keeper.kept -= 1;
      this.reveal(keeper);
    }
    if (given?.session === session) {
      this.#kept.set(pieceIndex, session);
      session.kept += 1;
    }
    if (
      this.#seen.size === this.#state.have.length || session.pieces.complete
    ) this.#finish();
    else this.reveal(session);
  }

  /** A peer has gone: what it was shown and did not get goes to others. */
  left(session: PeerSession): void {
    for (const [pieceIndex, keeper] of this.#kept) {
      if (keeper === session) this.#kept.delete(pieceIndex);
    }
    for (const pieceIndex of session.due) this.#takeBack(pieceIndex, session);
  }

  /** Once a second: takes back what nobody fetches. */
  tick(): void {
    if (!this.#active) return;
    for (const [pieceIndex, { session, atMs }] of this.#given) {
      if (this.#state.nowMs - atMs < LIFE_MS) continue;
      if (session.uploads.some((block) => block.pieceIndex === pieceIndex)) {
        continue;
      }
      session.due.delete(pieceIndex);
      this.#takeBack(pieceIndex, session);
    }
    for (const session of this.#state.open()) this.reveal(session);
  }

  #takeBack(pieceIndex: number, session: PeerSession): void {
    if (this.#given.get(pieceIndex)?.session !== session) return;
    this.#given.delete(pieceIndex);
    this.#fresh.push(pieceIndex);
  }

  /** Whether the peer passes on so much less than others that it has to wait. */
  #keepsTooMuch(session: PeerSession): boolean {
    if (session.kept <= KEPT_PIECES) return false;
    let least = Infinity;
    for (const other of this.#state.open()) {
      if (other !== session && !other.amChoking) {
        least = Math.min(least, other.kept);
      }
    }
    return session.kept > KEPT_PIECES + 2 * least;
  }

  /** How many pieces a peer may have before it: one while it is choked, to be interested in. */
  #window(session: PeerSession): number {
    if (session.amChoking) return 1;
    const { nowMs, options } = this.#state;
    const ahead = session.upMeter.rate(nowMs, 2) * AHEAD_SECONDS;
    return SPARE_PIECES + Math.ceil(ahead / options.layout.pieceLength);
  }

  /** A piece nobody was shown, else one that a choked peer was shown and cannot fetch, else one few have. */
  #choose(session: PeerSession): number | null {
    for (let at = this.#fresh.length - 1; at >= 0; at--) {
      const pieceIndex = this.#fresh[at]!;
      if (this.#seen.has(pieceIndex)) this.#fresh.splice(at, 1);
      else if (!session.shown.has(pieceIndex)) {
        this.#fresh.splice(at, 1);
        return pieceIndex;
      }
    }
    if (session.amChoking) return null;
    for (const [pieceIndex, { session: holder }] of this.#given) {
      if (holder.amChoking && !session.shown.has(pieceIndex)) {
        holder.due.delete(pieceIndex);
        return pieceIndex;
      }
    }
    return session.due.size === 0 ? this.#rarest(session) : null;
  }

  /** Of the pieces the peer lacks that are with some other, the rarest: the upload is not to be idle while the last ones arrive. */
  #rarest(session: PeerSession): number | null {
    const { availability } = this.#state.board;
    let rarest: number | null = null;
    for (const pieceIndex of this.#seen) {
      if (session.pieces.has(pieceIndex) || session.shown.has(pieceIndex)) {
        continue;
      }
      if (
        rarest === null || availability[pieceIndex]! < availability[rarest]!
      ) rarest = pieceIndex;
    }
    return rarest;
  }

  #show(session: PeerSession, pieceIndex: number): void {
    if (!this.#seen.has(pieceIndex)) {
      this.#given.set(pieceIndex, { session, atMs: this.#state.nowMs });
    }
    session.due.add(pieceIndex);
    this.#announce(session, pieceIndex);
  }

  #announce(session: PeerSession, pieceIndex: number): void {
    session.shown.add(pieceIndex);
    session.say({ kind: "have", pieceIndex });
    this.#state.dirty.add(session);
  }

  #finish(): void {
    this.#active = false;
    this.#given.clear();
    this.#kept.clear();
    for (const session of this.#state.open()) {
      for (let index = 0; index < this.#state.have.length; index++) {
        if (!session.shown.has(index) && !session.pieces.has(index)) {
          this.#announce(session, index);
        }
      }
      session.shown.clear();
      session.due.clear();
      session.kept = 0;
    }
  }
}
