import type { EventTable } from "./table.ts";

/** What the DNS redirector can say. */
export type DnsEvent = {
  readonly type: "query.answered";
  readonly message: string;
};

/** See {@linkcode DnsEvent}. */
export const DNS_EVENTS: EventTable<DnsEvent> = {
  "query.answered": { level: "info", text: (e) => e.message },
};
