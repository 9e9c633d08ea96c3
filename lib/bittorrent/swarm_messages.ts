import { ProtocolError } from "../core/errors.ts";
import { Bitfield } from "./bitfield.ts";
import type { PeerSession } from "./peer_session.ts";
import type { Spread } from "./spread.ts";
import type { Choking } from "./swarm_choke.ts";
import type { Downloads } from "./swarm_download.ts";
import type { SwarmState } from "./swarm_state.ts";
import type { Uploads } from "./swarm_upload.ts";
import type { WireMessage } from "./wire.ts";

/** The parts of a swarm that messages are for. */
export interface MessageParts {
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly choking: Choking;
  readonly spread: Spread;
  /** Two that have everything have nothing to say to each other. */
  readonly leaveSeeds: () => void;
}

/** What is said to a peer at once, and what each message of a peer leads to. */
export class Messages {
  readonly #state: SwarmState;
  readonly #parts: MessageParts;

  /** Creates the dispatcher of a swarm's messages. */
  constructor(state: SwarmState, parts: MessageParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** Says what we have, right after the handshake. */
  greet(session: PeerSession): void {
    const { have } = this.#state;
    const { spread } = this.#parts;
    if (!spread.active && have.count > 0) {
      session.say({ kind: "bitfield", bytes: have.toBytes() });
    }
    spread.reveal(session);
  }

  /** Takes one message. @throws {ProtocolError} If it may not be said. */
  take(session: PeerSession, message: WireMessage): void {
    const { uploads, downloads, choking } = this.#parts;
    switch (message.kind) {
      case "choke":
        session.peerChoking = true;
        return downloads.choked(session);
      case "unchoke":
        session.peerChoking = false;
        return;
      case "interested":
      case "not-interested":
        session.peerInterested = message.kind === "interested";
        return choking.fillFreeSlots();
      case "have":
        return this.#have(session, message.pieceIndex);
      case "bitfield":
        return this.#bitfield(session, message.bytes);
      case "request":
        return uploads.requested(session, message);
      case "piece":
        return downloads.received(session, message);
      case "cancel":
        return uploads.cancelled(session, message);
      case "keep-alive":
      case "port": // Of a DHT node (BEP 5): we have none.
      case "unknown":
    }
  }

  #have(session: PeerSession, pieceIndex: number): void {
    if (pieceIndex >= this.#state.have.length) {
      throw new ProtocolError(
        "have-out-of-range",
        `Cannot note piece: must be 0 to ${
          this.#state.have.length - 1
        }, got ${pieceIndex}`,
      );
    }
    this.#has(session, pieceIndex);
    if (session.pieces.complete) this.#parts.leaveSeeds();
  }

  /** BEP 3 has it come first and once; aria2 1.36 sends it twice when it connects, so a later one may add pieces. */
  #bitfield(session: PeerSession, bytes: Uint8Array): void {
    const field = Bitfield.fromBytes(bytes, this.#state.have.length);
    for (let index = 0; index < field.length; index++) {
      if (field.has(index)) this.#has(session, index);
    }
    if (session.pieces.complete) this.#parts.leaveSeeds();
  }

  #has(session: PeerSession, pieceIndex: number): void {
    if (!session.pieces.add(pieceIndex)) return;
    this.#parts.downloads.seen(session, pieceIndex);
    this.#parts.spread.seen(session, pieceIndex);
  }
}
