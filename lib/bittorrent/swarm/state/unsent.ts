import type { PeerSession } from "./peer_session.ts";

/**
 * The sessions with something to send, in the order in which they got it, none twice. Hot path: filled and emptied with
 * nearly every input, for which a `Set` makes a new table each time.
 */
export class Unsent {
  readonly #sessions: (PeerSession | null)[] = [];
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The one that is `at` places behind the first. */
  at(at: number): PeerSession {
    return this.#sessions[at]!;
  }

  /** Puts a session in line, if it is not. */
  add(session: PeerSession): void {
    if (session.unsent) return;
    session.unsent = true;
    this.#sessions[this.#size] = session;
    this.#size += 1;
  }

  /** Takes a session out of the line, if it is in it. */
  delete(session: PeerSession): void {
    if (!session.unsent) return;
    session.unsent = false;
    const at = this.#sessions.indexOf(session);
    this.#sessions.copyWithin(at, at + 1, this.#size);
    this.#size -= 1;
    this.#sessions[this.#size] = null;
  }

  /** Takes all out. */
  clear(): void {
    for (let at = 0; at < this.#size; at++) {
      this.at(at).unsent = false;
      this.#sessions[at] = null;
    }
    this.#size = 0;
  }
}
