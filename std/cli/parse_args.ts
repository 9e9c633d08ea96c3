import { tokens } from "./_tokens.ts";

/** How to read arguments. A flag that is neither `string` nor `boolean` becomes a number if it looks like one. */
export interface ParseOptions<S extends string, B extends string, C> {
  readonly string?: readonly S[];
  /** These take no value, unless `--flag=true` or a following `true` or `false`. False when not given. */
  readonly boolean?: readonly B[];
  /** These may be given several times. Otherwise the last one counts. */
  readonly collect?: readonly C[];
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Puts what follows `--` in a list of its own. */
  readonly "--"?: boolean;
  /** Called for each undeclared flag (with its key) and each operand (without); `false` leaves it out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} found. */
export type Args<S extends string, B extends string, C> =
  & { [K in Extract<S, C>]: string[] }
  & { [K in Exclude<S, C>]?: string }
  & { [K in B]: K extends C ? boolean[] : boolean }
  & { _: (string | number)[]; "--"?: string[] }
  & Record<string, unknown>;

/** Reads a command line: flags to properties, operands to `_`. */
export function parseArgs<
  const S extends string = never,
  const B extends string = never,
  const C extends string = never,
>(
  args: readonly string[],
  options: ParseOptions<S, B, C> = {},
): Args<S, B, C> {
  const aliases = aliasMap(options.alias ?? {});
  const namesOf = (key: string) => [key, ...aliases.get(key) ?? []];
  const string = new Set((options.string ?? []).flatMap(namesOf));
  const boolean = new Set((options.boolean ?? []).flatMap(namesOf));
  const collect = new Set<string>((options.collect ?? []).map(String));
  for (const name of [...collect].flatMap(namesOf)) collect.add(name);
  const unknown = options.unknown ?? (() => true);
  const operands: (string | number)[] = [];
  const found: Record<string, unknown> = { _: operands };
  const end = args.indexOf("--");
  const literal = end < 0 ? [] : args.slice(end + 1);

  for (
    const token of tokens(args.slice(0, end < 0 ? undefined : end), {
      string,
      boolean,
    })
  ) {
    if ("operand" in token) {
      if (unknown(token.operand) === false) continue;
      operands.push(string.has("_") ? token.operand : numeric(token.operand));
      continue;
    }
    const { key, arg } = token;
    const known = string.has(key) || boolean.has(key) || aliases.has(key);
    if (!known && unknown(arg, key, token.value) === false) continue;
    const value = string.has(key) ? token.value : numeric(token.value);
    for (const name of namesOf(key)) {
      found[name] = collect.has(key)
        ? [...(found[name] as unknown[] | undefined) ?? [], value]
        : value;
    }
  }
  for (const key of boolean) found[key] ??= collect.has(key) ? [] : false;
  for (const key of string) if (collect.has(key)) found[key] ??= [];
  if (options["--"]) found["--"] = literal;
  else operands.push(...literal);
  return found as Args<S, B, C>;
}

/** Each name with its other names. */
function aliasMap(
  alias: Readonly<Record<string, string | readonly string[]>>,
): ReadonlyMap<string, readonly string[]> {
  const groups = Object.entries(alias).map(([key, names]) =>
    [key, names].flat()
  );
  return new Map(
    groups.flatMap((group) =>
      group.map((name) => [name, group.filter((other) => other !== name)])
    ),
  );
}

/** A number when the text is one in JavaScript's eyes: `7`, `007`, `0x10`, `1e3`. */
function numeric<T>(value: T): T | number {
  return typeof value === "string" && value.trim() !== "" &&
      Number.isFinite(Number(value))
    ? Number(value)
    : value;
}
