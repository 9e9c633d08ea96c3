import { counted } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/** Who asked the DNS redirector for what. */
interface Query {
  /** `host:port` of the sender: a client, or more often its resolver. */
  readonly remote: string;
  readonly transport: "udp" | "tcp";
  /** The asked name in lower case, without the dot at its end. */
  readonly question: string;
  /** `A`, `AAAA` … */
  readonly recordType: string;
}

/** What the DNS redirector can say. Beyond 50 queries a second these are counted in `queries.counted`, not told one by one. */
export type DnsEvent =
  | Query & {
    readonly type: "query.answered";
    /** `NOERROR`, `NXDOMAIN`, `REFUSED` … */
    readonly rcode: string;
    /** Records in the answer section. */
    readonly answers: number;
    /** The answer did not fit into a datagram; the sender comes back over TCP. */
    readonly truncated: boolean;
    readonly sentBytes: number;
  }
  | Query & {
    /** An answer that was beyond `--rate-limit`: sent empty, to be asked for over TCP, or not at all. */
    readonly type: "query.limited";
    readonly fate: "slipped" | "dropped";
  }
  | Query & {
    readonly type: "edge.selected";
    /** The name the choice was made for: the asked one, or what it is an alias of. */
    readonly redirectedName: string;
    /** `--policy`: `round-robin`, `weighted`, `geo`, `load`, `latency`, `hash`, or several such as `geo,load`. */
    readonly policy: string;
    /** The network or address the choice was made for. */
    readonly client: string;
    /** Where that is known from: the sender's address, or the resolver's EDNS Client Subnet. */
    readonly clientFrom: "source" | "client-subnet";
    /** Addresses of all edges that could have been chosen: those that are up, or all if none is. */
    readonly candidates: readonly string[];
    /** Addresses of those that the checks find out of service. */
    readonly down: readonly string[];
    /** The address in the answer. */
    readonly chosen: string;
    /** What the zone calls the edge. */
    readonly edge: string;
    readonly reason: string;
    /** For how many bits of the client's address the answer holds; 0 is everybody. */
    readonly scopeBits: number;
    readonly ttlSeconds: number;
  }
  | {
    readonly type: "queries.counted";
    readonly queries: number;
    /** Those that led to an edge. */
    readonly redirected: number;
    /** Those answered with another code than NOERROR. */
    readonly refused: number;
    /** Messages that deserved no answer. */
    readonly dropped: number;
    /** Answers beyond `--rate-limit`. */
    readonly limited: number;
    /** Connections that ended otherwise than by their client. */
    readonly disconnected: number;
    readonly intervalMs: number;
  }
  | {
    readonly type: "resolver.disconnected";
    readonly remote: string;
    readonly reason: "idle" | "too-many-connections";
  }
  | {
    /** A zone is served, or served anew after its file has changed. */
    readonly type: "zone.loaded";
    readonly zone: string;
    /** Of its SOA. */
    readonly serial: number;
    /** Names whose address depends on who asks. */
    readonly redirects: number;
  }
  | {
    /** A secondary got a whole zone (AXFR), or heard that it has the newest (IXFR). */
    readonly type: "zone.transferred";
    readonly zone: string;
    readonly serial: number;
    /** `host:port` of the secondary. */
    readonly remote: string;
    readonly messages: number;
    readonly sentBytes: number;
  }
  | {
    /** A zone file was to be read again and cannot be used: the old zones are still served. */
    readonly type: "zones.rejected";
    /** With file and line. */
    readonly reason: string;
  }
  | {
    readonly type: "lookup.finished";
    readonly server: string;
    readonly transport: "udp" | "tcp";
    readonly question: string;
    readonly recordType: string;
    readonly rcode: string;
    readonly addresses: readonly string[];
    readonly ttlSeconds: number;
    readonly elapsedMs: number;
  };

/** See {@linkcode DnsEvent}. */
export const DNS_EVENTS: EventTable<DnsEvent> = {
  "query.answered": {
    level: "info",
    text: (e) =>
      `${e.question} ${e.recordType} from ${e.remote} over ${e.transport}: ${e.rcode}, ${
        counted(e.answers, "record")
      }${e.truncated ? ", cut off (TC)" : ""}`,
  },
  "query.limited": {
    level: "info",
    text: (e) =>
      `${e.question} ${e.recordType} from ${e.remote}: more equal answers than --rate-limit, ${
        e.fate === "slipped" ? "told to ask over TCP" : "not answered"
      }`,
  },
  "edge.selected": {
    level: "info",
    text: (e) =>
      `${e.question} ${e.recordType}${
        e.redirectedName === e.question ? "" : ` (${e.redirectedName})`
      } for ${e.client}${
        e.clientFrom === "client-subnet"
          ? ` (client subnet, asked by ${e.remote})`
          : ""
      }: ${e.chosen} of ${e.candidates.join(", ")}${
        e.down.length === 0 ? "" : ` (down: ${e.down.join(", ")})`
      }, by ${e.policy}: ${e.reason}`,
  },
  "queries.counted": {
    level: "info",
    text: (e) =>
      `${counted(e.queries, "more query", "more queries")} in ${
        Math.round(e.intervalMs)
      } ms: ${e.redirected} led to an edge, ${e.refused} refused or without such a name, ${e.dropped} dropped, ${e.limited} beyond the rate limit; ${
        counted(e.disconnected, "connection")
      } closed`,
  },
  "resolver.disconnected": {
    level: "info",
    text: (e) => `closed the connection of ${e.remote}: ${e.reason}`,
  },
  "zone.loaded": {
    level: "info",
    text: (e) =>
      `answering for ${e.zone} (serial ${e.serial}), ${
        counted(e.redirects, "redirected name")
      }`,
  },
  "zone.transferred": {
    level: "info",
    text: (e) =>
      `${e.remote} got the zone ${e.zone} (serial ${e.serial}): ${
        counted(e.sentBytes, "byte")
      } in ${counted(e.messages, "message")}`,
  },
  "zones.rejected": {
    level: "warn",
    text: (e) => `${e.reason}; still serving the old zones`,
  },
  "lookup.finished": {
    level: "debug",
    text: (e) =>
      `${e.server} says ${e.rcode} to ${e.question} ${e.recordType}: ${
        e.addresses.length === 0 ? "no address" : e.addresses.join(", ")
      }`,
  },
};
