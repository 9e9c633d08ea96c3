import { DASH_EVENTS, type DashEvent } from "./dash.ts";
import { DASHBOARD_EVENTS, type DashboardEvent } from "./dashboard.ts";
import { DEMO_EVENTS, type DemoEvent } from "./demo.ts";
import { DHT_EVENTS, type DhtEvent } from "./dht.ts";
import { DNS_EVENTS, type DnsEvent } from "./dns.ts";
import { ECHO_EVENTS, type EchoEvent } from "./echo.ts";
import { EDGE_EVENTS, type EdgeEvent } from "./edge.ts";
import { EDGE_TITLE_EVENTS, type EdgeTitleEvent } from "./edge_titles.ts";
import { EDGE_WATCH_EVENTS, type EdgeWatchEvent } from "./edge_watch.ts";
import { ORIGIN_EVENTS, type OriginEvent } from "./origin.ts";
import { PEER_EVENTS, type PeerEvent } from "./peer.ts";
import { RECURSION_EVENTS, type RecursionEvent } from "./recursion.ts";
import { ROLE_EVENTS, type RoleEvent } from "./role.ts";
import { ROSTER_EVENTS, type RosterEvent } from "./roster.ts";
import type { EventTable } from "./table.ts";
import { TRACKER_EVENTS, type TrackerEvent } from "./tracker.ts";
import { UPSTREAM_EVENTS, type UpstreamEvent } from "./upstream.ts";

/** Every event the program can emit: flat fields, units in the names, ids as hex strings. */
export type RolecallEvent =
  | RoleEvent
  | EchoEvent
  | TrackerEvent
  | PeerEvent
  | DhtEvent
  | OriginEvent
  | EdgeEvent
  | EdgeTitleEvent
  | UpstreamEvent
  | DnsEvent
  | RecursionEvent
  | EdgeWatchEvent
  | DashEvent
  | DemoEvent
  | RosterEvent
  | DashboardEvent;

/** The names of all events. */
export type EventType = RolecallEvent["type"];

/** The event named `T`. */
export type EventOf<T extends EventType> = Extract<
  RolecallEvent,
  { readonly type: T }
>;

/** The table the log, the reference and the dashboards are made from. */
export const EVENTS: EventTable<RolecallEvent> = {
  ...ROLE_EVENTS,
  ...ECHO_EVENTS,
  ...TRACKER_EVENTS,
  ...PEER_EVENTS,
  ...DHT_EVENTS,
  ...ORIGIN_EVENTS,
  ...EDGE_EVENTS,
  ...EDGE_TITLE_EVENTS,
  ...UPSTREAM_EVENTS,
  ...DNS_EVENTS,
  ...RECURSION_EVENTS,
  ...EDGE_WATCH_EVENTS,
  ...DASH_EVENTS,
  ...DEMO_EVENTS,
  ...ROSTER_EVENTS,
  ...DASHBOARD_EVENTS,
};

/** What `emit` wraps an event in: who said it and when. */
interface Envelope {
  /** Counts from 1 within one run. */
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** Milliseconds since the run started. */
  readonly atMs: number;
  readonly role: string;
  readonly name: string;
}

/** An event as it is written. */
export type EventRecord = Envelope & RolecallEvent;

/** The event named `T` as it is written; `EventRecord & EventOf<T>` is the same and takes the compiler half a minute. */
export type RecordOf<T extends EventType> = Envelope & EventOf<T>;

/** Returns the log sentence of any event. */
export function textOf(event: RolecallEvent): string {
  return (EVENTS[event.type] as { text(e: RolecallEvent): string }).text(event);
}
