/** Flags as a `--config` file has them. */
import { InputError, messageOf } from "../core/errors.ts";
import type { Flag, Flags } from "./flags.ts";
import { whyIdle } from "./idle_flags.ts";
import { nearest } from "./nearest.ts";
import { flagsOf, kebab, type RoleShape } from "./role_shape.ts";
import type { RawArgs } from "./scan.ts";

/** A flag in a `--config` file. */
export type ConfigValue = boolean | string | readonly string[];

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
  { kind, mayBeEmpty }: Flag<unknown>,
  value: unknown,
): readonly string[] | "off" | undefined {
  if (kind === "switch") {
    return value === true ? [""] : value === false ? "off" : undefined;
  }
  const values: unknown[] = kind === "list" && Array.isArray(value)
    ? value
    : [value];
  const isText = (each: unknown) =>
    typeof each === "number" ||
    (typeof each === "string" && (each !== "" || mayBeEmpty === true));
  return values.every(isText) ? values.map(String) : undefined;
}

/** The flags in force as they are typed, without the secret ones and those without effect. */
export function configOf(
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
