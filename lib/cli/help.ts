import { COMMON_FLAGS } from "./common.ts";
import type { Flag, Flags } from "./flags.ts";
import { kebab } from "./role_shape.ts";

/** What help needs of a mode; `Mode` of lib/role.ts has it. */
export interface ModeHelp {
  readonly summary: string;
  readonly flags: Flags;
  readonly chosenBy?: string;
  readonly operand?: {
    readonly placeholder: string;
    readonly help: string;
    readonly optional?: boolean;
  };
}

/** What help needs of a role. */
export interface RoleHelp {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly modes: Readonly<Record<string, ModeHelp>>;
}

/** Returns the text of `rolecall --help`. */
export function programHelp(
  roles: readonly { readonly name: string; readonly summary: string }[],
): string {
  const width = Math.max(...roles.map(({ name }) => name.length)) + 2;
  return [
    "rolecall: the application layer of the Internet in one file",
    "",
    "usage: rolecall <role> [flags]        (the same as rolecall --role <role> [flags])",
    "       rolecall <role> --help         flags and examples of a role",
    "       rolecall --version",
    "       rolecall completions bash|zsh|fish",
    "",
    "roles:",
    ...roles.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    "",
    "first try: rolecall demo all",
    "",
  ].join("\n");
}

/** Returns the text of `rolecall <role> --help`, made of the role's declaration. */
export function roleHelp(role: RoleHelp): string {
  const lines = [`rolecall ${role.name}: ${role.summary}`, ""];
  for (const mode of Object.values(role.modes)) {
    lines.push(`usage: ${usage(role.name, mode)}`, `  ${mode.summary}`);
    if (mode.operand !== undefined) {
      lines.push(...row(mode.operand.placeholder, mode.operand.help));
    }
    for (const [key, flag] of Object.entries(mode.flags)) {
      lines.push(...flagRow(key, flag));
    }
    lines.push("");
  }
  lines.push("flags of every role:");
  for (const [key, flag] of Object.entries(COMMON_FLAGS)) {
    lines.push(...flagRow(key, flag as Flag<unknown>));
  }
  lines.push("", "examples:", ...role.examples.map((line) => `  ${line}`), "");
  return lines.join("\n");
}

/** Returns what `rolecall <role> --help --json` prints: the declaration as data. */
export function roleHelpJson(role: RoleHelp): unknown {
  const describe = (flags: Flags) =>
    Object.entries(flags).map(([key, flag]) => ({
      name: `--${kebab(key)}`,
      placeholder: flag.placeholder,
      help: flag.help,
      default: flag.defaultText ?? null,
      kind: flag.kind,
      choices: flag.choices ?? null,
    }));
  return {
    name: role.name,
    summary: role.summary,
    examples: role.examples,
    modes: Object.entries(role.modes).map(([name, mode]) => ({
      name,
      summary: mode.summary,
      chosenBy: mode.chosenBy === undefined
        ? null
        : `--${kebab(mode.chosenBy)}`,
      operand: mode.operand ?? null,
      flags: describe(mode.flags),
    })),
    commonFlags: describe(COMMON_FLAGS),
  };
}

function usage(role: string, mode: ModeHelp): string {
  const parts = ["rolecall", role];
  const own = mode.chosenBy === undefined
    ? undefined
    : mode.flags[mode.chosenBy];
  if (own !== undefined) {
    parts.push(`--${kebab(mode.chosenBy!)}`, own.placeholder);
  }
  if (mode.operand !== undefined) {
    parts.push(
      mode.operand.optional === true
        ? `[${mode.operand.placeholder}]`
        : mode.operand.placeholder,
    );
  }
  return [...parts.filter((part) => part !== ""), "[flags]"].join(" ");
}

function flagRow(key: string, flag: Flag<unknown>): readonly string[] {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  return row(
    `${short}--${kebab(key)}${
      flag.placeholder === "" ? "" : ` ${flag.placeholder}`
    }`,
    flag.defaultText === undefined
      ? flag.help
      : `${flag.help} (default: ${flag.defaultText})`,
  );
}

const LEFT = 34;

function row(left: string, right: string): readonly string[] {
  return left.length < LEFT - 1
    ? [`  ${left.padEnd(LEFT)}${right}`]
    : [`  ${left}`, `  ${" ".repeat(LEFT)}${right}`];
}
