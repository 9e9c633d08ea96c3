/** What a client is to be told with; bytes undefined: nothing. */
export type Tell = (bytes: Uint8Array<ArrayBuffer> | undefined) => void;

/** Clients that wait for their answer, by the number the resolver knows them by. */
export class Clients {
  readonly #waiting = new Map<number, Tell>();
  #count = 0;

  /** Notes one. */
  add(tell: Tell): number {
    this.#count += 1;
    this.#waiting.set(this.#count, tell);
    return this.#count;
  }

  /** Tells one. */
  reply(clientId: number, bytes: Uint8Array<ArrayBuffer> | undefined): void {
    this.#waiting.get(clientId)?.(bytes);
    this.#waiting.delete(clientId);
  }
}
