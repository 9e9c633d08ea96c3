import { lowerByte } from "../name.ts";
import type { BytePool } from "./byte_pool.ts";

/** Returns the FNV-1a hash of the name that starts at `at`, without regard to case. */
export function hashName(bytes: Uint8Array, at = 0): number {
  let hash = 0x811c9dc5;
  for (let index = at;;) {
    const length = bytes[index] ?? 0;
    for (const end = index + length; index <= end; index++) {
      hash = Math.imul(hash ^ lowerByte(bytes[index] ?? 0), 0x01000193);
    }
    if (length === 0) return hash >>> 0;
  }
}

/** A name has at most so many labels: 127 of one byte, and the root. */
const MAX_LABELS = 128;

/**
 * Values by domain name, found straight from the bytes of a message: no text is made, nothing is allocated.
 *
 * Open addressing with linear probing, at most half full. The hash of a name goes on from that of its parent, so that
 * one pass over an asked name gives the hashes of all its ancestors, too: a search for the closest encloser
 * (RFC 4592 §3.3.1) costs one comparison for each step.
 */
export class NameTable<T> {
  readonly #pool: BytePool;
  /** Index of the name + 1, or 0. */
  #slots: Int32Array = new Int32Array(16);
  /** Where each name stands in the pool. */
  readonly #starts: number[] = [];
  readonly #values: T[] = [];
  /** Where each label of the last name starts, and the hash of the name from there on. */
  readonly #labels = new Int32Array(MAX_LABELS);
  readonly #hashes = new Int32Array(MAX_LABELS);

  /** @param pool Where the names are kept. */
  constructor(pool: BytePool) {
    this.#pool = pool;
  }

  /** All values, in the order they were added. */
  get values(): readonly T[] {
    return this.#values;
  }

  /** Returns the value of the uncompressed name that starts at `at`. */
  get(bytes: Uint8Array, at = 0): T | undefined {
    this.#read(bytes, at);
    const index = this.#search(bytes, 0);
    return index < 0 ? undefined : this.#values[index];
  }

  /**
   * Returns the value of the name that starts at `at` or, if it has none, that of its closest ancestor that has one.
   * {@linkcode NameTable.isExact} then says which of the two it is.
   */
  closest(bytes: Uint8Array, at = 0): T | undefined {
    const labels = this.#read(bytes, at);
    for (let label = 0; label < labels; label++) {
      const index = this.#search(bytes, label);
      if (index < 0) continue;
      this.isExact = label === 0;
      return this.#values[index];
    }
    return undefined;
  }

  /** Whether the last {@linkcode NameTable.closest} found the name itself. */
  isExact = false;

  /** Adds a name that is not there; returns where it stands in the pool. */
  add(name: Uint8Array, value: T): number {
    const start = this.#pool.add(name);
    this.#starts.push(start);
    this.#values.push(value);
    if (2 * this.#starts.length > this.#slots.length) this.#grow();
    else this.#place(this.#starts.length - 1);
    return start;
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let index = 0; index < this.#starts.length; index++) {
      this.#place(index);
    }
  }

  #place(index: number): void {
    this.#read(this.#pool.bytes, this.#starts[index]!);
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[0]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }

  /** Finds the labels of a name and their hashes; returns how many there are, the root included. */
  #read(bytes: Uint8Array, at: number): number {
    const labels = this.#labels;
    let count = 0;
    for (let start = at;;) {
      labels[count++] = start;
      const length = bytes[start] ?? 0;
      if (length === 0 || count === MAX_LABELS) break;
      start += 1 + length;
    }
    let hash = 0x811c9dc5;
    for (let label = count - 1; label >= 0; label--) {
      const start = labels[label]!;
      for (let index = start + (bytes[start] ?? 0); index >= start; index--) {
        hash = Math.imul(hash ^ lowerByte(bytes[index]!), 0x01000193);
      }
      // The low bits choose the slot: let the high ones count
      this.#hashes[label] = hash ^ hash >>> 15;
    }
    return count;
  }

  #search(bytes: Uint8Array, label: number): number {
    const mask = this.#slots.length - 1;
    const start = this.#labels[label]!;
    for (let slot = this.#hashes[label]! & mask;; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (index < 0 || this.#equals(bytes, start, this.#starts[index]!)) {
        return index;
      }
    }
  }

  #equals(bytes: Uint8Array, at: number, start: number): boolean {
    const pool = this.#pool.bytes;
    let index = at;
    let other = start;
    for (;;) {
      const length = pool[other]!;
      if (length !== bytes[index]) return false;
      if (length === 0) return true;
      for (const end = other + length; other < end;) {
        index += 1;
        other += 1;
        const a = bytes[index]!;
        const b = pool[other]!;
        if (a !== b && lowerByte(a) !== lowerByte(b)) return false;
      }
      index += 1;
      other += 1;
    }
  }
}
