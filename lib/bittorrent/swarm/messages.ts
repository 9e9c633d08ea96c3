import { ProtocolError } from "../../core/errors.ts";
import { Bitfield } from "../wire/bitfield.ts";
import type { MessageTaker } from "./connections/connections.ts";
import type { PeerSession } from "./state/peer_session.ts";
import type { Spread } from "./choking/spread.ts";
import type { Choking } from "./choking/choke.ts";
import type { Downloads } from "./download/download.ts";
import type { Extensions } from "./extensions/extensions.ts";
import type { Hashes } from "./extensions/hashes.ts";
import { allowFast } from "./extensions/fast.ts";
import { FastSource } from "./pieces/fast_source.ts";
import type { SwarmState } from "./state/state.ts";
import type { Uploads } from "./upload/upload.ts";
import type { WireMessage } from "../wire/messages.ts";

/** Bytes of messages that may wait for a peer that does not read; the answers to what it says must not fill the memory. */
const MAX_CONTROL_BYTES = 4 * 2 ** 20;

type FastKind =
  | "have-all"
  | "have-none"
  | "suggest"
  | "reject"
  | "allowed-fast";

/** The parts of a swarm that messages are for. */
export interface MessageParts {
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly choking: Choking;
  readonly spread: Spread;
  readonly extensions: Extensions;
  readonly hashes: Hashes;
  /** Two that have everything have nothing to say to each other. */
  readonly leaveSeeds: () => void;
}

/** What is said to a peer at once, and what each message of a peer leads to. */
export class Messages implements MessageTaker {
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
    const { spread, extensions } = this.#parts;
    extensions.greet(session, { seed: have.complete && !spread.active });
    const shown = spread.active ? 0 : have.count;
    const { fast } = session.features;
    // BEP 6: exactly one of the three. BEP 3: a peer that has nothing need not say so.
    if (fast && shown === have.length) session.say({ kind: "have-all" });
    else if (shown > 0) {
      session.say({ kind: "bitfield", bytes: have.toBytes() });
    } else if (fast) session.say({ kind: "have-none" });
    allowFast(this.#state, session);
    spread.reveal();
  }

  /** Says to a peer we told that we have nothing, as we had no metadata, what we have indeed. */
  greetAgain(session: PeerSession): void {
    const { have } = this.#state;
    const { spread, extensions } = this.#parts;
    extensions.introduce(session, { seed: have.complete && !spread.active });
    for (let pieceIndex = 0; pieceIndex < have.length; pieceIndex++) {
      if (spread.active || !have.has(pieceIndex)) continue;
      session.say({ kind: "have", pieceIndex });
    }
    allowFast(this.#state, session);
    spread.reveal();
    this.#state.dirty.add(session);
  }

  /** Takes one message. @throws {ProtocolError} If it may not be said. */
  take(session: PeerSession, message: WireMessage): void {
    if (session.controlBytes > MAX_CONTROL_BYTES) {
      throw new ProtocolError(
        "peer-not-reading",
        `Cannot answer peer: ${session.controlBytes} bytes wait for it to read`,
      );
    }
    if (message.kind === "have") return this.#have(session, message.pieceIndex);
    this.#state.stirred = true;
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
        return choking.interested(session, message.kind === "interested");
      case "bitfield":
        return this.#bitfield(session, message.bytes);
      case "request":
        return uploads.requested(session, message);
      case "piece":
        return downloads.received(session, message);
      case "cancel":
        return uploads.cancelled(session, message);
      case "have-all":
      case "have-none":
      case "suggest":
      case "reject":
      case "allowed-fast":
        return this.#fast(session, message);
      case "hash-request":
      case "hashes":
      case "hash-reject":
        return this.#parts.hashes.take(session, message);
      case "extended":
        this.#parts.extensions.take(session, message.id, message.payload);
        return this.#parts.leaveSeeds();
      case "port":
        return this.#parts.extensions.port(session, message.port);
      case "keep-alive":
      case "unknown":
    }
  }

  /** The messages of BEP 6, which asks to end the connection when they were not agreed on. */
  #fast(
    session: PeerSession,
    message: Extract<WireMessage, { readonly kind: FastKind }>,
  ): void {
    if (!session.features.fast) {
      throw new ProtocolError(
        "fast-not-agreed",
        `Cannot take ${message.kind}: the handshakes did not agree on the fast extension`,
      );
    }
    switch (message.kind) {
      case "have-all":
        if (session.pieces.complete) return;
        for (let index = 0; index < this.#state.have.length; index++) {
          this.#has(session, index);
        }
        return this.#parts.leaveSeeds();
      case "reject":
        return this.#parts.downloads.rejected(session, message);
      case "allowed-fast":
        this.#check(message.pieceIndex);
        session.fast ??= new FastSource(session);
        return session.fast.allow(message.pieceIndex);
      case "suggest": // Advice; which piece is rarest is better advice.
        return this.#check(message.pieceIndex);
      case "have-none":
    }
  }

  #check(pieceIndex: number): void {
    const { length } = this.#state.have;
    if (pieceIndex < length) return;
    throw new ProtocolError(
      "have-out-of-range",
      `Cannot note piece: must be 0 to ${length - 1}, got ${pieceIndex}`,
    );
  }

  #have(session: PeerSession, pieceIndex: number): void {
    this.#check(pieceIndex);
    const { have, spreading } = this.#state;
    if (spreading || !have.has(pieceIndex)) this.#state.stirred = true;
    if (session.pieces.has(pieceIndex)) {
      return session.patience.spend(1, this.#state.nowMs);
    }
    this.#has(session, pieceIndex);
    if (!session.pieces.complete) return;
    this.#state.stirred = true;
    this.#parts.leaveSeeds();
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
    session.fast?.seen(pieceIndex);
    this.#parts.downloads.seen(session, pieceIndex);
    this.#parts.spread.seen(session, pieceIndex);
  }
}
