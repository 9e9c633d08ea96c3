import { type JsonNode, plainValue } from "../../../lib/core/json_lines.ts";
import { nearest } from "../../../lib/cli/nearest.ts";

/** Takes the fields of one JSON object of a scenario, and knows where it is. Every mistake is a `SyntaxError` of one line. */
export class Reader {
  readonly #path: string;
  readonly #line: number;
  readonly #fields: ReadonlyMap<string, JsonNode>;
  readonly #taken = new Set<string>();

  /** @throws {SyntaxError} If `node` is no object. */
  constructor(path: string, node: JsonNode) {
    if (node.kind !== "object") {
      throw new SyntaxError(
        `line ${node.line}: ${path || "it"} must be a JSON object`,
      );
    }
    this.#path = path;
    this.#line = node.line;
    this.#fields = node.fields;
  }

  /** What is wrong with a field. */
  wrong(name: string, must: string, got: unknown): SyntaxError {
    return this.error(
      name,
      `must be ${must}, got ${JSON.stringify(got) ?? "nothing"}`,
    );
  }

  /** Says where a field is, and `what` of it. */
  error(name: string, what: string): SyntaxError {
    const line = this.#fields.get(name)?.line ?? this.#line;
    return new SyntaxError(`line ${line}: ${this.#at(name)} ${what}`);
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** A text that is not empty. */
  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value === "") {
      throw this.wrong(name, "a text", value);
    }
    return value;
  }

  /** One of some words. */
  choice<const C extends string>(name: string, choices: readonly C[]): C {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      const words = choices.map((choice) => `"${choice}"`);
      throw this.wrong(name, listed(words), value);
    }
    return found;
  }

  /** Texts. */
  texts(name: string): readonly string[] {
    const value = this.#take(name);
    if (
      !Array.isArray(value) || value.some((each) => typeof each !== "string")
    ) throw this.wrong(name, "a list of texts", value);
    return value;
  }

  /** A number in a range. */
  number(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      throw this.wrong(name, `a number from ${min} to ${max}`, value);
    }
    return value;
  }

  /** A whole number in a range. */
  count(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (!isCount(value, min, max)) {
      throw this.wrong(name, `a whole number from ${min} to ${max}`, value);
    }
    return value;
  }

  /** Whole numbers in a range, each larger than the one before; a single one may stand without brackets. */
  counts(name: string, min: number, max: number): readonly number[] {
    const value = this.#take(name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const rises = list.every((each, at) =>
      isCount(each, min, max) && (at === 0 || each > (list[at - 1] as number))
    );
    if (!rises || list.length === 0) {
      throw this.wrong(
        name,
        `rising whole numbers from ${min} to ${max}`,
        value,
      );
    }
    return list as readonly number[];
  }

  /** A value with a unit, above 0 where `above` says so. */
  unit(
    name: string,
    parse: (text: string) => number,
    options: { readonly above?: number } = {},
  ): number {
    let value: number;
    try {
      value = parse(this.text(name));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.error(name, error.message);
    }
    const { above = -1 } = options;
    if (value > above) return value;
    throw this.error(name, `must be above ${above}, got "${value}"`);
  }

  /** Some of a few words, none twice. */
  choices<const C extends string>(
    name: string,
    choices: readonly C[],
  ): readonly C[] {
    const value = this.#take(name);
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const found = choices.filter((choice) => list.includes(choice));
    if (list.length === 0 || found.length < list.length) {
      const words = choices.map((choice) => `"${choice}"`);
      throw this.wrong(name, `a list of some of ${words.join(", ")}`, value);
    }
    return list as readonly C[];
  }

  /** An object. */
  object(name: string): Reader {
    this.#taken.add(name);
    const node = this.#fields.get(name);
    if (node === undefined) throw this.wrong(name, "a JSON object", undefined);
    return new Reader(this.#at(name), node);
  }

  /** The objects of a list. */
  list(name: string, min: number, max: number): readonly Reader[] {
    this.#taken.add(name);
    const node = this.#fields.get(name);
    if (
      node?.kind !== "list" || node.items.length < min ||
      node.items.length > max
    ) {
      throw this.wrong(
        name,
        `a list of ${min} to ${max}`,
        node === undefined ? undefined : plainValue(node),
      );
    }
    return node.items.map((item, at) =>
      new Reader(`${this.#at(name)}[${at}]`, item)
    );
  }

  /** Returns `result` when every field of the object was taken. */
  done<T>(result: T): T {
    const left = [...this.#fields.keys()].find((key) => !this.#taken.has(key));
    if (left === undefined) return result;
    const near = nearest(left, [...this.#taken]);
    throw this.error(
      left,
      near === undefined
        ? `is unknown; known here: ${[...this.#taken].join(", ")}`
        : `is unknown; did you mean "${near}"?`,
    );
  }

  #take(name: string): unknown {
    this.#taken.add(name);
    const node = this.#fields.get(name);
    return node === undefined ? undefined : plainValue(node);
  }

  #at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

function isCount(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min &&
    (value as number) <= max;
}

/** `"a", "b" or "c"`. */
function listed(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
