/** What the pure modules ask of a set of header fields; the platform's `Headers` fits, and so does {@linkcode Fields}. */
export interface FieldSource {
  /** The value of a field, its lines joined by `, `; null when there is none. Names match without case. */
  get(name: string): string | null;
  /** Name (lower case) and value of every field line; `Set-Cookie` lines stay apart. */
  [Symbol.iterator](): Iterator<[string, string]>;
}

/** Header fields without any platform: names in lower case, lines in the order they came (RFC 9110 §5). */
export class Fields implements FieldSource {
  readonly #lines = new Map<string, string[]>();

  /** Copies `source`. */
  constructor(source?: Iterable<readonly [string, string]>) {
    if (source === undefined) return;
    for (const [name, value] of source) this.append(name, value);
  }

  /** See {@linkcode FieldSource.get}. */
  get(name: string): string | null {
    const lines = this.#lines.get(name.toLowerCase());
    if (lines === undefined) return null;
    return lines.length === 1 ? lines[0]! : lines.join(", ");
  }

  /** Whether there is at least one line. */
  has(name: string): boolean {
    return this.#lines.has(name.toLowerCase());
  }

  /** Replaces all lines of a field by one. */
  set(name: string, value: string): void {
    this.#lines.set(name.toLowerCase(), [value]);
  }

  /** Adds a line after those there are. */
  append(name: string, value: string): void {
    const key = name.toLowerCase();
    const lines = this.#lines.get(key);
    if (lines === undefined) this.#lines.set(key, [value]);
    else lines.push(value);
  }

  /** Removes all lines of a field. */
  delete(name: string): void {
    this.#lines.delete(name.toLowerCase());
  }

  /** See {@linkcode FieldSource}. */
  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const [name, lines] of this.#lines) {
      for (const line of lines) yield [name, line];
    }
  }

  /** What the fields cost in memory, about: for a cache's budget. */
  sizeBytes(): number {
    let bytes = 0;
    for (const [name, lines] of this.#lines) {
      for (const line of lines) bytes += name.length + line.length + 4;
    }
    return bytes;
  }
}

/** Fields that end at the next hop (RFC 9110 §7.6.1), with the older ones proxies must not pass on either. */
const HOP_BY_HOP: readonly string[] = [
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
];

/** Returns a copy without hop-by-hop fields and without those `Connection` names (RFC 9110 §7.6.1). */
export function endToEnd(source: FieldSource): Fields {
  const dropped = new Set(HOP_BY_HOP);
  for (const name of splitList(source.get("connection"))) {
    dropped.add(name.toLowerCase());
  }
  const kept = new Fields();
  for (const [name, value] of source) {
    if (!dropped.has(name.toLowerCase())) kept.append(name, value);
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
