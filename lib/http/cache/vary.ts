import { type FieldLookup, splitList } from "../fields.ts";

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
  request: FieldLookup,
): string {
  if (names.length === 0) return "";
  return names.map((name) => {
    const value = request.get(name);
    return `${name}:${value === null ? "" : `=${normalised(name, value)}`}`;
  }).join("\n");
}

/**
 * The variant of a request like this one that names `language` alone. An origin that varies by language and has that
 * one gives it to whoever likes it best, whatever else they would accept (RFC 9110 §12.5.4). Undefined without a
 * language, or when languages do not tell the variants apart.
 */
export function languageVariant(
  names: readonly string[],
  request: FieldLookup,
  language: string | undefined,
): string | undefined {
  if (language === undefined || !names.includes("accept-language")) {
    return undefined;
  }
  return variantKey(names, {
    get: (name) => name === "accept-language" ? language : request.get(name),
  });
}

/** The language that an `Accept-Language` value likes better than all others, if it does. */
export function favouriteLanguage(accepted: string | null): string | undefined {
  const members = splitList(accepted)
    .map((member) => member.toLowerCase().replace(/\s*([;=])\s*/g, "$1"))
    .map((member) => ({
      language: member.split(";")[0]!,
      weight: weightOf(member),
    }))
    .sort((a, b) => b.weight - a.weight);
  const [best, second] = members;
  const isBest = best !== undefined && best.weight > (second?.weight ?? 0);
  return isBest && best.language !== "*" ? best.language : undefined;
}

const CASELESS = new Set(["accept", "accept-encoding", "accept-language"]);

function normalised(name: string, value: string): string {
  // One word, such as the coding that an edge asks for, is as it should be.
  if (/^[a-z0-9-]+$/.test(value)) return value;
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
