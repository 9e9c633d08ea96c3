/** A JSON value and the line of the text on which it begins. */
export type JsonNode =
  | {
    readonly kind: "object";
    readonly line: number;
    readonly fields: ReadonlyMap<string, JsonNode>;
  }
  | {
    readonly kind: "list";
    readonly line: number;
    readonly items: readonly JsonNode[];
  }
  | {
    readonly kind: "value";
    readonly line: number;
    readonly value: string | number | boolean | null;
  };

/** Deeper than anything people write; a bound for the recursion. */
const MAX_DEPTH = 64;

const TOKEN = /\s*([{}[\]:,]|"(?:[^"\\\n]|\\.)*"|[^\s{}[\]:,"]+|"[^\n]*)/y;

/**
 * Reads JSON that people write, and remembers lines, so that a mistake in the content can be shown where it is.
 *
 * @throws {SyntaxError} If it is no JSON (RFC 8259), a name stands twice in an object, or it nests more than 64 deep; the message begins with the line.
 *
 * @example Where is it?
 * ```ts
 * import { parseJsonLines } from "./json_lines.ts";
 * import assert from "node:assert/strict";
 *
 * const node = parseJsonLines('{\n  "rate": "fast"\n}');
 * assert(node.kind === "object");
 * assert.equal(node.fields.get("rate")?.line, 2);
 * ```
 */
export function parseJsonLines(text: string): JsonNode {
  const tokens = new Tokens(text.replace(/^\ufeff/, ""));
  const node = readNode(tokens, 0);
  const { token, line } = tokens.take();
  if (token !== "") throw wrong(line, "the end", token);
  return node;
}

/** Returns the plain value, as `JSON.parse` would. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case "object":
      return Object.fromEntries(
        [...node.fields].map(([name, value]) => [name, plainValue(value)]),
      );
    case "list":
      return node.items.map(plainValue);
    case "value":
      return node.value;
  }
}

class Tokens {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token and its line; "" at the end. */
  take(): { readonly token: string; readonly line: number } {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    const end = match === null ? this.#text.length : TOKEN.lastIndex;
    for (; this.#at < end; this.#at++) {
      if (this.#text[this.#at] === "\n") this.#line += 1;
    }
    return { token: match?.[1] ?? "", line: this.#line };
  }
}

type Token = ReturnType<Tokens["take"]>;

function readNode(tokens: Tokens, depth: number, first?: Token): JsonNode {
  const { token, line } = first ?? tokens.take();
  if (depth > MAX_DEPTH) {
    throw new SyntaxError(`line ${line}: nests more than ${MAX_DEPTH} deep`);
  }
  if (token === "{") return readObject(tokens, depth, line);
  if (token === "[") return readList(tokens, depth, line);
  return { kind: "value", line, value: scalar(token, line) };
}

function readObject(tokens: Tokens, depth: number, line: number): JsonNode {
  const fields = new Map<string, JsonNode>();
  for (let name = tokens.take(); name.token !== "}";) {
    if (!name.token.startsWith('"')) {
      throw wrong(name.line, "a name", name.token);
    }
    const key = scalar(name.token, name.line) as string;
    if (fields.has(key)) {
      throw new SyntaxError(`line ${name.line}: "${key}" stands twice`);
    }
    const colon = tokens.take();
    if (colon.token !== ":") throw wrong(colon.line, '":"', colon.token);
    fields.set(key, readNode(tokens, depth + 1));
    const next = tokens.take();
    if (next.token === "}") break;
    if (next.token !== ",") throw wrong(next.line, '"," or "}"', next.token);
    name = tokens.take();
    if (name.token === "}") throw wrong(name.line, "a name", "}");
  }
  return { kind: "object", line, fields };
}

function readList(tokens: Tokens, depth: number, line: number): JsonNode {
  const items: JsonNode[] = [];
  for (let first = tokens.take(); first.token !== "]";) {
    items.push(readNode(tokens, depth + 1, first));
    const next = tokens.take();
    if (next.token === "]") break;
    if (next.token !== ",") throw wrong(next.line, '"," or "]"', next.token);
    first = tokens.take();
    if (first.token === "]") throw wrong(first.line, "a value", "]");
  }
  return { kind: "list", line, items };
}

/** A string, number or word; `JSON.parse` knows the details. */
function scalar(token: string, line: number): string | number | boolean | null {
  try {
    return JSON.parse(token);
  } catch {
    throw wrong(line, "a value", token);
  }
}

function wrong(line: number, must: string, got: string): SyntaxError {
  const shown = got === ""
    ? "the end"
    : got.length > 20
    ? `${got.slice(0, 20)}…`
    : got;
  return new SyntaxError(`line ${line}: must be ${must}, got ${shown}`);
}
