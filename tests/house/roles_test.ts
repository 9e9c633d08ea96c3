import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMON_FLAGS } from "../../lib/cli/common.ts";
import type { Flag, Flags } from "../../lib/cli/flags.ts";
import { roleHelp } from "../../lib/cli/help.ts";
import { kebab } from "../../lib/cli/role_shape.ts";
import { scanArgs } from "../../lib/cli/scan.ts";
import { parseRoleArgs } from "../../lib/cli/parse.ts";
import { EVENTS } from "../../lib/events/mod.ts";
import type { Role } from "../../lib/role.ts";
import { ROLES } from "../../roles/mod.ts";
import { eventFields } from "../support/event_fields.ts";

const LOADED: readonly Role[] = await Promise.all(
  ROLES.map((entry) => entry.load()),
);
const FIELDS = await eventFields();
/** A list of plain values still counts as flat. */
const LIST_REGEXP = /^readonly (string|number)\[\]$/;

/** Splits a line as a shell does: at blanks, with "…" and '…' as one word. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, plain]) => double ?? single ?? plain ?? "");
}

function flagsOf(role: Role): readonly (readonly [string, Flag<unknown>])[] {
  return Object.values(role.modes)
    .flatMap(({ flags }) => Object.entries(flags as Flags));
}

Deno.test("roles/mod.ts names each role as the role does", () => {
  assertEquals(
    ROLES.map(({ name, summary }) => ({ name, summary })),
    LOADED.map(({ name, summary }) => ({ name, summary })),
  );
  assertEquals(new Set(ROLES.map(({ name }) => name)).size, ROLES.length);
});

Deno.test("roster takes every role as --only but its own, which is in none", () => {
  const only = LOADED.find(({ name }) => name === "roster")!.modes["look"]!
    .flags.only as Flag<unknown>;
  assertEquals(
    only.choices,
    ROLES.map(({ name }) => name).filter((name) => name !== "roster"),
  );
});

for (const role of LOADED) {
  Deno.test(`${role.name} declares names in their forms`, () => {
    assertMatch(role.name, /^[a-z]+(-[a-z]+)*$/);
    for (const [key] of flagsOf(role)) {
      assertMatch(key, /^[a-z]+([A-Z][a-z]+)*[0-9]?$/);
    }
    for (const name of Object.keys(role.modes)) {
      assertMatch(name, /^[a-z][a-zA-Z]*$/);
    }
  });

  Deno.test(`${role.name} explains every flag, and none of its own twice`, () => {
    for (const [key, flag] of flagsOf(role)) {
      const name = `--${kebab(key)}`;
      assert(flag.help.length > 5, name);
      assert(
        !flag.help.endsWith("."),
        `${name}: help ends without a full stop`,
      );
      assert(flag.kind === "switch" || flag.placeholder !== "", name);
      assert(!Object.hasOwn(COMMON_FLAGS, key), `${name} is a common flag`);
      assert(flag.defaultText !== "", `${name}: "(default: )" in its help`);
      if (flag.defaultText !== undefined) flag.parse(flag.defaultText);
    }
    assert(roleHelp(role).includes(`rolecall ${role.name}`));
  });

  Deno.test(`${role.name} has in each mode the flags that others of it go with, or do not`, () => {
    for (const mode of Object.values(role.modes)) {
      const flags: Flags = mode.flags;
      for (const { onlyWith, neverWith = [] } of Object.values(flags)) {
        for (const key of [onlyWith ?? [], neverWith].flat()) {
          assert(Object.hasOwn(flags, key), key);
        }
      }
    }
  });

  Deno.test(`${role.name} has one mode without a flag of its own, the first`, () => {
    const choosers = Object.values(role.modes).map(({ chosenBy }) => chosenBy);
    assertEquals(choosers.map((flag) => flag === undefined).indexOf(true), 0);
    assertEquals(choosers.filter((flag) => flag === undefined).length, 1);
    for (const mode of Object.values(role.modes)) {
      assert(
        mode.chosenBy === undefined || Object.hasOwn(mode.flags, mode.chosenBy),
      );
    }
  });

  Deno.test(`${role.name} declares events that exist, each once`, () => {
    const unknown = role.events.filter((type) => !Object.hasOwn(EVENTS, type));
    assertEquals(unknown, []);
    assertEquals(new Set(role.events).size, role.events.length);
  });

  Deno.test(`${role.name} has examples that its parser takes`, () => {
    assert(role.examples.length > 0);
    for (const line of role.examples) {
      const [program, name, ...args] = words(line);
      assertEquals([program, name], ["rolecall", role.name]);
      // Else a shell would take a part of the line for something of its own.
      const bare = line.replace(/"[^"]*"|'[^']*'/g, "");
      assert(!/[&|;<>(){}*?$`]/.test(bare), line);
      parseRoleArgs(role, scanArgs(role, args));
    }
  });
}

Deno.test("event types are noun.past-participle, and emitted by a role", () => {
  const emitted = new Set(LOADED.flatMap(({ events }) => events as string[]));
  for (const type of Object.keys(EVENTS)) {
    assertMatch(type, /^[a-z]+\.[a-z]+(-[a-z]+)*$/);
    assert(
      emitted.has(type) || /^(role|protocol|admin|file)\./.test(type),
      `${type} is declared by no role`,
    );
  }
});

Deno.test("event fields are flat, in camelCase, and leave the frame's names alone", () => {
  const frame = ["seq", "time", "atMs", "role", "name"];
  assertEquals([...FIELDS.keys()].sort(), Object.keys(EVENTS).sort());
  for (const [type, fields] of FIELDS) {
    for (const field of fields) {
      assertMatch(field.name, /^[a-z][a-zA-Z0-9]*$/);
      assert(!frame.includes(field.name), `${type}.${field.name}`);
      assert(
        !/[{[]|Uint8Array|bigint/.test(field.type.replace(LIST_REGEXP, "")),
        `${type}.${field.name} is not flat: ${field.type}`,
      );
    }
  }
});
