/** What the log says of a single one: `1 seeder`, not `1 seeders`. */
import { assertEquals } from "@std/assert";
import {
  EVENTS,
  type EventType,
  type RolecallEvent,
  textOf,
} from "../../lib/events/mod.ts";
import { type EventField, eventFields } from "../support/event_fields.ts";

const PLURAL_REGEXP = /\b1 (?:(?:more|other|redirected|silent) )?[a-z-]{2,}s\b/;
/** What follows a number that counts nothing: verbs, and units, which have no plural. */
const NO_NOUN_REGEXP = /^1 (?:has|is|ms|towards|was)$/;

/** Every event there can be with each number 1: one for each word of its fields. */
function singles(
  type: EventType,
  fields: readonly EventField[],
): readonly RolecallEvent[] {
  const choices = fields.map(({ name, type }) => {
    const words = [...type.matchAll(/"([^"]+)"/g)].map(([, word]) => word!);
    return { name, values: words.length > 0 ? words : [one(type)] };
  });
  const most = Math.max(1, ...choices.map(({ values }) => values.length));
  return Array.from({ length: most * 2 }, (_, at) => {
    const entries = choices.map(({ name, values }) =>
      [name, values[at % values.length]] as const
    );
    const isOn = at % 2 === 0;
    return {
      ...Object.fromEntries(
        entries.map(([name, value]) => [name, value === true ? isOn : value]),
      ),
      type,
    } as unknown as RolecallEvent;
  });
}

function one(type: string): unknown {
  if (type.includes("readonly number[]")) return [1];
  if (type.includes("readonly string[]")) return ["x"];
  if (type.includes("number")) return 1;
  return type.includes("boolean") ? true : "x";
}

Deno.test("the text of every event has a noun in the singular after 1", async () => {
  const wrong: string[] = [];
  for (const [type, fields] of await eventFields()) {
    for (const event of singles(type as EventType, fields)) {
      const text = textOf(event);
      const [found] = PLURAL_REGEXP.exec(text) ?? [];
      if (found === undefined || NO_NOUN_REGEXP.test(found)) continue;
      wrong.push(`${type}: ${text}`);
    }
  }
  assertEquals(Object.keys(EVENTS).length > 50, true);
  assertEquals([...new Set(wrong)], []);
});
