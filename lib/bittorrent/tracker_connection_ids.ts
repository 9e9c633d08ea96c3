import { concat, utf8, viewOf } from "../core/bytes.ts";

/** A connection id is accepted in the window it was given out in and in the next: 2 to 4 minutes. BEP 15 asks for 2. */
const WINDOW_MS = 120_000;

/**
 * The connection ids of a UDP tracker (BEP 15): proof that the client receives what is sent to its address.
 *
 * Nothing is kept: an id is the start of a hash over a secret, the client's address and the time, so that a million
 * connect requests from forged addresses cost no memory.
 */
export class ConnectionIds {
  readonly #secret: Uint8Array;
  readonly #hash: (bytes: Uint8Array) => Uint8Array;

  /** @param options.hash A cryptographic hash of at least 8 bytes. @param options.secret At least 16 bytes nobody can guess. */
  constructor(
    options: {
      readonly hash: (bytes: Uint8Array) => Uint8Array;
      readonly secret: Uint8Array;
    },
  ) {
    this.#secret = options.secret;
    this.#hash = options.hash;
  }

  /** Returns the id for a client at `host`. */
  issue(host: string, nowMs: number): bigint {
    return this.#idOf(host, Math.floor(nowMs / WINDOW_MS));
  }

  /** Returns whether `connectionId` was given to `host` not too long ago. */
  accepts(connectionId: bigint, host: string, nowMs: number): boolean {
    const window = Math.floor(nowMs / WINDOW_MS);
    return connectionId === this.#idOf(host, window) ||
      connectionId === this.#idOf(host, window - 1);
  }

  #idOf(host: string, window: number): bigint {
    const digest = this.#hash(
      concat(this.#secret, utf8(` ${window} ${host}`)),
    );
    return viewOf(digest).getBigUint64(0);
  }
}
