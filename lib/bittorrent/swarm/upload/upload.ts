/**
 * Serving blocks. Hot path: a seed sends 10,000 blocks a second.
 *
 * Each link has one `send` under way. When it is done, the next one takes the messages in line and up to 8 blocks, put
 * together in the session's one send buffer (one copy, one write).
 *
 * An upload limit is shared in turns of a piece: the peer that has waited longest is sent blocks until the piece is
 * whole, then the next one has its turn. Five peers that get a fifth of the rate each have their first piece after five
 * pieces' time; in turns the first has it after one and passes it on while the others wait. Every other turn goes to
 * someone who has nothing yet, if there is one (see `starter`); peers with an extra slot (see `choke`) get what those who
 * earned theirs leave. Under a low limit a block goes out in parts, so that it is
 * smooth all the same.
 */
import { ProtocolError } from "../../../core/errors.ts";
import { pieceLengthOf } from "../../metainfo/layout.ts";
import {
  type BlockRef,
  PIECE_HEADER_BYTES,
  writePieceHeader,
} from "../../wire/messages.ts";
import { ALLOWED_FAST_PIECES } from "../pieces/allowed_fast.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";
import { checkRequest, UploadLimits } from "./limits.ts";
import { before, busy, MAX_TURN_BLOCKS, type Turn } from "./turn.ts";

/** Blocks in one send: 128 KiB keep a loopback link busy. */
const BLOCKS_PER_SEND = 8;
/** Requests of one peer that are kept, as we tell it (BEP 10, "reqq"); clients ask for 250 to 500 at most. */
export const MAX_QUEUED_REQUESTS = 2048;
/** Requests of a choked peer that are forgiven: those on their way when it is choked, and some for the pieces it may have all the same. */
const MAX_CHOKED_REQUESTS = 2 * MAX_QUEUED_REQUESTS;
/** A request for less than this costs more to answer than it brings. Pieces may be as short (in v2 each file begins one): each may be asked for twice. */
const MIN_WORTHWHILE_BYTES = 1024;
/** How far into a peer's queue pieces are read from the disk ahead of time. */
const READ_AHEAD_BLOCKS = 32;
/** Pieces being read at once. */
const MAX_READS = 8;
/** The uploads of a swarm. */
export class Uploads {
  readonly #state: SwarmState;
  readonly #limits: UploadLimits;
  /** Pieces being read from the disk, and who waits for them. */
  readonly #reading = new Map<number, Uint8Array>();
  /** Those with requests that wait. */
  readonly #waiting = new Set<PeerSession>();
  /** To so many blocks are on their way. */
  #serving = 0;
  #turn: Turn | null = null;
  #turns = 0;
  /** Those to whom a part of a block is still to be sent. */
  readonly #begun = new Set<PeerSession>();

  /** Creates the uploads of a swarm. */
  constructor(state: SwarmState) {
    this.#state = state;
    this.#limits = new UploadLimits(state);
  }

  /** When the limit lets the next block pass, if someone waits for it; else Infinity. */
  get deadlineMs(): number {
    return this.#limits.passAtMs;
  }

  /** Since when nobody waits for a block and none is on its way (the limit's debt counts as on its way); Infinity while someone does. */
  get idleFromMs(): number {
    const { nowMs, options } = this.#state;
    for (const session of this.#waiting) {
      if (session.uploads.length > 0) return Infinity;
      this.#waiting.delete(session);
    }
    return this.#serving + this.#begun.size > 0
      ? Infinity
      : options.upload.readyAtMs(nowMs);
  }

  /** Whether nobody waits for a block or a part of one. */
  get idle(): boolean {
    return this.#waiting.size + this.#begun.size === 0;
  }

  /** Whether a flush would send nothing: nobody is to be told anything, and who waits for a block waits for the limit that all share. */
  get still(): boolean {
    const { passAtMs } = this.#limits;
    return this.#state.dirty.size + this.#begun.size === 0 &&
      (this.#waiting.size === 0 ||
        (passAtMs < Infinity && this.#state.nowMs < passAtMs));
  }

  /** The bytes of a session's last send are on their way. Returns whether there were blocks among them. */
  sent(session: PeerSession): boolean {
    session.sending = false;
    const served = this.#serves(session, false);
    const asks = session.uploads.length > 0 && !this.#limits.limited;
    if (session.hasControl || asks) this.#state.dirty.add(session);
    return served;
  }

  /** Blocks are on their way to a peer from now on, or no more. Returns whether they were. */
  #serves(session: PeerSession, serving: boolean): boolean {
    const before = session.serving;
    session.serving = serving;
    this.#serving += Number(serving) - Number(before);
    return before;
  }

  /** A peer is gone. */
  left(session: PeerSession): void {
    this.#waiting.delete(session);
    this.#serves(session, false);
    this.#begun.delete(session);
    if (this.#turn?.session === session) this.#turn = null;
  }

  /** A peer asks for a block. @throws {ProtocolError} `request-out-of-range`, `request-flood`, `message-flood`. */
  requested(session: PeerSession, block: BlockRef): void {
    checkRequest(this.#state.options.layout, block);
    const { pieceIndex, begin, lengthBytes } = block;
    if (session.amChoking) session.chokedRequests += 1;
    if (lengthBytes < MIN_WORTHWHILE_BYTES) {
      session.shortRequests += 1;
      const { pieceCount } = this.#state.options.layout;
      if (session.shortRequests > 2 * pieceCount) {
        session.patience.spend(1, this.#state.nowMs);
      }
    }
    if (
      session.uploads.length >= MAX_QUEUED_REQUESTS ||
      session.chokedRequests > MAX_CHOKED_REQUESTS
    ) {
      throw new ProtocolError(
        "request-flood",
        `Cannot serve request: at most ${MAX_QUEUED_REQUESTS} may be waiting`,
      );
    }
    // A request that crossed our choke on the way, or for a piece we never announced: nothing to serve.
    if (!this.#grants(session, pieceIndex)) {
      session.patience.spend(1, this.#state.nowMs);
      this.#reject(session, block);
    } else {
      session.uploads.push({ pieceIndex, begin, lengthBytes });
      this.#waiting.add(session);
      this.#state.dirty.add(session);
    }
  }

  /** Whether a peer may have a piece: we are to have it, and not to choke the peer, unless it has nearly nothing yet and the piece is one of the few for such peers (BEP 6). */
  #grants(session: PeerSession, pieceIndex: number): boolean {
    if (!this.#state.have.has(pieceIndex)) return false;
    if (!session.amChoking) return true;
    return session.allowedFast.has(pieceIndex) &&
      session.pieces.count <= ALLOWED_FAST_PIECES;
  }

  /** A request is answered always if the peer knows how that is said (BEP 6). */
  #reject(session: PeerSession, block: BlockRef): void {
    if (!session.features.fast) return;
    const { pieceIndex, begin, lengthBytes } = block;
    session.say({ kind: "reject", pieceIndex, begin, lengthBytes });
    this.#state.dirty.add(session);
  }

  /** Takes requests out of a peer's queue. */
  #drop(session: PeerSession, which: (queued: BlockRef) => boolean): void {
    const dropped = session.uploads.filter(which);
    if (dropped.length === 0) return;
    session.uploads = session.uploads.filter((queued) => !which(queued));
    this.#state.dirty.add(session);
    for (const block of dropped) this.#reject(session, block);
  }

  /** A peer no longer wants a block. */
  cancelled(session: PeerSession, block: BlockRef): void {
    this.#drop(
      session,
      (queued) =>
        queued.pieceIndex === block.pieceIndex &&
        queued.begin === block.begin &&
        queued.lengthBytes === block.lengthBytes,
    );
  }

  /** A piece came from the disk; null if it is no longer there. */
  pieceRead(pieceIndex: number, bytes: Uint8Array | null): void {
    const buffer = this.#reading.get(pieceIndex);
    this.#reading.delete(pieceIndex);
    if (bytes !== null && !this.#state.cache.has(pieceIndex)) {
      this.#state.cache.put(pieceIndex, bytes, { pinned: false });
    } else if (buffer !== undefined) this.#state.cache.giveBack(buffer);
    for (const session of this.#waiting) {
      if (bytes === null) {
        this.#drop(session, (queued) => queued.pieceIndex === pieceIndex);
      }
      if (session.uploads.length > 0) this.#state.dirty.add(session);
    }
  }

  /** Sends what is due: messages to all who have any, blocks as far as the limit goes. */
  flush(): void {
    const { dirty } = this.#state;
    const limited = this.#limits.limited;
    for (let at = 0; at < dirty.size; at++) {
      this.#compose(dirty.at(at), limited ? 0 : BLOCKS_PER_SEND);
    }
    dirty.clear();
    this.#limits.passAtMs = Infinity;
    // Nothing else can be said to a peer before its block is whole.
    for (const session of this.#begun) this.#goOn(session);
    while (limited && this.#waiting.size > 0) {
      const session = this.#next();
      if (session === null) return;
      const blocks = this.#afford(session);
      if (blocks === 0) return;
      this.#compose(session, blocks);
    }
  }

  /** Sends the next part of a block. */
  #goOn(session: PeerSession): void {
    if (session.sending || !this.#limits.passes(session)) return;
    const rest = session.rest!;
    const part = Math.min(rest.length, this.#limits.quantumOf(session));
    this.#limits.spend(session, part);
    session.rest = part < rest.length ? rest.subarray(part) : null;
    if (session.rest === null) this.#begun.delete(session);
    this.#send(session, rest.subarray(0, part));
  }

  #send(session: PeerSession, bytes: Uint8Array): void {
    session.sending = true;
    session.lastSentAtMs = this.#state.nowMs;
    this.#state.put({ kind: "send", link: session.link, bytes });
  }

  /** Whom to send blocks now: whose turn it is, else who earned a slot and was served longest ago, else who has an extra one. */
  #next(): PeerSession | null {
    if (this.#turn !== null && this.#mayGoOn(this.#turn)) {
      return this.#turn.session;
    }
    const leaving = this.#turn !== null && this.#isJustLeaving(this.#turn);
    if (leaving) return this.#limits.letLeave();
    let best: PeerSession | null = null;
    for (const session of this.#waiting) {
      if (session.uploads.length === 0) this.#waiting.delete(session);
      if (session.uploads.length === 0 || busy(session)) continue;
      if (best !== null && !before(session, best, this.#turn)) continue;
      if (!this.#limits.passes(session)) {
        if (this.#limits.holdsAll) return null;
        continue;
      }
      this.#readAhead(session);
      if (this.#state.cache.has(session.uploads[0]!.pieceIndex)) best = session;
    }
    // Someone else goes while the last block of whose turn it is leaves.
    if (best === null || this.#turn?.session.sending) return best;
    this.#turns += 1;
    best.servedAt = this.#turns;
    this.#turn = {
      session: best,
      pieceIndex: best.uploads[0]!.pieceIndex,
      blocksLeft: MAX_TURN_BLOCKS,
      starts: best.starts,
    };
    return best;
  }

  #mayGoOn({ session, pieceIndex, blocksLeft }: Turn): boolean {
    return blocksLeft > 0 && !busy(session) &&
      session.uploads[0]?.pieceIndex === pieceIndex &&
      this.#state.cache.has(pieceIndex) && this.#limits.passes(session);
  }

  /** Whether a part of a block went out this moment to whose turn it is: it goes on as soon as that has left. */
  #isJustLeaving({ session, pieceIndex, blocksLeft }: Turn): boolean {
    return blocksLeft > 0 && session.sending &&
      session.lastSentAtMs === this.#state.nowMs &&
      session.uploads[0]?.pieceIndex === pieceIndex &&
      this.#limits.quantumOf(session) < session.uploads[0].lengthBytes;
  }

  /** Takes tokens for as many blocks of the first piece in line as the limits let pass, or for a part of one; returns how many. */
  #afford(session: PeerSession): number {
    const { uploads } = session;
    const quantum = this.#limits.quantumOf(session);
    const turn = this.#turn?.session === session ? this.#turn : null;
    const max = Math.min(turn?.blocksLeft ?? 1, BLOCKS_PER_SEND);
    let count = 0;
    while (
      count < max && uploads[count]?.pieceIndex === uploads[0]!.pieceIndex &&
      this.#limits.passes(session)
    ) {
      const cost = PIECE_HEADER_BYTES + uploads[count]!.lengthBytes;
      if (cost > quantum && count > 0) break;
      this.#limits.spend(session, Math.min(cost, quantum));
      count += 1;
      if (cost > quantum) break;
    }
    if (turn !== null) turn.blocksLeft -= count;
    return count;
  }

  #compose(session: PeerSession, maxBlocks: number): void {
    if (busy(session) || session.stage === "connecting") return;
    const blocks = this.#available(session, maxBlocks);
    if (blocks === 0 && !session.hasControl) return;
    const control = session.takeControl();
    let length = control.length;
    for (let at = 0; at < blocks; at++) {
      length += PIECE_HEADER_BYTES + session.uploads[at]!.lengthBytes;
    }
    let bytes = control;
    if (blocks > 0) {
      bytes = this.#sendBufferOf(session, length).subarray(0, length);
      bytes.set(control);
      this.#copyBlocks(session, blocks, bytes, control.length);
    }
    if (this.#limits.limited) {
      this.#limits.spend(session, control.length);
      const now = control.length + this.#limits.quantumOf(session);
      if (blocks === 1 && bytes.length > now) {
        session.rest = bytes.subarray(now);
        this.#begun.add(session);
        bytes = bytes.subarray(0, now);
      }
    }
    this.#send(session, bytes);
  }

  /** How many of the first requests can be served from memory; starts reading what is missing. */
  #available(session: PeerSession, max: number): number {
    const { uploads } = session;
    const { cache } = this.#state;
    let count = 0;
    while (
      count < max && count < uploads.length &&
      cache.has(uploads[count]!.pieceIndex)
    ) count++;
    this.#readAhead(session);
    return count;
  }

  #copyBlocks(
    session: PeerSession,
    count: number,
    bytes: Uint8Array,
    from: number,
  ): void {
    const state = this.#state;
    let at = from;
    for (const block of session.uploads.splice(0, count)) {
      const piece = state.cache.get(block.pieceIndex)!;
      writePieceHeader(bytes, at, block);
      at += PIECE_HEADER_BYTES;
      const end = block.begin + block.lengthBytes;
      bytes.set(piece.subarray(block.begin, end), at);
      // Who does not know padding asks for it (BEP 47).
      if (end > piece.length) {
        const filler = Math.min(end - piece.length, block.lengthBytes);
        bytes.fill(0, at + block.lengthBytes - filler, at + block.lengthBytes);
      }
      at += block.lengthBytes;
      session.uploadedBytes += block.lengthBytes;
      state.uploadedBytes += block.lengthBytes;
    }
    const sent = at - from;
    this.#serves(session, true);
    session.servedAtMs = state.nowMs;
    session.upMeter.add(sent, state.nowMs);
    state.upMeter.add(sent, state.nowMs);
  }

  #readAhead(session: PeerSession): void {
    const { uploads } = session;
    const { cache, have, options } = this.#state;
    if (uploads.length === 0 || cache.size === have.count) return;
    let previous = -1;
    for (let at = 0; at < uploads.length && at < READ_AHEAD_BLOCKS; at++) {
      const { pieceIndex } = uploads[at]!;
      if (pieceIndex === previous) continue;
      previous = pieceIndex;
      if (cache.has(pieceIndex) || this.#reading.has(pieceIndex)) continue;
      if (this.#reading.size >= MAX_READS) return;
      const buffer = cache.takeBuffer(
        pieceLengthOf(options.layout, pieceIndex),
      );
      this.#reading.set(pieceIndex, buffer);
      this.#state.put({ kind: "read", pieceIndex, buffer });
    }
  }

  /** The session's buffer, large enough for `length` bytes; it grows to what sends need: a peer has many links. */
  #sendBufferOf(session: PeerSession, length: number): Uint8Array {
    const { sendBuffer } = this.#state.options;
    if (sendBuffer !== undefined) return sendBuffer(length);
    if (session.sendBuffer === null || session.sendBuffer.length < length) {
      session.sendBuffer = new Uint8Array(length);
    }
    return session.sendBuffer;
  }
}
