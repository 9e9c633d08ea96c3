/** Bencoding (BEP 3) for the graders of lesson 3: small, strict, and apart from rolecall's own. */

/** What bencoding can say. Strings are bytes; the keys of a dictionary have one character for each byte. */
export type Bencoded =
  | number
  | Uint8Array
  | readonly Bencoded[]
  | ReadonlyMap<string, Bencoded>;

/** Text in which each character is a byte. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The bytes of a text in which each character is a byte. */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Reads one value. @throws {Error} What is wrong, in words for a student. */
function readBencode(bytes: Uint8Array): Bencoded {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.at !== bytes.length) {
    throw new Error(`bytes after the end of the bencoding: ${shown(bytes)}`);
  }
  return value;
}

/** Reads a value that must be a dictionary. @throws {Error} If it is none. */
export function readDictionary(
  bytes: Uint8Array,
): ReadonlyMap<string, Bencoded> {
  const value = readBencode(bytes);
  if (value instanceof Map) return value;
  throw new Error(`a bencoded dictionary is due, got ${shown(bytes)}`);
}

/** Writes a value; the keys of a dictionary are put in order. */
export function writeBencode(value: Bencoded | string): string {
  if (typeof value === "number") return `i${value}e`;
  if (typeof value === "string") return `${value.length}:${value}`;
  if (value instanceof Uint8Array) return writeBencode(latin1(value));
  if (value instanceof Map) {
    const keys = [...value.keys()].toSorted();
    return `d${
      keys.map((key) => writeBencode(key) + writeBencode(value.get(key)!))
        .join("")
    }e`;
  }
  return `l${(value as readonly Bencoded[]).map(writeBencode).join("")}e`;
}

function shown(bytes: Uint8Array): string {
  return JSON.stringify(latin1(bytes.subarray(0, 80)));
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #text: string;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = latin1(bytes);
  }

  value(): Bencoded {
    switch (this.#text[this.at]) {
      case "i":
        return Number(this.#match(/i(0|-?[1-9][0-9]*)e/y));
      case "l":
        return this.#list();
      case "d":
        return this.#dictionary();
      default:
        return this.#string();
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#text);
    if (match === null) {
      throw new Error(
        `no bencoding at byte ${this.at}: ${
          shown(this.#bytes.subarray(this.at))
        }`,
      );
    }
    this.at = pattern.lastIndex;
    return match[1]!;
  }

  #string(): Uint8Array {
    const length = Number(this.#match(/(0|[1-9][0-9]*):/y));
    const end = this.at + length;
    if (end > this.#bytes.length) {
      throw new Error(`a string of ${length} bytes is longer than the answer`);
    }
    const value = this.#bytes.slice(this.at, end);
    this.at = end;
    return value;
  }

  #list(): Bencoded[] {
    const values: Bencoded[] = [];
    for (this.at++; this.#text[this.at] !== "e";) values.push(this.value());
    this.at++;
    return values;
  }

  #dictionary(): Map<string, Bencoded> {
    const values = new Map<string, Bencoded>();
    for (this.at++; this.#text[this.at] !== "e";) {
      values.set(latin1(this.#string()), this.value());
    }
    this.at++;
    return values;
  }
}
