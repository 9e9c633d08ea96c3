import { type FieldSource, splitList } from "./fields.ts";

/** The field names of a `Vary` value, in lower case, sorted, each once; null when one is `*`: no later request matches (RFC 9111 §4.1). */
export function varyNames(value: string | null): readonly string[] | null {
  const names = new Set(splitList(value).map((name) => name.toLowerCase()));
  if (names.has("*")) return null;
  return [...names].sort();
}

/**
 * What tells the variants of a resource apart: two requests with the same key get the same stored response.
 *
 * Values are compared after normalisation that cannot change their meaning (RFC 9111 §4.1): white space around
 * commas and semicolons, letter case where the field has none, and the order of languages and codings by weight.
 */
export function variantKey(
  names: readonly string[],
  request: FieldSource,
): string {
  return names.map((name) => {
    const value = request.get(name);
    return `${name}:${value === null ? "" : `=${normalised(name, value)}`}`;
  }).join("\n");
}

const CASELESS = new Set(["accept", "accept-encoding", "accept-language"]);

function normalised(name: string, value: string): string {
  const members = splitList(value).map((member) =>
    member.replace(/\s*([;=])\s*/g, "$1")
  );
  if (!CASELESS.has(name)) return members.join(",");
  return members
    .map((member) => member.toLowerCase())
    .map((member) => ({ member, weight: weightOf(member) }))
    .sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1))
    .map(({ member }) => member)
    .join(",");
}

function weightOf(member: string): number {
  const weight = Number(/;q=([0-9.]+)/.exec(member)?.[1] ?? 1);
  return Number.isNaN(weight) ? 0 : weight;
}
