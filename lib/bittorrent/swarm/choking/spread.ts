/**
 * How a first seed with scarce upload hands out its pieces: each to one peer, before any is sent twice (BEP 16,
 * "super-seeding").
 *
 * A swarm is no faster than its only source sends new pieces: F/us of the lecture's bound. Leeches that all see the
 * whole file there ask for the same pieces now and then (the measured clients' seeds sent 1.4 to 1.7 copies where 1.0 was
 * enough). So the seed pretends to have nothing and shows each peer, by `have` messages, only pieces it shows to nobody
 * else, to the one that keeps fewest to itself and waited longest first; the peers pass them on. No more are on show than
 * a second of upload brings, as what one peer waits for no other can have. When every piece is out, the seed shows
 * everything and is a seed like any other. Any BitTorrent client can be the peer.
 *
 * BEP 16 waits with a peer's next piece until its last one was seen elsewhere. That halves the rate of a seed whose peers
 * have less upload than it has. Here a peer is made to wait only if it keeps far more to itself than the others do: a
 * free rider, who is not to be fed with what everyone needs.
 */
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** A piece on show for so long that its peer does not ask for keeps no other piece from being shown. */
const STALE_MS = 3_000;
/** A piece that nobody fetches for so long is shown to another peer. */
const LIFE_MS = 20_000;
/** Pieces on show beside what a second of upload brings. */
const SPARE_PIECES = 2;
/** What a peer takes in this time it may be shown ahead: covers a `have`, a request, and the check of the piece before. */
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
  readonly #given = new Map<number, PeerSession>();
  /** Fetched by the peer it was shown to, and not yet passed on. */
  readonly #kept = new Map<number, PeerSession>();
  readonly #seen = new Set<number>();
  /** Pieces on show that are not stale. */
  #onShow = 0;

  /** Spreads if we have everything and the options want it. */
  constructor(state: SwarmState) {
    this.#state = state;
    const { options, have } = state;
    state.spreading = have.complete && options.superSeed;
    if (!this.active) return;
    for (let index = 0; index < have.length; index++) {
      const other = Math.floor(options.rng() * (index + 1));
      this.#fresh.push(this.#fresh[other] ?? index);
      this.#fresh[other] = index;
    }
  }

  /** Whether pieces are still held back. */
  get active(): boolean {
    return this.#state.spreading;
  }

  /** How many peers to serve: pieces go to all who can have one soon, so that all have something to give. 0 when not spreading. */
  slots(): number {
    return this.active ? Math.floor(this.#piecesIn(ROUND_SECONDS)) : 0;
  }

  /** Shows pieces as far as they are due: peers came, were unchoked, or have got some. */
  reveal(): void {
    if (!this.active) return;
    const max = SPARE_PIECES + this.#piecesIn(1);
    if (this.#onShow >= max) return;
    const sessions = this.#state.open().toSorted(before);
    for (const session of sessions) {
      if (this.#hoards(session, sessions)) continue;
      const window = this.#window(session);
      while (session.due.size < window) {
        const pieceIndex = this.#choose(session);
        if (pieceIndex === null) break;
        this.#show(session, pieceIndex);
        if (this.#onShow >= max) return;
      }
    }
  }

  /** A peer has got a piece, from us or elsewhere. */
  seen(session: PeerSession, pieceIndex: number): void {
    if (!this.active) return;
    this.#seen.add(pieceIndex);
    const keeper = this.#kept.get(pieceIndex);
    if (keeper !== undefined) {
      this.#kept.delete(pieceIndex);
      keeper.kept -= 1;
    }
    if (this.#given.get(pieceIndex) === session) {
      this.#kept.set(pieceIndex, session);
      session.kept += 1;
    }
    this.#given.delete(pieceIndex);
    this.#takeDown(session, pieceIndex);
    if (
      this.#seen.size === this.#state.have.length || session.pieces.complete
    ) this.#finish();
    else this.reveal();
  }

  /** A peer has gone: what it was shown and did not get goes to others. */
  left(session: PeerSession): void {
    if (!this.active) return;
    for (const [pieceIndex, keeper] of this.#kept) {
      if (keeper === session) this.#kept.delete(pieceIndex);
    }
    for (const pieceIndex of [...session.due.keys()]) {
      this.#takeBack(session, pieceIndex);
    }
    this.reveal();
  }

  /** Once a second: finds what nobody fetches. */
  tick(): void {
    if (!this.active) return;
    const { nowMs } = this.#state;
    for (const session of this.#state.open()) {
      for (const [pieceIndex, shown] of session.due) {
        if (
          nowMs - shown.atMs < STALE_MS ||
          session.uploads.some((block) => block.pieceIndex === pieceIndex)
        ) continue;
        if (!shown.stale) this.#onShow -= 1;
        shown.stale = true;
        if (nowMs - shown.atMs >= LIFE_MS) this.#takeBack(session, pieceIndex);
      }
    }
    this.reveal();
  }

  /** Whether a peer keeps far more to itself than the best of the others. */
  #hoards(session: PeerSession, sessions: readonly PeerSession[]): boolean {
    let least = Infinity;
    for (const other of sessions) {
      if (other !== session && other.kept < least) least = other.kept;
    }
    return session.kept > KEPT_PIECES + 2 * least;
  }

  /** How many pieces our upload brings in so many seconds. */
  #piecesIn(seconds: number): number {
    const { upMeter, nowMs, options } = this.#state;
    return upMeter.rate(nowMs, 2) * seconds / options.layout.pieceLength;
  }

  /** How many pieces a peer may have before it: one while it is choked, to be interested in. */
  #window(session: PeerSession): number {
    if (session.amChoking) return 1;
    const { nowMs, options } = this.#state;
    const ahead = session.upMeter.rate(nowMs, 2) * AHEAD_SECONDS;
    return 1 + Math.ceil(ahead / options.layout.pieceLength);
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
    for (const [pieceIndex, holder] of this.#given) {
      if (holder.amChoking && !session.shown.has(pieceIndex)) {
        this.#takeDown(holder, pieceIndex);
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
    if (!this.#seen.has(pieceIndex)) this.#given.set(pieceIndex, session);
    session.due.set(pieceIndex, { atMs: this.#state.nowMs, stale: false });
    this.#onShow += 1;
    this.#announce(session, pieceIndex);
  }

  #takeDown(session: PeerSession, pieceIndex: number): void {
    const shown = session.due.get(pieceIndex);
    if (shown === undefined) return;
    session.due.delete(pieceIndex);
    if (!shown.stale) this.#onShow -= 1;
  }

  #takeBack(session: PeerSession, pieceIndex: number): void {
    this.#takeDown(session, pieceIndex);
    if (this.#given.get(pieceIndex) !== session) return;
    this.#given.delete(pieceIndex);
    this.#fresh.unshift(pieceIndex);
  }

  #announce(session: PeerSession, pieceIndex: number): void {
    session.shown.add(pieceIndex);
    session.say({ kind: "have", pieceIndex });
    this.#state.dirty.add(session);
  }

  #finish(): void {
    this.#state.spreading = false;
    this.#given.clear();
    this.#kept.clear();
    const sessions = this.#state.open();
    for (const session of sessions) {
      session.hoards = this.#hoards(session, sessions);
    }
    for (const session of sessions) {
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

/** Who is shown a piece first: the one that keeps fewest to itself, of those the one served longest ago; ties in the order they came. */
function before(a: PeerSession, b: PeerSession): number {
  return a.kept + a.due.size - b.kept - b.due.size || a.servedAt - b.servedAt;
}
