import { SipHash } from "../../../core/siphash.ts";

/** How long a client may use its id after it was sent (BEP 15). */
const LIFE_SECONDS = 120;

/** Who asks for an id, or shows one, and when. */
export interface IdHolder {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly nowMs: number;
}

/**
 * The connection ids of a UDP tracker (BEP 15): proof that the client receives what is sent to its address.
 *
 * Nothing is kept, so that a million connect requests from forged addresses cost no memory. An id is 16 bits of the
 * second it was made in and 48 bits of a hash over that second and the address, under a key that only the tracker knows.
 */
export class ConnectionIds {
  readonly #hash: SipHash;
  /** What is hashed: the second in 8 bytes, and an address. */
  readonly #input = new Uint8Array(24);

  /** @param secret 16 bytes nobody can guess. */
  constructor(secret: Uint8Array) {
    this.#hash = new SipHash(secret, { rounds: 2, finalRounds: 4 });
  }

  /** Returns the id for a client. */
  issue({ address, nowMs }: IdHolder): bigint {
    const second = Math.floor(nowMs / 1000);
    this.#sign(address, second);
    const high = (second & 0xffff) * 0x10000 + (this.#hash.high & 0xffff);
    return BigInt(high) << 32n | BigInt(this.#hash.low);
  }

  /** Returns whether the id in the first 8 bytes of a request was given to this client within the last two minutes. */
  accepts(request: Uint8Array, { address, nowMs }: IdHolder): boolean {
    const now = Math.floor(nowMs / 1000);
    const age = now - (request[0]! << 8 | request[1]!) & 0xffff;
    if (age > LIFE_SECONDS) return false;
    this.#sign(address, now - age);
    const low = request[4]! * 0x1000000 +
      (request[5]! << 16 | request[6]! << 8 | request[7]!);
    return (request[2]! << 8 | request[3]!) === (this.#hash.high & 0xffff) &&
      low === this.#hash.low;
  }

  #sign(address: Uint8Array, second: number): void {
    const input = this.#input;
    let rest = second;
    for (let at = 0; at < 8; at++) {
      input[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    input.set(address, 8);
    this.#hash.update(input, 8 + address.length);
  }
}
