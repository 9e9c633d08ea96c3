/**
 * Handing out the info dictionary to peers that have a magnet link only (BEP 9). A peer may ask for all blocks at once; a
 * few at a time are put in line, so that one that does not read costs no memory.
 */
import {
  encodeMetadataMessage,
  METADATA_BLOCK_BYTES,
  metadataBlockCount,
} from "../../wire/ut_metadata.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Bytes in line for a peer above which it gets no further block yet. */
const MAX_WAITING_BYTES = 64 * 1024;
/** How often a peer may have the whole dictionary; after that its requests are rejected (BEP 9, "flood protection"). */
const MAX_COPIES = 3;

/** The info dictionary as others ask for it. */
export class MetadataUploads {
  readonly #state: SwarmState;
  /** Blocks each peer waits for, and how many it was ever granted. */
  readonly #peers = new WeakMap<
    PeerSession,
    { readonly waiting: Set<number>; granted: number }
  >();
  #asked = false;

  /** Creates the uploads of `state.options.metadata`; without it every request is rejected. */
  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** A peer asks for a block. */
  requested(session: PeerSession, block: number): void {
    const { metadata } = this.#state.options;
    const blocks = metadata === undefined
      ? 0
      : metadataBlockCount(metadata.length);
    let peer = this.#peers.get(session);
    if (peer === undefined) {
      peer = { waiting: new Set(), granted: 0 };
      this.#peers.set(session, peer);
    }
    if (block >= blocks || peer.granted >= MAX_COPIES * blocks) {
      return this.#say(session, { kind: "reject", block });
    }
    if (peer.waiting.has(block)) return;
    this.#asked = true;
    peer.granted += 1;
    peer.waiting.add(block);
    this.pump(session);
  }

  /** What was in line has been sent, or a peer asked: puts the next blocks in line. */
  pump(session: PeerSession): void {
    // After each send: as a rule nobody ever asks.
    if (!this.#asked) return;
    const peer = this.#peers.get(session);
    const { metadata } = this.#state.options;
    if (peer === undefined || metadata === undefined) return;
    for (const block of peer.waiting) {
      if (session.controlBytes >= MAX_WAITING_BYTES) return;
      peer.waiting.delete(block);
      this.#say(session, {
        kind: "data",
        block,
        totalBytes: metadata.length,
        bytes: metadata.subarray(
          block * METADATA_BLOCK_BYTES,
          (block + 1) * METADATA_BLOCK_BYTES,
        ),
      });
    }
  }

  #say(
    session: PeerSession,
    message: Parameters<typeof encodeMetadataMessage>[0],
  ): void {
    const id = session.extended?.extensions.ut_metadata ?? 0;
    // Who names no number for the extension cannot be answered in it.
    if (id === 0) return;
    const payload = encodeMetadataMessage(message);
    session.say({ kind: "extended", id, payload });
    this.#state.dirty.add(session);
  }
}
