import { formatHostPort } from "../core/address.ts";
import { counted } from "../core/units.ts";
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
    /** Path and query of the tracker's URL, where a UDP client sent them (BEP 41). */
    readonly urlData?: string;
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
    /** Peers that were forgotten because they stopped announcing. */
    readonly expired: number;
  }
  | {
    /** The swarms of the last run were taken over (`--state`). */
    readonly type: "state.restored";
    readonly path: string;
    readonly swarms: number;
    readonly peers: number;
    /** How long the tracker did not run. */
    readonly breakMs: number;
  }
  | {
    readonly type: "state.saved";
    readonly path: string;
    readonly swarms: number;
    readonly peers: number;
    readonly bytes: number;
  }
  | {
    /** The swarms could not be written while the tracker runs; it is tried again. */
    readonly type: "state.failed";
    readonly path: string;
    readonly reason: string;
  }
  | {
    /** The file of `--state` is damaged: it was put aside, and the tracker begins with nothing. */
    readonly type: "state.rejected";
    readonly path: string;
    readonly reason: string;
  }
  | {
    /** The file of `--allow` changed and was read again. */
    readonly type: "allowlist.reloaded";
    readonly path: string;
    readonly torrents: number;
  }
  | {
    /** The file of `--allow` changed and cannot be used: the old list holds. */
    readonly type: "allowlist.rejected";
    readonly reason: string;
  }
  | {
    /** The way of `--engine` does not work here: sockets are served the portable way. */
    readonly type: "engine.rejected";
    readonly engine: string;
    readonly reason: string;
  };

/** See {@linkcode TrackerEvent}. */
export const TRACKER_EVENTS: EventTable<TrackerEvent> = {
  "tracker.announced": {
    level: "info",
    text: (e) =>
      `${formatHostPort(e)} announced ${e.infoHash.slice(0, 8)}${
        e.announceEvent === "none" ? "" : ` (${e.announceEvent})`
      } over ${e.transport}: ${
        e.leftBytes === 0 ? "has all" : `${counted(e.leftBytes, "byte")} left`
      }, got ${counted(e.peers, "peer")}; the swarm has ${
        counted(e.seeders, "seeder")
      } and ${counted(e.leechers, "leecher")}`,
  },
  "tracker.scraped": {
    level: "info",
    text: (e) =>
      `${e.host} scraped ${counted(e.torrents, "torrent")} over ${e.transport}`,
  },
  "tracker.refused": {
    level: "warn",
    text: (e) => `refused ${e.host} over ${e.transport}: ${e.reason}`,
  },
  "tracker.expired": {
    level: "info",
    text: (e) =>
      `forgot ${counted(e.peers, "silent peer")} of ${e.infoHash.slice(0, 8)}`,
  },
  "tracker.summarized": {
    level: "info",
    text: (e) =>
      `and in the last ${e.periodMs / 1000} s also ${
        counted(e.announced, "announce")
      }, ${counted(e.scraped, "scrape")}, ${
        counted(e.refused, "refusal")
      }; forgot ${counted(e.expired, "silent peer")}`,
  },
  "state.restored": {
    level: "info",
    text: (e) =>
      `took over ${counted(e.swarms, "swarm")} with ${
        counted(e.peers, "peer")
      } from ${e.path}, saved ${Math.round(e.breakMs / 1000)} s ago`,
  },
  "state.saved": {
    level: "info",
    text: (e) =>
      `saved ${counted(e.swarms, "swarm")} with ${
        counted(e.peers, "peer")
      } to ${e.path} (${counted(e.bytes, "byte")})`,
  },
  "state.failed": {
    level: "warn",
    text: (e) => `${e.reason}; it is tried again`,
  },
  "state.rejected": {
    level: "warn",
    text: (e) =>
      `${e.path} is damaged (${e.reason}): put aside as ${e.path}.damaged; beginning with no swarms`,
  },
  "allowlist.reloaded": {
    level: "info",
    text: (e) =>
      `${e.path} has changed: now serving ${counted(e.torrents, "torrent")}`,
  },
  "allowlist.rejected": {
    level: "warn",
    text: (e) => `${e.reason}; still serving the old list`,
  },
  "engine.rejected": {
    level: "warn",
    text: (e) => `${e.reason}; going on one by one`,
  },
};
