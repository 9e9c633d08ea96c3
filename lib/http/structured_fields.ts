/**
 * Structured fields, as far as a cache needs them: dictionaries (RFC 9651 §3.2, §4.2.2).
 *
 * Parsing is strict on purpose: a structured field that is wrong anywhere is ignored as a whole (§4.2), so that all
 * its readers agree on what it says.
 */

/** A bare item. Byte sequences and dates, which no cache directive has, count as tokens. */
export type BareItem = boolean | number | string | Token;

/** A token, such as `gzip` or `*`. */
export interface Token {
  readonly token: string;
}

/** A member of a dictionary; parameters are checked and left out. An inner list is the list of its items. */
export type Member = BareItem | readonly BareItem[];

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const NUMBER = /-?[0-9]+(?:\.[0-9]+)?/y;
const STRING = /"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const BYTES = /:[A-Za-z0-9+/=]*:/y;
const OWS = /[ \t]*/y;
const SP = / */y;

/** Reads a dictionary; undefined when it is none. Of a key that stands twice the last counts. Empty is a dictionary without members. */
export function parseDictionary(text: string): Map<string, Member> | undefined {
  const members = new Map<string, Member>();
  const input = new Cursor(text.replace(/^ +| +$/g, ""));
  if (input.isAtEnd) return members;
  for (;;) {
    const key = input.take(KEY);
    if (key === undefined) return undefined;
    let value: Member | undefined = true;
    if (input.skip("=")) value = input.next === "(" ? list(input) : item(input);
    if (value === undefined || !parameters(input)) return undefined;
    members.delete(key);
    members.set(key, value);
    input.take(OWS);
    if (input.isAtEnd) return members;
    if (!input.skip(",")) return undefined;
    input.take(OWS);
    // A comma at the end is an error, unlike in older lists.
    if (input.isAtEnd) return undefined;
  }
}

/** A place in a text. */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  get next(): string | undefined {
    return this.#text[this.#at];
  }

  skip(char: string): boolean {
    if (this.next !== char) return false;
    this.#at += 1;
    return true;
  }

  /** What matches here, its first group if it has one; undefined when nothing does. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }
}

function list(input: Cursor): readonly BareItem[] | undefined {
  input.skip("(");
  const items: BareItem[] = [];
  for (;;) {
    input.take(SP);
    if (input.skip(")")) return items;
    const value = item(input);
    if (value === undefined || !parameters(input)) return undefined;
    if (input.next !== " " && input.next !== ")") return undefined;
    items.push(value);
  }
}

function item(input: Cursor): BareItem | undefined {
  switch (input.next) {
    case '"':
      return input.take(STRING)?.replace(/\\(.)/g, "$1");
    case "?":
      input.skip("?");
      if (input.skip("1")) return true;
      return input.skip("0") ? false : undefined;
    case ":": {
      const text = input.take(BYTES);
      return text === undefined ? undefined : { token: text };
    }
  }
  const digits = input.take(NUMBER);
  if (digits !== undefined) return number(digits);
  const token = input.take(TOKEN);
  return token === undefined ? undefined : { token };
}

/** At most 15 digits; as a decimal at most 12 before the point and 3 behind it. */
function number(digits: string): number | undefined {
  const [whole, part] = digits.replace("-", "").split(".");
  const fits = part === undefined
    ? whole!.length <= 15
    : whole!.length <= 12 && part.length <= 3;
  return fits ? Number(digits) : undefined;
}

function parameters(input: Cursor): boolean {
  while (input.skip(";")) {
    input.take(SP);
    if (input.take(KEY) === undefined) return false;
    if (input.skip("=") && item(input) === undefined) return false;
  }
  return true;
}
