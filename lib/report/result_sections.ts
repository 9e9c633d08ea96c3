import type { ReportSection } from "./report.ts";

/** A role's result that brings no report of its own, as tables: its single values first, then one table per list. */
export function sectionsOfResult(json: unknown): ReportSection[] {
  if (!isRecord(json)) return [{ kind: "text", text: cell(json).toString() }];
  const entries = Object.entries(json);
  const lists = entries.filter(([, value]) => isList(value));
  const single = entries.filter(([, value]) => !isList(value));
  return [
    {
      kind: "table",
      heading: "Result",
      columns: ["", "value"],
      rows: single.map(([key, value]) => [words(key), cell(value)]),
    },
    ...lists.map(([key, value]): ReportSection => {
      const items = value as readonly Record<string, unknown>[];
      const keys = [...new Set(items.flatMap((item) => Object.keys(item)))];
      return {
        kind: "table",
        heading: words(key).replace(/^./, (letter) => letter.toUpperCase()),
        columns: keys.map(words),
        rows: items.map((item) => keys.map((name) => cell(item[name]))),
      };
    }),
  ];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}

/** `rttAvgMs` is `rtt avg ms` in a heading. */
function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function cell(value: unknown): string | number {
  if (typeof value === "number" || typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(cell).join(", ");
  return JSON.stringify(value);
}
