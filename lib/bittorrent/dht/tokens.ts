import { concat, equalBytes, utf8 } from "../../core/bytes.ts";

/** BEP 5: the secret changes every five minutes, and tokens up to ten minutes old are accepted. */
const WINDOW_MS = 5 * 60_000;
/** As long as mainline's; nobody can try them all in ten minutes. */
const TOKEN_BYTES = 8;

/**
 * The write tokens of a DHT node (BEP 5): proof that whoever announces a peer receives what is sent to its address.
 *
 * Nothing is kept for each asker: a token is the start of a hash over a secret, the number of the five minutes it was
 * given out in, and the asker's address, so it is good for 5 to 10 minutes.
 */
export class DhtTokens {
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

  /** Returns the token for a node at `host`. */
  issue(host: string, nowMs: number): Uint8Array {
    return this.#tokenOf(host, Math.floor(nowMs / WINDOW_MS));
  }

  /** Returns whether `token` was given to `host` not too long ago. */
  accepts(token: Uint8Array, host: string, nowMs: number): boolean {
    const window = Math.floor(nowMs / WINDOW_MS);
    return equalBytes(token, this.#tokenOf(host, window)) ||
      equalBytes(token, this.#tokenOf(host, window - 1));
  }

  #tokenOf(host: string, window: number): Uint8Array {
    const text = utf8(` ${window} ${host}`);
    return this.#hash(concat(this.#secret, text)).subarray(0, TOKEN_BYTES);
  }
}
