import { type EventRecord, EVENTS, textOf } from "../../lib/events/mod.ts";
import type { EventInfo } from "../../lib/events/table.ts";
import type { ShownEvent } from "./board.ts";

/** Longest text of an event that is passed on. */
const MAX_TEXT = 300;
/** Longest label. */
const MAX_LABEL = 40;
/** Most fields of an event. */
const MAX_FIELDS = 40;

/** What every event has and the page shows in another way. */
const ENVELOPE: ReadonlySet<string> = new Set([
  ...["seq", "time", "atMs", "role", "name", "type"],
]);

/** What an event says of who said it. */
export interface Teller {
  readonly role: string;
  readonly name: string;
}

/**
 * Reads an event as a role sent it, with the sentence of the log. Another version of this program, or something else, may
 * have sent it: what is missing is left out.
 *
 * @param clock How far the role's clock is ahead of ours, and what ours says.
 * @returns undefined if it is no event.
 */
export function readEvent(
  source: string,
  data: string,
  clock: { readonly aheadMs: number; readonly nowMs: number },
): { readonly event: ShownEvent; readonly teller: Teller } | undefined {
  let record: unknown;
  try {
    record = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(record)) return undefined;
  const { type, time, role, name } = record;
  if (![type, time, role, name].every((one) => typeof one === "string")) {
    return undefined;
  }
  // A page keeps a minute of events: one from the future would stay for ever.
  const atMs = Math.min(Date.parse(`${time}`) - clock.aheadMs, clock.nowMs);
  if (!Number.isFinite(atMs)) return undefined;
  const kept = Object.entries(record).filter(([key, value]) =>
    !ENVELOPE.has(key) && isShown(value)
  ).slice(0, MAX_FIELDS);
  const info = infoOf(`${type}`);
  return {
    event: {
      ...{ source, atMs, type: `${type}`.slice(0, MAX_TEXT) },
      level: info?.level ?? "info",
      label: (info?.labels ?? []).map((field) => record[field])
        .filter((value) => typeof value === "string").join(" ")
        .slice(0, MAX_LABEL),
      text: sentenceOf(record, kept).slice(0, MAX_TEXT),
      fields: Object.fromEntries(kept) as ShownEvent["fields"],
    },
    teller: {
      role: `${role}`.slice(0, MAX_TEXT),
      name: `${name}`.slice(0, MAX_TEXT),
    },
  };
}

function infoOf(
  type: string,
): Pick<EventInfo<Record<string, unknown>>, "level" | "labels"> | undefined {
  return Object.hasOwn(EVENTS, type)
    ? EVENTS[type as keyof typeof EVENTS]
    : undefined;
}

function sentenceOf(
  record: Readonly<Record<string, unknown>>,
  fields: readonly (readonly [string, unknown])[],
): string {
  if (infoOf(`${record["type"]}`) !== undefined) {
    try {
      return textOf(record as unknown as EventRecord);
    } catch { /* A field that is not there in that version. */ }
  }
  return fields.map(([key, value]) => `${key}=${value}`).join(" ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShown(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean" ||
    (typeof value === "string" && value.length <= MAX_TEXT);
}
