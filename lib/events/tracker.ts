import type { EventTable } from "./table.ts";

/** What a tracker did for one client. Many in one second are told in sums, as `tracker.summarized`. */
export type TrackerOutcome =
  | {
    readonly type: "tracker.announced";
    readonly transport: "http" | "udp";
    /** Where the peer can be reached. */
    readonly host: string;
    readonly port: number;
    readonly infoHash: string;
    readonly peerId: string;
    readonly announceEvent: "none" | "started" | "stopped" | "completed";
    readonly uploadedBytes: number;
    readonly downloadedBytes: number;
    readonly leftBytes: number;
    /** How many peers it was told of. */
    readonly peers: number;
    /** In the swarm, the asker included. */
    readonly seeders: number;
    readonly leechers: number;
  }
  | {
    readonly type: "tracker.scraped";
    readonly transport: "http" | "udp";
    readonly host: string;
    readonly torrents: number;
  }
  | {
    readonly type: "tracker.refused";
    readonly transport: "http" | "udp";
    readonly host: string;
    readonly code: string;
    /** What the client was told. */
    readonly reason: string;
  };

/** What the tracker can say. */
export type TrackerEvent =
  | TrackerOutcome
  | {
    readonly type: "tracker.expired";
    readonly infoHash: string;
    /** How many were forgotten because they stopped announcing. */
    readonly peers: number;
  }
  | {
    readonly type: "tracker.summarized";
    readonly periodMs: number;
    readonly announced: number;
    readonly scraped: number;
    readonly refused: number;
  };

/** See {@linkcode TrackerEvent}. */
export const TRACKER_EVENTS: EventTable<TrackerEvent> = {
  "tracker.announced": {
    level: "info",
    text: (e) =>
      `${e.host.includes(":") ? `[${e.host}]` : e.host}:${e.port} announced ${
        e.infoHash.slice(0, 8)
      }${
        e.announceEvent === "none" ? "" : ` (${e.announceEvent})`
      } over ${e.transport}: ${
        e.leftBytes === 0 ? "has all" : `${e.leftBytes} bytes left`
      }, got ${e.peers} peers; the swarm has ${e.seeders} seeders and ${e.leechers} leechers`,
  },
  "tracker.scraped": {
    level: "info",
    text: (e) => `${e.host} scraped ${e.torrents} torrents over ${e.transport}`,
  },
  "tracker.refused": {
    level: "warn",
    text: (e) => `refused ${e.host} over ${e.transport}: ${e.reason}`,
  },
  "tracker.expired": {
    level: "info",
    text: (e) => `forgot ${e.peers} silent peers of ${e.infoHash.slice(0, 8)}`,
  },
  "tracker.summarized": {
    level: "info",
    text: (e) =>
      `and in the last ${
        e.periodMs / 1000
      } s also ${e.announced} announces, ${e.scraped} scrapes, ${e.refused} refusals`,
  },
};
