import type { EventTable } from "./table.ts";

/** What the DASH client can say. */
export type DashEvent = {
  readonly type: "segment.downloaded";
  readonly message: string;
};

/** See {@linkcode DashEvent}. */
export const DASH_EVENTS: EventTable<DashEvent> = {
  "segment.downloaded": { level: "info", text: (e) => e.message },
};
