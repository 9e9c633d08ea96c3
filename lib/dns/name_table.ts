import { lowerByte, lowerName, type Name } from "./name.ts";

interface Entry<T> {
  readonly name: Name;
  value: T;
  readonly next: Entry<T> | undefined;
}

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

/** Values by domain name, found straight from the bytes of a message: no text is made, nothing is allocated. */
export class NameTable<T> {
  readonly #entries = new Map<number, Entry<T>>();

  /** Returns the value of the uncompressed name that starts at `at`. */
  get(bytes: Uint8Array, at = 0): T | undefined {
    let entry = this.#entries.get(hashName(bytes, at));
    while (entry !== undefined && !startsWith(bytes, at, entry.name)) {
      entry = entry.next;
    }
    return entry?.value;
  }

  /** Sets the value of a name. */
  set(name: Uint8Array, value: T): void {
    const hash = hashName(name);
    const first = this.#entries.get(hash);
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (startsWith(name, 0, entry.name)) {
        entry.value = value;
        return;
      }
    }
    this.#entries.set(hash, { name: lowerName(name), value, next: first });
  }

  /** Returns all values. */
  *values(): Iterable<T> {
    for (let entry of this.#entries.values()) {
      for (;;) {
        yield entry.value;
        if (entry.next === undefined) break;
        entry = entry.next;
      }
    }
  }
}

function startsWith(bytes: Uint8Array, at: number, lower: Name): boolean {
  for (let index = 0; index < lower.length; index++) {
    if (lowerByte(bytes[at + index] ?? 0) !== lower[index]) return false;
  }
  return true;
}
