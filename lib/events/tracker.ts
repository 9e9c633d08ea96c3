import type { EventTable } from "./table.ts";

/** What the tracker can say. */
export type TrackerEvent = {
  readonly type: "tracker.announced";
  readonly message: string;
};

/** See {@linkcode TrackerEvent}. */
export const TRACKER_EVENTS: EventTable<TrackerEvent> = {
  "tracker.announced": { level: "info", text: (e) => e.message },
};
