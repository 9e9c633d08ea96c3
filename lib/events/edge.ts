import type { EventTable } from "./table.ts";

/** What an edge can say. */
export type EdgeEvent = {
  readonly type: "edge.answered";
  readonly message: string;
};

/** See {@linkcode EdgeEvent}. */
export const EDGE_EVENTS: EventTable<EdgeEvent> = {
  "edge.answered": { level: "info", text: (e) => e.message },
};
