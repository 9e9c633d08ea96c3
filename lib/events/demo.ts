import type { EventTable } from "./table.ts";

/** What a scenario can say. */
export type DemoEvent = {
  readonly type: "check.finished";
  readonly message: string;
};

/** See {@linkcode DemoEvent}. */
export const DEMO_EVENTS: EventTable<DemoEvent> = {
  "check.finished": { level: "info", text: (e) => e.message },
};
