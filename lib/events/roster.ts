import type { EventTable } from "./table.ts";

/** What `rolecall roster --watch` and the dashboard see come and go. */
export type RosterEvent =
  | {
    /** A role answers, or something of its entry has changed. */
    readonly type: "instance.found";
    /** Its name on the link; no other has it. */
    readonly instance: string;
    readonly instanceRole: string;
    /** Separated by spaces. */
    readonly addresses: string;
    /** Transport and port of each, separated by commas. */
    readonly sockets: string;
    /** Where its events and metrics are. */
    readonly admin?: string;
    readonly version: string;
  }
  | {
    /** A role said goodbye, or was not heard of for two minutes. */
    readonly type: "instance.lost";
    readonly instance: string;
    readonly instanceRole: string;
  };

/** See {@linkcode RosterEvent}. */
export const ROSTER_EVENTS: EventTable<RosterEvent> = {
  "instance.found": {
    level: "info",
    labels: ["instanceRole"],
    text: (e) =>
      `${e.instanceRole} ${e.instance} at ${e.addresses || "?"}${
        e.sockets === "" ? "" : `, ${e.sockets}`
      }${e.admin === undefined ? "" : `, admin ${e.admin}`}`,
  },
  "instance.lost": {
    level: "info",
    labels: ["instanceRole"],
    text: (e) => `${e.instanceRole} ${e.instance} has gone`,
  },
};
