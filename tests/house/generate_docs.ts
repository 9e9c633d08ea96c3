/**
 * Writes docs/reference from the declarations in the code: `deno task docs`. A test fails when the pages are stale.
 */
import { EXIT } from "../../lib/cli/exit.ts";
import { roleHelpJson } from "../../lib/cli/help.ts";
import { EVENTS } from "../../lib/events/mod.ts";
import type { Role } from "../../lib/role.ts";
import { ROLES } from "../../roles/mod.ts";
import { type EventField, eventFields } from "../support/event_fields.ts";
import { ROOT } from "../support/sources.ts";

interface FlagHelp {
  readonly name: string;
  readonly placeholder: string;
  readonly help: string;
  readonly default: string | null;
}

interface ModeHelp {
  readonly name: string;
  readonly summary: string;
  readonly chosenBy: string | null;
  readonly operand:
    | { readonly placeholder: string; readonly help: string }
    | null;
  readonly flags: readonly FlagHelp[];
}

interface RoleHelp {
  readonly modes: readonly ModeHelp[];
  readonly commonFlags: readonly FlagHelp[];
}

const NOTE =
  "<!-- Made by `deno task docs` from the declarations in the code. Do not edit. -->";

/** What a family of events begins with, for roles that share it. */
const FRAME_EVENTS = /^(role|protocol|admin|file)\./;

/** Returns the pages of docs/reference by file name. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const roles = await Promise.all(ROLES.map((entry) => entry.load()));
  return new Map([
    ["roles.md", rolesPage(roles, await exitCodes())],
    ["events.md", eventsPage(roles, await eventFields())],
  ]);
}

/** The exit codes, with what their docstrings say. */
async function exitCodes(): Promise<readonly (readonly string[])[]> {
  const source = await Deno.readTextFile(new URL("lib/cli/exit.ts", ROOT));
  return Object.entries(EXIT).map(([name, code]) => {
    const said = new RegExp(`/\\*\\* (.+) \\*/\\s+${name}: ${code},`);
    return [String(code), said.exec(source)![1]!];
  });
}

function rolesPage(
  roles: readonly Role[],
  exits: readonly (readonly string[])[],
): string {
  const help = roles.map((role) => roleHelpJson(role) as RoleHelp);
  return page(
    "# Roles",
    "Every role, its modes and its flags, as `rolecall <role> --help` prints them. A role with several modes picks the one whose own flag is given; without one, its first.",
    "## Flags of every role",
    flagTable(help[0]?.commonFlags ?? []),
    "## Exit codes",
    table(["Code", "Meaning"], exits),
    ...roles.flatMap((role, at) => roleSection(role, help[at]!)),
  );
}

function roleSection(role: Role, { modes }: RoleHelp): readonly string[] {
  return [
    `## ${role.name}`,
    `${role.summary}.`,
    "```sh\n" + role.examples.join("\n") + "\n```",
    ...modes.flatMap((mode) => [
      `### ${role.name}: ${mode.name}`,
      `${mode.summary}.${
        mode.chosenBy === null ? "" : ` Chosen by \`${mode.chosenBy}\`.`
      }`,
      mode.operand === null
        ? ""
        : `\`${mode.operand.placeholder}\`: ${mode.operand.help}`,
      flagTable(mode.flags),
    ]),
    `Events: ${role.events.map(eventLink).join(", ")}.`,
  ];
}

function flagTable(flags: readonly FlagHelp[]): string {
  return flags.length === 0 ? "" : table(
    ["Flag", "Default", "Meaning"],
    flags.map((flag) => [
      `\`${`${flag.name} ${flag.placeholder}`.trim()}\``,
      flag.default === null ? "" : `\`${flag.default}\``,
      flag.help,
    ]),
  );
}

function eventsPage(
  roles: readonly Role[],
  fields: ReadonlyMap<string, readonly EventField[]>,
): string {
  const types = Object.keys(EVENTS) as (keyof typeof EVENTS)[];
  return page(
    "# Events",
    "Every event is one flat JSON object with `seq`, `time` (ISO 8601, UTC), `atMs` (since the start), `role`, `name`, `type` and the fields below. The first of a server is `role.listening`, the last of any role `role.finished`.",
    ...types.sort().flatMap((type) => {
      const mine = fields.get(type);
      if (mine === undefined) {
        throw new Error(`Cannot find the declaration of event ${type}`);
      }
      const by = FRAME_EVENTS.test(type)
        ? ["every role"]
        : roles.filter(({ events }) => (events as string[]).includes(type))
          .map(({ name }) => name);
      return [
        `## ${type}`,
        `Level ${EVENTS[type].level}. Emitted by ${
          by.join(", ") || "no role yet"
        }.`,
        mine.length === 0 ? "" : table(
          ["Field", "Type", "Meaning"],
          mine.map(({ name, optional, type, doc }) => [
            `\`${name}\`${optional ? " (optional)" : ""}`,
            `\`${type}\``,
            doc,
          ]),
        ),
      ];
    }),
  );
}

function page(...blocks: readonly string[]): string {
  const shown = [NOTE, ...blocks].filter((block) => block !== "");
  return `${shown.join("\n\n")}\n`;
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join(
    "\n",
  );
}

function eventLink(type: string): string {
  return `[${type}](events.md#${type.replaceAll(".", "")})`;
}

if (import.meta.main) {
  const folder = new URL("docs/reference/", ROOT);
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of await referencePages()) {
    await Deno.writeTextFile(new URL(name, folder), text);
  }
}
