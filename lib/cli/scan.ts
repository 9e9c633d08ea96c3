/** A command line as texts, before a mode is chosen. */
import { parseArgs } from "@std/cli";
import { InputError } from "../core/errors.ts";
import type { Flag } from "./flags.ts";
import { nearest } from "./nearest.ts";
import { flagsOf, type RoleShape } from "./role_shape.ts";

/** Flag texts as given, by `kebab-case` name, before a mode is chosen. */
export interface RawArgs {
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly help: boolean;
  /** The `--config` file, and which of the flags it gave. */
  readonly file?: { readonly path: string; readonly gave: ReadonlySet<string> };
}

/**
 * Splits a command line into flag texts and operands.
 *
 * @throws {InputError} For an unknown flag (with the nearest name), a flag without its value, or one given twice.
 */
export function scanArgs(role: RoleShape, args: readonly string[]): RawArgs {
  const flags = flagsOf(role);
  const valued = [...flags].filter(([, { kind }]) => kind !== "switch");
  const values = valued.map(([name]) => name);
  const switches = [...flags.keys()].filter((name) => !values.includes(name));
  // What follows `--` are operands, whatever they look like.
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const typed = joinEmpty(args.slice(0, end), flags);
  refuseSwitchValues(typed, switches);
  const alias: Record<string, string> = { help: "h" };
  for (const [name, { short }] of flags) {
    if (short !== undefined) alias[name] = short;
  }
  const parsed = parseArgs(typed, {
    string: ["_", ...values],
    boolean: ["help", ...switches],
    collect: values,
    alias,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      refuseDashedValue(typed, arg, flags);
      throw unknownFlag(role, arg, key, [...flags.keys(), "help"]);
    },
  }) as Record<string, unknown>;
  const texts = new Map<string, readonly string[]>();
  for (const name of switches) if (parsed[name] === true) texts.set(name, [""]);
  for (const [name, flag] of valued) {
    const given = parsed[name] as readonly string[];
    if (given.length === 0) continue;
    const isEmptied = flag.mayBeEmpty === true && typed.includes(`--${name}=`);
    if (given.includes("") && !isEmptied) throw needsValue(name, flag);
    if (given.length > 1 && flag.kind !== "list") {
      throw new InputError(`--${name} is given ${given.length} times`);
    }
    texts.set(name, given);
  }
  return {
    texts,
    operands: [...parsed._ as readonly string[], ...args.slice(end + 1)],
    help: parsed.help === true,
  };
}

/** `--message ''` as `--message=`: the parser takes an empty value for no value, and then for an operand. */
function joinEmpty(
  args: readonly string[],
  flags: ReadonlyMap<string, Flag<unknown>>,
): readonly string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? "";
    const isItsValue = arg === "" && before.startsWith("--") &&
      flags.get(before.slice(2))?.mayBeEmpty === true;
    if (isItsValue) joined[joined.length - 1] = `${before}=`;
    else joined.push(arg);
  }
  return joined;
}

/** `--json=maybe`: the parser takes everything but `false` for on. */
function refuseSwitchValues(
  args: readonly string[],
  switches: readonly string[],
): void {
  for (const arg of args) {
    const [, name, text] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || !switches.includes(name)) continue;
    if (text !== "true" && text !== "false") {
      throw new InputError(`--${name} takes no value, got "${text}"`);
    }
  }
}

/** `--seed -1`: the parser takes what begins with a dash for a flag. */
function refuseDashedValue(
  args: readonly string[],
  arg: string,
  flags: ReadonlyMap<string, Flag<unknown>>,
): void {
  const before = args[args.indexOf(arg) - 1];
  if (arg.startsWith("--") || before === undefined) return;
  const found = [...flags].find(([name, { short }]) =>
    before === `--${name}` || (short && before === `-${short}`)
  );
  if (found === undefined || found[1].kind === "switch") return;
  throw needsValue(
    ...found,
    `; one that begins with a dash is given as --${found[0]}=${arg}`,
  );
}

function needsValue(
  name: string,
  { placeholder }: Flag<unknown>,
  more = "",
): InputError {
  return new InputError(
    `--${name} needs a value: --${name} ${placeholder}${more}`,
  );
}

function unknownFlag(
  role: RoleShape,
  arg: string,
  key: string,
  names: readonly string[],
): InputError {
  const near = nearest(key, names);
  return new InputError(
    `${role.name} has no flag ${arg.split("=")[0]}${
      near === undefined
        ? `; see rolecall ${role.name} --help`
        : `; did you mean --${near}?`
    }`,
  );
}
