/**
 * Getting a torrent's info dictionary from peers (BEP 9). A peer is asked for all of it, a few blocks at a time, and a few
 * peers are asked side by side: whoever is first wins, and what turns out wrong came from one peer, who is to blame.
 */
import { ProtocolError } from "../../../core/errors.ts";
import {
  encodeMetadataMessage,
  MAX_METADATA_BYTES,
  METADATA_BLOCK_BYTES,
  metadataBlockCount,
  type MetadataMessage,
} from "../../wire/ut_metadata.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Peers asked side by side: a slow one does not hold up, and 3 × 8 MiB are what liars can make us hold. */
const MAX_ATTEMPTS = 3;
/** Blocks asked of a peer at once. */
const MAX_ASKED = 8;
/** A peer that sends nothing for so long is given up. */
const STALL_MS = 10_000;
/** A peer that gave up or rejected is asked again after this. */
const RETRY_MS = 15_000;

/** One peer's copy on its way. */
interface Attempt {
  readonly bytes: Uint8Array;
  readonly asked: Set<number>;
  /** The first block that was not asked for. */
  next: number;
  left: number;
  readonly startedAtMs: number;
  lastAtMs: number;
}

/** The download of the info dictionary. */
export class MetadataDownload {
  readonly #state: SwarmState;
  readonly #attempts = new Map<PeerSession, Attempt>();
  /** Whole copies whose hash is being compared. */
  readonly #checking = new Map<number, Uint8Array>();
  readonly #notBefore = new WeakMap<PeerSession, number>();
  #bytes: Uint8Array | null = null;
  #lastRefusal = "";

  /** Creates a download that has asked nobody. */
  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** The info dictionary, once its hash was right. */
  get bytes(): Uint8Array | null {
    return this.#bytes;
  }

  /** Why the last copy or offer was not taken; "" if there was none. */
  get lastRefusal(): string {
    return this.#lastRefusal;
  }

  /** Asks peers that can be asked, if fewer than three are. */
  ask(): void {
    if (this.#bytes !== null) return;
    const free = MAX_ATTEMPTS - this.#attempts.size;
    if (free <= 0) return;
    // Who was not asked yet, or longest ago, goes first: those who connected first and give nothing must not keep the others out.
    const waiting = this.#state.open().filter((session) => this.#can(session))
      .sort((a, b) => this.#askedFrom(a) - this.#askedFrom(b));
    for (const session of waiting.slice(0, free)) this.#begin(session);
  }

  /** Whether a peer may be asked now, and says that it has the dictionary. */
  #can(session: PeerSession): boolean {
    const { extended } = session;
    return !this.#attempts.has(session) && !this.#checking.has(session.link) &&
      this.#askedFrom(session) <= this.#state.nowMs &&
      (extended?.extensions.ut_metadata ?? 0) > 0 &&
      (extended?.metadataBytes ?? 0) > 0;
  }

  /** From when on a peer may be asked; 0 if it never was. */
  #askedFrom(session: PeerSession): number {
    return this.#notBefore.get(session) ?? 0;
  }

  /** Once a second: gives up peers that send nothing. */
  tick(): void {
    for (const [session, { lastAtMs }] of this.#attempts) {
      if (this.#state.nowMs - lastAtMs >= STALL_MS) this.#giveUp(session);
    }
    this.#makeRoom();
    this.ask();
  }

  /** Gives up the slowest of three that take their time while someone who was never asked waits: a block now and then must not hold up the torrent. */
  #makeRoom(): void {
    if (this.#attempts.size < MAX_ATTEMPTS) return;
    const isNew = (session: PeerSession) =>
      this.#askedFrom(session) === 0 && this.#can(session);
    if (!this.#state.open().some(isNew)) return;
    const { nowMs } = this.#state;
    let slowest: PeerSession | null = null;
    let least = Infinity;
    for (const [session, attempt] of this.#attempts) {
      const tookMs = nowMs - attempt.startedAtMs;
      if (tookMs < STALL_MS) continue;
      const blocks = metadataBlockCount(attempt.bytes.length) - attempt.left;
      if (blocks / tookMs >= least) continue;
      slowest = session;
      least = blocks / tookMs;
    }
    if (slowest !== null) this.#giveUp(slowest);
  }

  /** A peer answered. @throws {ProtocolError} `metadata-bad-block`. */
  came(
    session: PeerSession,
    message: Exclude<MetadataMessage, { readonly kind: "request" }>,
  ): void {
    const attempt = this.#attempts.get(session);
    if (attempt === undefined || !attempt.asked.has(message.block)) return;
    if (message.kind === "reject") {
      this.#lastRefusal = `${session.address} does not have it`;
      this.#giveUp(session);
      return this.ask();
    }
    const from = message.block * METADATA_BLOCK_BYTES;
    const length = Math.min(METADATA_BLOCK_BYTES, attempt.bytes.length - from);
    if (
      message.totalBytes !== attempt.bytes.length ||
      message.bytes.length !== length
    ) {
      throw new ProtocolError(
        "metadata-bad-block",
        `Cannot take metadata: block ${message.block} of ${attempt.bytes.length} bytes must have ${length} bytes, got ${message.bytes.length} of ${message.totalBytes}`,
      );
    }
    attempt.asked.delete(message.block);
    attempt.bytes.set(message.bytes, from);
    attempt.left -= 1;
    attempt.lastAtMs = this.#state.nowMs;
    if (attempt.left > 0) return this.#fill(session, attempt);
    this.#attempts.delete(session);
    if (this.#bytes !== null) return;
    const { link } = session;
    this.#checking.set(link, attempt.bytes);
    this.#state.put({
      kind: "verify-metadata",
      link,
      bytes: attempt.bytes,
    });
  }

  /** The hash of a copy was compared. Returns whether whoever sent it is to blame. */
  verified(link: number, valid: boolean): boolean {
    const bytes = this.#checking.get(link);
    this.#checking.delete(link);
    if (bytes === undefined || this.#bytes !== null) return false;
    if (!valid) {
      this.#lastRefusal = "what a peer sent has a wrong hash";
      return true;
    }
    this.#bytes = bytes;
    this.#attempts.clear();
    this.#state.put({ kind: "metadata", bytes });
    return false;
  }

  /** A peer is gone. */
  left(session: PeerSession): void {
    if (this.#attempts.delete(session)) this.ask();
  }

  #begin(session: PeerSession): void {
    const { metadataBytes = 0 } = session.extended ?? {};
    if (metadataBytes > MAX_METADATA_BYTES) {
      this.#lastRefusal =
        `${session.address} says it has ${metadataBytes} bytes, and at most ${MAX_METADATA_BYTES} are taken`;
      this.#notBefore.set(session, Infinity);
      return;
    }
    const attempt: Attempt = {
      bytes: new Uint8Array(metadataBytes),
      asked: new Set(),
      next: 0,
      left: metadataBlockCount(metadataBytes),
      startedAtMs: this.#state.nowMs,
      lastAtMs: this.#state.nowMs,
    };
    this.#attempts.set(session, attempt);
    this.#fill(session, attempt);
  }

  #fill(session: PeerSession, attempt: Attempt): void {
    const blocks = metadataBlockCount(attempt.bytes.length);
    const id = session.extended?.extensions.ut_metadata ?? 0;
    if (id === 0) return this.#giveUp(session);
    for (; attempt.asked.size < MAX_ASKED && attempt.next < blocks;) {
      const block = attempt.next++;
      attempt.asked.add(block);
      const payload = encodeMetadataMessage({ kind: "request", block });
      session.say({ kind: "extended", id, payload });
    }
    this.#state.dirty.add(session);
  }

  #giveUp(session: PeerSession): void {
    this.#attempts.delete(session);
    this.#notBefore.set(session, this.#state.nowMs + RETRY_MS);
  }
}
