import type { EventTable } from "./table.ts";

/** What the dashboard does: it follows the events of other roles. */
export type DashboardEvent =
  | {
    /** A role's events come. */
    readonly type: "feed.opened";
    /** Its name on the link, or where its events are. */
    readonly source: string;
    readonly at: string;
  }
  | {
    /** They do not come (any more); they are asked for again. */
    readonly type: "feed.lost";
    readonly source: string;
    readonly at: string;
    readonly reason: string;
  };

/** See {@linkcode DashboardEvent}. */
export const DASHBOARD_EVENTS: EventTable<DashboardEvent> = {
  "feed.opened": {
    level: "info",
    text: (e) => `follows ${e.source} at ${e.at}`,
  },
  "feed.lost": {
    level: "debug",
    text: (e) => `no events of ${e.source} at ${e.at}: ${e.reason}`,
  },
};
