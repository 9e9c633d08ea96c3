import { ProtocolError } from "../../../core/errors.ts";
import type { HashMessage } from "../../wire/hash_messages.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";

/** Requests of one peer that are answered in a second: leaves cost hashing a piece. */
const MAX_ANSWERS_PER_SECOND = 50;

/** The hashes of v2 (BEP 52) in a swarm: answers those who ask, and asks for what a magnet link left out. */
export class Hashes {
  readonly #state: SwarmState;
  readonly #learned: () => void;

  /** @param learned Called when more pieces can be asked for. */
  constructor(state: SwarmState, learned: () => void) {
    this.#state = state;
    this.#learned = learned;
  }

  /**
   * Takes a message.
   *
   * @throws {ProtocolError} `hashes-not-agreed` on a connection that is not about v2; `hashes-wrong`.
   */
  take(session: PeerSession, message: HashMessage): void {
    const { options, cache, board } = this.#state;
    if (options.v2 === undefined || !session.v2) {
      throw new ProtocolError(
        "hashes-not-agreed",
        `Cannot take ${message.kind}: the connection is not about BitTorrent v2`,
      );
    }
    const { answers, quest } = options.v2;
    if (message.kind === "hash-request") {
      session.hashRequests += 1;
      session.say(
        session.hashRequests > MAX_ANSWERS_PER_SECOND
          ? { ...message, kind: "hash-reject" }
          : answers.answer(message, (piece) => cache.get(piece)),
      );
      this.#state.dirty.add(session);
    } else if (quest.take(session.link, message)) {
      board.admit();
      this.#learned();
    }
  }

  /** Asks a peer for what is missing and it can know. */
  ask(session: PeerSession): void {
    const { options, dirty, nowMs } = this.#state;
    const quest = options.v2?.quest;
    if (quest === undefined || quest.done) return;
    if (!session.v2 || session.stage !== "open") return;
    for (const request of quest.next(session, nowMs)) {
      session.say(request);
      dirty.add(session);
    }
  }

  /** Once a second: asks others for what did not come. */
  tick(): void {
    if (this.#state.options.v2 === undefined) return;
    for (const session of this.#state.open()) {
      session.hashRequests = 0;
      this.ask(session);
    }
  }

  /** A peer is gone. */
  left(session: PeerSession): void {
    this.#state.options.v2?.quest.left(session.link);
  }
}
