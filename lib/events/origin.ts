import type { EventTable } from "./table.ts";

/** What an origin can say. */
export type OriginEvent = {
  readonly type: "origin.answered";
  readonly message: string;
};

/** See {@linkcode OriginEvent}. */
export const ORIGIN_EVENTS: EventTable<OriginEvent> = {
  "origin.answered": { level: "info", text: (e) => e.message },
};
