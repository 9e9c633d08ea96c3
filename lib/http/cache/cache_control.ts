import { type FieldLookup, type FieldSource, splitList } from "../fields.ts";
import { type Member, parseDictionary } from "../structured_fields.ts";

/** 2^31 s: what a longer time is taken for (RFC 9111 §1.2.2). */
const MAX_DELTA_SECONDS = 2 ** 31;

/** Directives whose argument is a time in seconds. */
const TIMES: ReadonlySet<string> = new Set([
  "max-age",
  "s-maxage",
  "stale-while-revalidate",
  "stale-if-error",
]);

/**
 * The directives of one `Cache-Control` field (RFC 9111 §5.2).
 *
 * Parsing never fails: a directive whose argument cannot be read counts as given with a bad argument, because
 * overlooking it would make a cache keep what it should not.
 */
export class Directives {
  readonly #arguments = new Map<string, (string | null)[]>();
  #isTargeted = false;

  /** Reads a field value; null is the same as an empty one. */
  constructor(value: string | null) {
    for (const member of splitList(value)) {
      const match =
        /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=([^\s"]+|"(?:[^"\\]|\\.)*")?)?(.*)$/s
          .exec(member);
      if (match === null) continue;
      const name = match[1]!.toLowerCase();
      const argument = match[3] === "" ? unquoted(match[2]) : "?";
      const list = this.#arguments.get(name);
      if (list === undefined) this.#arguments.set(name, [argument]);
      else list.push(argument);
    }
  }

  /**
   * The directives a response has for a cache like ours: those of `CDN-Cache-Control` when it is there and valid, and
   * then they alone (RFC 9213 §2.1), else those of `Cache-Control`.
   */
  static ofResponse(fields: FieldSource): Directives {
    const targeted = fields.get("cdn-cache-control");
    const members = targeted === null ? undefined : parseDictionary(targeted);
    const isUsable = members !== undefined && members.size > 0 &&
      [...members].every(([name, value]) => hasRightType(name, value));
    if (!isUsable) return new Directives(fields.get("cache-control"));
    const directives = new Directives(null);
    directives.#isTargeted = true;
    for (const [name, value] of members) {
      if (value === false) continue;
      directives.#arguments.set(name, [argumentOf(value)]);
    }
    return directives;
  }

  /** Whether they come from a field meant for caches like ours: `Expires` does not count then (RFC 9213 §2.1). */
  get isTargeted(): boolean {
    return this.#isTargeted;
  }

  /** Whether the directive is there, with or without argument. */
  has(name: string): boolean {
    return this.#arguments.has(name);
  }

  /**
   * The argument in seconds; undefined when the directive is not there.
   *
   * RFC 9111 §4.2.1: a response with an invalid time is to be taken for stale, so that is 0; of several the
   * smallest counts.
   */
  seconds(name: string): number | undefined {
    const list = this.#arguments.get(name);
    if (list === undefined) return undefined;
    let smallest = MAX_DELTA_SECONDS;
    for (const argument of list) {
      const valid = argument !== null && /^[0-9]+$/.test(argument);
      smallest = Math.min(smallest, valid ? Number(argument) : 0);
    }
    return smallest;
  }

  /** Whether the directive stands without argument somewhere: `max-stale`, `no-cache`, `private` for the whole response. */
  bare(name: string): boolean {
    return this.#arguments.get(name)?.includes(null) ?? false;
  }

  /** The field names of `no-cache="a, b"` or `private="a"`, in lower case. */
  fieldNames(name: string): string[] {
    return (this.#arguments.get(name) ?? []).flatMap((argument) =>
      splitList(argument).map((field) => field.toLowerCase())
    );
  }
}

/** RFC 9213 §2.1: a field with a value of a wrong type is as good as none. */
function hasRightType(name: string, value: Member): boolean {
  return !TIMES.has(name) ||
    (typeof value === "number" && Number.isInteger(value) && value >= 0);
}

/** As `Cache-Control` would have it; null for a directive that just stands there. */
function argumentOf(value: Member): string | null {
  if (value === true) return null;
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  if ("token" in value) return value.token;
  return value.map((item) => argumentOf(item) ?? "").join(",");
}

function unquoted(argument: string | undefined): string | null {
  if (argument === undefined) return null;
  if (!argument.startsWith('"')) return argument;
  return argument.slice(1, -1).replace(/\\(.)/gs, "$1");
}

/** What most requests have. */
const NO_DIRECTIVES = new Directives(null);

/** The directives of a request; `Pragma: no-cache` stands for `no-cache` where there is no Cache-Control (RFC 9111 §5.4). */
export function requestDirectives(
  fields: FieldLookup,
): Directives {
  const value = fields.get("cache-control");
  if (value === null && fields.get("pragma") !== null) {
    const pragma = new Directives(fields.get("pragma"));
    if (pragma.has("no-cache")) return pragma;
  }
  return value === null ? NO_DIRECTIVES : new Directives(value);
}
