import { InputError } from "../core/errors.ts";
import { COMMON_FLAGS, type CommonValues } from "./common.ts";
import { configOf, type ConfigValue } from "./config.ts";
import type { Flags } from "./flags.ts";
import { whyIdle } from "./idle_flags.ts";
import { kebab, type ModeShape, type RoleShape } from "./role_shape.ts";
import type { RawArgs } from "./scan.ts";

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
  const endless = endlessBy(mode, raw);
  if (endless !== undefined && raw.texts.has("json")) {
    throw new InputError(
      `${
        spelled("json", raw)
      } prints what came of a role that ends by itself, and ${role.name}${endless} goes on until it is stopped; --log json or --events FILE tell what it does`,
    );
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

/** What makes the mode go on until it is stopped, as it stands on the command line; undefined if it ends by itself. */
function endlessBy(
  { endless, chosenBy }: ModeShape,
  raw: RawArgs,
): string | undefined {
  const flag = endless === true ? chosenBy : endless;
  if (endless === undefined || flag === undefined) return endless && "";
  return raw.texts.has(kebab(flag)) ? ` --${kebab(flag)}` : undefined;
}

/** What a bare word looks like a value of, by the flag's placeholder. */
const LOOKS_LIKE = [
  [/^https?:\/\//, /^URL(\[|$)/],
  [/:[0-9]{1,5}$/, /^HOST:PORT$/],
  [/^[0-9]{1,5}$/, /^PORT$/],
] as const;

/** The flag that was left out before a bare word; one of the mode, else one that chooses another mode. */
function flagFor(
  word: string,
  role: RoleShape,
  mode: ModeShape,
): string | undefined {
  const [, placeholder] = LOOKS_LIKE.find(([form]) => form.test(word)) ?? [];
  if (placeholder === undefined) return undefined;
  const choosers = Object.values(role.modes).map(({ flags, chosenBy }) =>
    chosenBy === undefined ? [] : [[chosenBy, flags[chosenBy]!] as const]
  );
  const found = [...Object.entries(mode.flags), ...choosers.flat()]
    .find(([, flag]) => placeholder.test(flag.placeholder));
  return found && `did you mean --${kebab(found[0])} ${word}?`;
}

function operandOf(role: RoleShape, mode: ModeShape, raw: RawArgs): string {
  const [operand, extra] = raw.operands;
  if (mode.operand === undefined || extra !== undefined) {
    const wrong = mode.operand === undefined ? operand : extra;
    if (wrong !== undefined) {
      throw new InputError(
        `${role.name} does not know what to do with "${wrong}"; ${
          flagFor(wrong, role, mode) ?? "flags start with --"
        }`,
      );
    }
  } else if (operand === undefined && mode.operand.optional !== true) {
    throw new InputError(
      `${role.name} needs ${mode.operand.placeholder}${
        mode.operand.choices === undefined
          ? ""
          : `, such as ${mode.operand.choices.join(", ")}`
      }: see rolecall ${role.name} --help`,
    );
  }
  return operand ?? "";
}
