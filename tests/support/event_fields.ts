import { ROOT, sourceFiles } from "./sources.ts";

/** A field of an event as its declaration has it. */
export interface EventField {
  readonly name: string;
  readonly optional: boolean;
  /** The type as written, on one line. */
  readonly type: string;
  /** Its docstring on one line; empty without. */
  readonly doc: string;
}

const FIELD_REGEXP =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?readonly (\w+)(\??):\s*([^;]+)(?:;|$)/g;
const EVENT_REGEXP = /readonly type:\s*((?:\|?\s*"[a-z.-]+"\s*)+)(?=[;}])/g;

/**
 * Reads the fields of every event from lib/events, by event type. Events are flat records, `{ readonly type: "…"; … }`,
 * alone or as `Interface & { … }`, which is all that this understands.
 */
export async function eventFields(): Promise<
  ReadonlyMap<string, readonly EventField[]>
> {
  const found = new Map<string, readonly EventField[]>();
  for (const file of await sourceFiles("lib/events")) {
    const source = await Deno.readTextFile(new URL(file, ROOT));
    const blank = source.replace(
      /\/\*[\s\S]*?\*\//g,
      (comment) => " ".repeat(comment.length),
    );
    for (const match of source.matchAll(EVENT_REGEXP)) {
      const from = blank.lastIndexOf("{", match.index);
      const end = blank.indexOf("}", match.index);
      const base = /(\w+)\s*&\s*$/.exec(source.slice(0, from))?.[1];
      const own = fieldsIn(source.slice(from, end));
      const fields = [
        ...(base === undefined ? [] : interfaceFields(source, base)),
        ...own.filter(({ name }) => name !== "type"),
      ];
      for (const [, type] of match[1]!.matchAll(/"([^"]+)"/g)) {
        found.set(type!, fields);
      }
    }
  }
  return found;
}

function interfaceFields(source: string, name: string): readonly EventField[] {
  const match = new RegExp(
    `(?:interface ${name}(?: extends (\\w+))? |type ${name} = )\\{([\\s\\S]*?)\\n\\}`,
  ).exec(source);
  if (match === null) throw new Error(`Cannot find ${name} in its file`);
  return [
    ...(match[1] === undefined ? [] : interfaceFields(source, match[1])),
    ...fieldsIn(match[2]!),
  ];
}

function fieldsIn(source: string): readonly EventField[] {
  return [...source.matchAll(FIELD_REGEXP)].map(
    ([, doc = "", name, optional, type]) => ({
      name: name!,
      optional: optional === "?",
      type: type!.replace(/\s+/g, " ").trim().replace(/^\| /, ""),
      doc: doc.replace(/\s*\n\s*\*\s?/g, " ").trim(),
    }),
  );
}
