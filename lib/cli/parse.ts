import { parseArgs } from "@std/cli";
import { InputError, messageOf } from "../core/errors.ts";
import { COMMON_FLAGS, type CommonValues } from "./common.ts";
import type { Flag, Flags } from "./flags.ts";
import { nearest } from "./nearest.ts";

/** What the parser needs of a mode; `Mode` of lib/role.ts has it. */
export interface ModeShape {
  readonly flags: Flags;
  readonly chosenBy?: string;
  readonly operand?: {
    readonly placeholder: string;
    readonly optional?: boolean;
    readonly choices?: readonly string[];
  };
}

/** What the parser needs of a role. */
export interface RoleShape {
  readonly name: string;
  readonly modes: Readonly<Record<string, ModeShape>>;
}

/** Flag texts as given, by `kebab-case` name, before a mode is chosen. */
export interface RawArgs {
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly help: boolean;
  /** The `--config` file, and which of the flags it gave. */
  readonly file?: { readonly path: string; readonly gave: ReadonlySet<string> };
}

/** A command line understood. */
export interface ParsedArgs {
  readonly modeName: string;
  readonly flags: Readonly<Record<string, unknown>> & {
    readonly operand: string;
  };
  readonly common: CommonValues;
  /** The flags in force as they are typed, in the form of a `--config` file, without the secret ones. */
  readonly config: Readonly<Record<string, ConfigValue>>;
}

/** A flag in a `--config` file. */
export type ConfigValue = boolean | string | readonly string[];

/** `maxConnections` on the command line is `max-connections`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** All flags of a role by kebab name: those of its modes and the common ones. */
export function flagsOf(role: RoleShape): ReadonlyMap<string, Flag<unknown>> {
  const flags = new Map<string, Flag<unknown>>();
  for (const mode of Object.values(role.modes)) {
    for (const [key, flag] of Object.entries(mode.flags)) {
      flags.set(kebab(key), flag);
    }
  }
  for (const [key, flag] of Object.entries(COMMON_FLAGS)) {
    flags.set(key, flag as Flag<unknown>);
  }
  return flags;
}

/**
 * Splits a command line into flag texts and operands.
 *
 * @throws {InputError} For an unknown flag (with the nearest name), a flag without its value, or one given twice.
 */
export function scanArgs(role: RoleShape, args: readonly string[]): RawArgs {
  const flags = flagsOf(role);
  const switches = [...flags].filter(([, flag]) => flag.kind === "switch")
    .map(([name]) => name);
  const values = [...flags.keys()].filter((name) => !switches.includes(name));
  refuseSwitchValues(args, switches);
  const alias: Record<string, string> = { help: "h" };
  for (const [name, { short }] of flags) {
    if (short !== undefined) alias[name] = short;
  }
  const parsed = parseArgs(args, {
    string: ["_", ...values],
    boolean: ["help", ...switches],
    collect: values,
    alias,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      refuseDashedValue(args, arg, flags);
      throw unknownFlag(role, arg, key, [...flags.keys(), "help"]);
    },
  }) as Record<string, unknown>;
  const texts = new Map<string, readonly string[]>();
  for (const name of switches) if (parsed[name] === true) texts.set(name, [""]);
  for (const name of values) {
    const given = parsed[name] as readonly string[];
    if (given.length === 0) continue;
    if (given.includes("")) throw needsValue(name, flags);
    if (given.length > 1 && flags.get(name)!.kind !== "list") {
      throw new InputError(`--${name} is given ${given.length} times`);
    }
    texts.set(name, given);
  }
  return {
    texts,
    operands: (parsed._ as readonly unknown[]).map(String),
    help: parsed.help === true,
  };
}

/** `--json=maybe`: the parser takes everything but `false` for on. */
function refuseSwitchValues(
  args: readonly string[],
  switches: readonly string[],
): void {
  for (const arg of args) {
    if (arg === "--") return;
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
    found[0],
    flags,
    `; one that begins with a dash is given as --${found[0]}=${arg}`,
  );
}

function needsValue(
  name: string,
  flags: ReadonlyMap<string, Flag<unknown>>,
  more = "",
): InputError {
  return new InputError(
    `--${name} needs a value: --${name} ${flags.get(name)!.placeholder}${more}`,
  );
}

/**
 * Reads the JSON object of a `--config` file as flag texts: `{"port": 0, "origin": ["http://…"], "json": true}`.
 *
 * @throws {InputError} If it is no such object or names an unknown flag.
 */
export function scanConfig(
  role: RoleShape,
  file: string,
  text: string,
): ReadonlyMap<string, readonly string[]> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is no JSON: ${messageOf(error)}`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new InputError(`${file} must hold one JSON object of flags`);
  }
  const flags = flagsOf(role);
  const texts = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(config)) {
    const found = flags.get(name);
    if (name === "config") {
      throw new InputError(`${file}: "config" is for the command line only`);
    }
    if (found === undefined) {
      const near = nearest(name, [...flags.keys()]);
      throw new InputError(
        `${file}: ${role.name} has no flag "${name}"${
          near === undefined ? "" : `; did you mean "${near}"?`
        }`,
      );
    }
    const given = configTexts(found, value);
    if (given === undefined) {
      throw new InputError(
        `${file}: "${name}" must be ${WANTED[found.kind]}, got ${
          JSON.stringify(value)
        }`,
      );
    }
    if (given !== "off") texts.set(name, given);
  }
  return texts;
}

/** Adds the flags of a `--config` file; the command line wins. */
export function withConfig(
  raw: RawArgs,
  { path, texts }: {
    readonly path: string;
    /** As {@linkcode scanConfig} read it. */
    readonly texts: ReadonlyMap<string, readonly string[]>;
  },
): RawArgs {
  const gave = [...texts.keys()].filter((name) => !raw.texts.has(name));
  return {
    ...raw,
    texts: new Map([...texts, ...raw.texts]),
    file: { path, gave: new Set(gave) },
  };
}

/** What a `--config` file has to have for each kind of flag. */
const WANTED = {
  switch: "true or false",
  value: "a text or a number",
  list: "a text or an array of texts",
} as const;

/** The texts of a flag of a `--config` file; undefined if it is of the wrong type. */
function configTexts(
  { kind }: Flag<unknown>,
  value: unknown,
): readonly string[] | "off" | undefined {
  if (kind === "switch") {
    return value === true ? [""] : value === false ? "off" : undefined;
  }
  const values: unknown[] = kind === "list" && Array.isArray(value)
    ? value
    : [value];
  const isText = (each: unknown) =>
    typeof each === "number" || (typeof each === "string" && each !== "");
  return values.every(isText) ? values.map(String) : undefined;
}

/** The mode whose own flag is given; without one, the first. */
function chooseMode(role: RoleShape, raw: RawArgs): string {
  for (const [name, { chosenBy }] of Object.entries(role.modes)) {
    if (chosenBy !== undefined && raw.texts.has(kebab(chosenBy))) return name;
  }
  return Object.keys(role.modes)[0]!;
}

/**
 * Turns texts into values for the chosen mode.
 *
 * @throws {InputError} For a flag of another mode, a bad value, or a missing or superfluous operand.
 */
export function parseRoleArgs(role: RoleShape, raw: RawArgs): ParsedArgs {
  const modeName = chooseMode(role, raw);
  const mode = role.modes[modeName]!;
  const own = new Set([
    ...Object.keys(mode.flags).map(kebab),
    ...Object.keys(COMMON_FLAGS),
  ]);
  for (const name of raw.texts.keys()) {
    if (!own.has(name)) {
      const why = mode.chosenBy === undefined
        ? `only together with ${choosersOf(name, role).join(" or ")}`
        : `not together with --${kebab(mode.chosenBy)}`;
      throw new InputError(
        `${spelled(name, raw)} is a flag of ${role.name}, but ${why}`,
      );
    }
  }
  for (const [key, flag] of Object.entries(mode.flags)) {
    const why = whyIdle(flag, mode.flags, raw.texts);
    if (why !== undefined && raw.texts.has(kebab(key))) {
      throw new InputError(`${spelled(kebab(key), raw)} ${why}`);
    }
  }
  return {
    modeName,
    flags: {
      ...valuesOf(mode.flags, raw),
      operand: operandOf(role, mode, raw),
    },
    common: valuesOf(COMMON_FLAGS, raw) as unknown as CommonValues,
    config: configOf({ ...mode.flags, ...COMMON_FLAGS }, raw.texts),
  };
}

/** The flags that choose the modes a flag belongs to, as they are typed. */
function choosersOf(name: string, role: RoleShape): string[] {
  return Object.values(role.modes)
    .filter(({ flags }) => Object.keys(flags).map(kebab).includes(name))
    .flatMap(({ chosenBy }) =>
      chosenBy === undefined ? [] : [`--${kebab(chosenBy)}`]
    );
}

/** Why a flag has no effect beside those that are given; undefined when it has. One given as it is by default counts as not given. */
function whyIdle(
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

function configOf(
  flags: Flags,
  texts: ReadonlyMap<string, readonly string[]>,
): Record<string, ConfigValue> {
  const config: Record<string, ConfigValue> = {};
  for (const [key, flag] of Object.entries(flags)) {
    const { kind, defaultText, secret } = flag;
    const name = kebab(key);
    const given = texts.get(name);
    if (name === "config") continue; // What was in the file is among the rest.
    if (secret || whyIdle(flag, flags, texts) !== undefined) continue;
    if (kind === "switch") config[name] = given !== undefined;
    else if (given !== undefined) {
      config[name] = kind === "list" ? given : given[0]!;
    } else if (defaultText !== undefined) {
      config[name] = kind === "list" ? [defaultText] : defaultText;
    }
  }
  return config;
}

/** A flag as it was given: `--port`, or `lab.json: port`. */
function spelled(name: string, { file }: RawArgs): string {
  return file?.gave.has(name) ? `${file.path}: ${name}` : `--${name}`;
}

function valuesOf(flags: Flags, raw: RawArgs): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(flags)) {
    const name = kebab(key);
    const given = raw.texts.get(name) ??
      (flag.defaultText === undefined ? undefined : [flag.defaultText]);
    try {
      if (given === undefined) values[key] = flag.absent;
      else if (flag.kind === "list") {
        values[key] = given.flatMap((text) => flag.parse(text) as unknown[]);
      } else values[key] = flag.parse(given[0]!);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) {
        throw error;
      }
      throw new InputError(`${spelled(name, raw)} ${error.message}`);
    }
  }
  return values;
}

function operandOf(role: RoleShape, mode: ModeShape, raw: RawArgs): string {
  const [operand, extra] = raw.operands;
  if (mode.operand === undefined || extra !== undefined) {
    const wrong = mode.operand === undefined ? operand : extra;
    if (wrong !== undefined) {
      throw new InputError(
        `${role.name} does not know what to do with "${wrong}"; flags start with --`,
      );
    }
  } else if (operand === undefined && mode.operand.optional !== true) {
    throw new InputError(
      `${role.name} needs ${mode.operand.placeholder}: see rolecall ${role.name} --help`,
    );
  }
  return operand ?? "";
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
