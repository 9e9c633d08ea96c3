import type { Flag, Flags } from "./flags.ts";
import { kebab } from "./role_shape.ts";

/** Why a flag has no effect beside those that are given; undefined when it has. One given as it is by default counts as not given. */
export function whyIdle(
  { onlyWith, neverWith }: Flag<unknown>,
  flags: Flags,
  texts: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const isGiven = (key: string) => {
    const given = texts.get(kebab(key));
    return given !== undefined && given[0] !== flags[key]?.defaultText;
  };
  if (onlyWith !== undefined && !isGiven(onlyWith)) {
    return `has no effect without --${kebab(onlyWith)}`;
  }
  const rival = neverWith?.find(isGiven);
  return rival && `has no effect with --${kebab(rival)}`;
}
