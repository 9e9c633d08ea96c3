/** Where a header field is looked up; the platform's `Headers` fits, and so does {@linkcode Fields}. */
export interface FieldLookup {
  /** The value of a field, its lines joined by `, `; null when there is none. Names match without case. */
  get(name: string): string | null;
}

/** What the pure modules ask of a set of header fields. */
export interface FieldSource extends FieldLookup {
  /** Name (lower case) and value of every field line; `Set-Cookie` lines stay apart. */
  [Symbol.iterator](): Iterator<[string, string]>;
}

/**
 * Header fields without any platform: names in lower case, lines in the order they came (RFC 9110 §5).
 *
 * Two lists side by side: a message has some ten fields, which are found sooner by looking than by hashing, and a copy,
 * made for each answer from a cache, is two copies of lists.
 */
export class Fields implements FieldSource {
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** A bit for each length that a name has, or had: most that are asked for are not there, and need not be looked for. */
  #lengths = 0;

  /** Copies `source`. */
  constructor(source?: Iterable<readonly [string, string]>) {
    if (source === undefined) return;
    if (source instanceof Fields) {
      this.#names = source.#names.slice();
      this.#values = source.#values.slice();
      this.#lengths = source.#lengths;
    } else for (const [name, value] of source) this.append(name, value);
  }

  /** See {@linkcode FieldSource.get}. */
  get(name: string): string | null {
    if (!this.#mayHave(name)) return null;
    const names = this.#names;
    const first = names.indexOf(name.toLowerCase());
    if (first < 0) return null;
    let value = this.#values[first]!;
    for (let at = first + 1; at < names.length; at++) {
      if (names[at] === names[first]) value += `, ${this.#values[at]}`;
    }
    return value;
  }

  /** Whether there is at least one line. */
  has(name: string): boolean {
    return this.#mayHave(name) && this.#names.includes(name.toLowerCase());
  }

  /** Replaces all lines of a field by one, where the first was, or else at the end. */
  set(name: string, value: string): void {
    const first = this.#names.indexOf(name.toLowerCase());
    if (first < 0) return this.append(name, value);
    this.#values[first] = value;
    this.#drop(this.#names[first]!, first + 1);
  }

  /** Adds a line after those there are. */
  append(name: string, value: string): void {
    this.#lengths |= lengthBit(name);
    this.#names.push(name.toLowerCase());
    this.#values.push(value);
  }

  /** Removes all lines of a field. */
  delete(name: string): void {
    this.#drop(name.toLowerCase(), 0);
  }

  /** See {@linkcode FieldSource}. */
  [Symbol.iterator](): Iterator<[string, string]> {
    let at = 0;
    return {
      next: () =>
        at < this.#names.length
          ? {
            done: false,
            value: [this.#names[at]!, this.#values[at++]!],
          }
          : { done: true, value: undefined },
    };
  }

  /** What the fields cost in memory, about: for a cache's budget. */
  sizeBytes(): number {
    let bytes = 0;
    for (const [name, value] of this) bytes += name.length + value.length + 4;
    return bytes;
  }

  #mayHave(name: string): boolean {
    return (this.#lengths & lengthBit(name)) !== 0;
  }

  /** Removes the lines of a field from position `from` on. */
  #drop(name: string, from: number): void {
    for (let at = this.#names.indexOf(name, from); at >= 0;) {
      this.#names.splice(at, 1);
      this.#values.splice(at, 1);
      at = this.#names.indexOf(name, at);
    }
  }
}

function lengthBit(name: string): number {
  return 1 << (name.length & 31);
}

/** Fields that end at the next hop (RFC 9110 §7.6.1), with the older ones proxies must not pass on either. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Returns a copy without hop-by-hop fields, without those `Connection` names (RFC 9110 §7.6.1), and without `others`, in lower case. */
export function endToEnd(
  source: FieldSource,
  others?: { has(name: string): boolean },
): Fields {
  const connection = source.get("connection");
  const named = connection === null
    ? undefined
    : splitList(connection).map((name) => name.toLowerCase());
  const kept = new Fields();
  for (const [name, value] of source) {
    const lower = name.toLowerCase();
    const isDropped = HOP_BY_HOP.has(lower) || others?.has(lower) === true ||
      named?.includes(lower) === true;
    if (!isDropped) kept.append(lower, value);
  }
  return kept;
}

/** Splits a list field at its commas, none of them inside a quoted string; empty members are left out (RFC 9110 §5.6.1.2). */
export function splitList(value: string | null): string[] {
  const members: string[] = [];
  if (value === null) return members;
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= value.length; at++) {
    const char = value[at];
    if (quoted && char === "\\") at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === undefined || (char === "," && !quoted)) {
      const member = value.slice(start, at).trim();
      if (member !== "") members.push(member);
      start = at + 1;
    }
  }
  // An escape or an open quote at the very end hides the end from the loop.
  const rest = start < value.length + 1 ? value.slice(start).trim() : "";
  if (quoted && rest !== "") members.push(rest);
  return members;
}
