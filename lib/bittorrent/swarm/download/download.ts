import { ProtocolError } from "../../../core/errors.ts";
import { pieceLengthOf } from "../../metainfo/layout.ts";
import {
  BLOCK_BYTES,
  type BlockRef,
  encodeMessage,
} from "../../wire/messages.ts";
import { Bans } from "./bans.ts";
import type { PeerSession } from "../state/peer_session.ts";
import { MAX_REQUESTS, pipelineDepth } from "./request_pipeline.ts";
import type { SwarmState } from "../state/state.ts";

/** Verified bytes that may wait for the disk before no more are asked for. */
const MAX_STORING_BYTES = 8 * 2 ** 20;
/** A peer that was asked and sent nothing for so long snubs us (BEP 3): others are asked instead. */
const SNUB_MS = 60_000;
/** Unasked blocks that are forgiven: a cancel in the end game crosses blocks on their way. */
const MAX_UNASKED_BLOCKS = 1000;
/** Rejects of what was not asked for that are forgiven: each of our cancels may cause one. */
const MAX_STRAY_REJECTS = 1000;
/** A peer that serves us and rejects a request all the same is not asked again for so long, or the two would go round in circles. */
const REJECTED_PAUSE_MS = 1_000;

/** The downloads of a swarm. */
export class Downloads {
  readonly #state: SwarmState;
  readonly #bans: Bans;
  /** Pieces the disk has not confirmed. */
  readonly #storing = new Map<number, number>();
  #storingBytes = 0;
  #completed = false;
  /** Blocks were rejected and are free. */
  #freed = false;
  /** When a limit lets a request pass that waits for it. */
  #passAtMs = Infinity;
  /** Someone waits for the limit that all share. */
  #queued = false;
  /** Those who wait for a limit have their turn. */
  #resuming = false;
  #asked = 0;
  /** Nobody snubs us before this: who is asked from now on has as long from then. */
  #snubFromMs = 0;

  /** @param close Ends a session. */
  constructor(
    state: SwarmState,
    close: (session: PeerSession, reason: string) => void,
  ) {
    this.#state = state;
    this.#bans = new Bans(state, close);
    const { layout } = state.options;
    for (const pieceIndex of state.options.have) {
      state.haveBytes += pieceLengthOf(layout, pieceIndex);
    }
    this.#completed = state.have.complete;
  }

  /** When the limit lets the next request pass, if one waits for it; else Infinity. */
  get deadlineMs(): number {
    return this.#passAtMs;
  }

  /** Whether someone could be asked if the limit allowed it. */
  get throttled(): boolean {
    return this.#passAtMs < Infinity;
  }

  /** Whether a peer was caught sending bad pieces. */
  banned(session: PeerSession): boolean {
    return this.#bans.has(session);
  }

  /** The peer has another piece. */
  seen(session: PeerSession, pieceIndex: number): void {
    this.#state.board.availability[pieceIndex]! += 1;
    if (!this.#state.have.has(pieceIndex)) session.usefulPieces += 1;
  }

  /** The peer is gone, and with it what was asked of it. */
  left(session: PeerSession): void {
    this.#giveUp(session);
    const { availability } = this.#state.board;
    for (let index = 0; index < availability.length; index++) {
      if (session.pieces.has(index)) availability[index]! -= 1;
    }
  }

  /** Says whether we want something, and asks for it as far as pipeline and limit allow. */
  fill(session: PeerSession): void {
    if (session.stage !== "open") return;
    const wants = session.usefulPieces > 0;
    if (wants !== session.amInterested) {
      session.amInterested = wants;
      session.say({ kind: wants ? "interested" : "not-interested" });
      this.#state.dirty.add(session);
    }
    const { nowMs, board, options } = this.#state;
    if (!wants || nowMs < session.askAgainAtMs) return;
    const source = session.peerChoking ? session.fast : session;
    if (source === null || board.dry(source)) return;
    if (this.#storingBytes >= MAX_STORING_BYTES) return;
    const depth = session.snubbed ? 1 : Math.min(
      session.maxRequests,
      // A web seed is asked for much at a time: each request is a line in its log.
      session.runs
        ? MAX_REQUESTS
        : pipelineDepth(session.downMeter.rate(nowMs, 2)),
    );
    const room = depth - session.outstanding.size;
    // Asking in groups: one write for many requests.
    if (room * 8 < depth) return;
    if (session.outstanding.size === 0) session.lastBlockAtMs = nowMs;
    for (let asked = 0; asked < room; asked++) {
      if (!this.#passes(session)) return;
      const block = board.next(source);
      if (block === null) return;
      options.download.spend(block.lengthBytes);
      session.limits.download?.spend(block.lengthBytes);
      session.askedAt = ++this.#asked;
      session.say({ kind: "request", ...block });
      this.#state.dirty.add(session);
    }
  }

  /** Asks everyone: blocks became free, or the end game began. Those who snub us go last, or they would take again what was just taken from them. */
  fillAll(): void {
    const sessions = this.#state.open();
    let snubs = false;
    for (const session of sessions) {
      if (session.snubbed) snubs = true;
      else this.fill(session);
    }
    if (!snubs) return;
    for (const session of sessions) if (session.snubbed) this.fill(session);
  }

  /** Asks those who wait for a limit, who was asked longest ago first: nobody is passed over for ever. */
  resume(): void {
    if (this.#state.nowMs < this.#passAtMs) return;
    this.#passAtMs = Infinity;
    this.#queued = false;
    const sessions = this.#state.open().toSorted((a, b) =>
      a.askedAt - b.askedAt
    );
    this.#resuming = true;
    for (const session of sessions) this.fill(session);
    this.#resuming = false;
  }

  /** Whether the limits let a request to a peer pass now; if not, notes when they will. What does not wait for them goes behind those who do. */
  #passes({ limits }: PeerSession): boolean {
    const { options, nowMs } = this.#state;
    const own = limits.download;
    if (own !== null && !own.ready(nowMs)) {
      this.#passAtMs = Math.min(this.#passAtMs, own.readyAtMs(nowMs));
      return false;
    }
    if (this.#queued && !this.#resuming) return false;
    if (options.download.ready(nowMs)) return true;
    this.#queued = true;
    this.#passAtMs = Math.min(
      this.#passAtMs,
      options.download.readyAtMs(nowMs),
    );
    return false;
  }

  /** What was asked of a peer is not going to come. */
  refund({ limits }: PeerSession, bytes: number): void {
    this.#state.options.download.refund(bytes);
    limits.download?.refund(bytes);
  }

  /** A block came. @throws {ProtocolError} `block-unasked` when there are too many nobody asked for. */
  received(
    session: PeerSession,
    message: {
      readonly pieceIndex: number;
      readonly begin: number;
      readonly block: Uint8Array;
    },
  ): void {
    const state = this.#state;
    const { board, nowMs } = state;
    const { length } = message.block;
    const doubled = board.requesters(message) > 1;
    const taken = board.received(session, message);
    if (taken === "unasked") {
      state.wastedBytes += length;
      session.unaskedBlocks += 1;
      if (session.unaskedBlocks > MAX_UNASKED_BLOCKS) {
        throw new ProtocolError(
          "block-unasked",
          `Cannot take block: at most ${MAX_UNASKED_BLOCKS} may come unasked`,
        );
      }
      return;
    }
    session.snubbed = false;
    session.lastBlockAtMs = nowMs;
    session.downloadedBytes += length;
    session.downMeter.add(length, nowMs);
    state.downMeter.add(length, nowMs);
    state.downloadedBytes += length;
    if (doubled) this.#cancelElsewhere(session, message, length);
    if (taken === "complete") {
      const { pieceIndex } = message;
      const bytes = board.bytesOf(pieceIndex);
      state.put({ kind: "verify", pieceIndex, bytes });
    }
  }

  /** A piece's hash was compared. */
  verified(pieceIndex: number, valid: boolean): void {
    const state = this.#state;
    const piece = state.board.checked(pieceIndex, valid);
    if (piece === null) return;
    if (!valid) {
      state.wastedBytes += piece.bytes.length;
      state.downloadedBytes -= piece.bytes.length;
      this.#bans.rejected(pieceIndex, piece);
      return this.fillAll();
    }
    this.gained(pieceIndex, piece.bytes);
    const { have } = state;
    state.emit({
      type: "piece.verified",
      pieceIndex,
      havePieces: have.count,
      pieceCount: have.length,
      sources: new Set(piece.givers).size,
    });
  }

  /** A piece is there and right: it is kept, and everyone is told. @param bytes A buffer of the cache's, which takes it back. */
  gained(pieceIndex: number, bytes: Uint8Array): void {
    const state = this.#state;
    const { have, cache } = state;
    have.add(pieceIndex);
    state.demand?.delete(pieceIndex);
    state.haveBytes += bytes.length;
    this.#bans.proven(pieceIndex, bytes);
    cache.put(pieceIndex, bytes, { pinned: true });
    this.#storing.set(pieceIndex, bytes.length);
    this.#storingBytes += bytes.length;
    state.put({ kind: "store", pieceIndex, bytes });
    const told = encodeMessage({ kind: "have", pieceIndex });
    for (const session of state.open()) {
      session.sayBytes(told);
      state.dirty.add(session);
      if (!session.pieces.has(pieceIndex)) continue;
      session.usefulPieces -= 1;
      if (session.usefulPieces === 0) this.fill(session);
    }
  }

  /** A piece is on the disk. */
  stored(pieceIndex: number): void {
    const state = this.#state;
    const wasFull = this.#storingBytes >= MAX_STORING_BYTES;
    this.#storingBytes -= this.#storing.get(pieceIndex) ?? 0;
    this.#storing.delete(pieceIndex);
    state.cache.unpin(pieceIndex);
    if (wasFull) this.fillAll();
    if (state.have.complete && this.#storing.size === 0 && !this.#completed) {
      this.#completed = true;
      state.put({ kind: "completed" });
    }
  }

  /** The peer choked us: what was asked of it will not come. With the fast extension it says so, block by block (BEP 6). */
  choked(session: PeerSession): void {
    if (session.features.fast) return;
    this.#giveUp(session);
    // What it held is free for the others.
    this.fillAll();
  }

  /** The peer will not give us a block; it is free for the others. @throws {ProtocolError} `reject-unasked` when there are too many for what was not asked. */
  rejected(session: PeerSession, block: BlockRef): void {
    const { board, nowMs } = this.#state;
    if (!board.rejected(session, block)) {
      session.strayRejects += 1;
      if (session.strayRejects <= MAX_STRAY_REJECTS) return;
      throw new ProtocolError(
        "reject-unasked",
        `Cannot take reject: at most ${MAX_STRAY_REJECTS} may come unasked`,
      );
    }
    this.refund(session, block.lengthBytes);
    if (session.peerChoking) session.fast?.refuse(block.pieceIndex);
    else session.askAgainAtMs = nowMs + REJECTED_PAUSE_MS;
    this.#freed = true;
  }

  /** After a peer's messages: what they set free is asked of the others. */
  settle(): void {
    if (!this.#freed) return;
    this.#freed = false;
    this.fillAll();
  }

  /** Once a second: finds peers that snub us. */
  tick(): void {
    if (this.#state.nowMs >= this.#snubFromMs) this.#findSnubs();
    this.fillAll();
  }

  #findSnubs(): void {
    const { nowMs } = this.#state;
    this.#snubFromMs = nowMs + SNUB_MS;
    for (const session of this.#state.open()) {
      if (session.outstanding.size === 0) continue;
      const fromMs = session.lastBlockAtMs + SNUB_MS;
      if (nowMs < fromMs) {
        this.#snubFromMs = Math.min(this.#snubFromMs, fromMs);
        continue;
      }
      session.snubbed = true;
      this.#giveUp(session);
    }
  }

  #giveUp(session: PeerSession): void {
    this.refund(session, session.outstanding.size * BLOCK_BYTES);
    this.#state.board.release(session);
  }

  /** Whoever else was asked for the block need not send it. */
  #cancelElsewhere(
    session: PeerSession,
    block: { readonly pieceIndex: number; readonly begin: number },
    lengthBytes: number,
  ): void {
    const { pieceIndex, begin } = block;
    for (const other of this.#state.open()) {
      if (other === session) continue;
      if (!this.#state.board.withdraw(other, { pieceIndex, begin })) continue;
      other.say({ kind: "cancel", pieceIndex, begin, lengthBytes });
      this.refund(other, lengthBytes);
      this.#state.dirty.add(other);
    }
  }
}
