import type { ChokerName } from "../../../lib/bittorrent/swarm/choking/choker.ts";
import type { PickerName } from "../../../lib/bittorrent/swarm/pieces/picker.ts";
import { parseJsonLines } from "../../../lib/core/json_lines.ts";
import {
  parseByteRate,
  parseDurationMs,
  parseSizeBytes,
} from "../../../lib/core/units.ts";
import { Reader } from "./reader.ts";
import { type EdgeAct, readEdge } from "./edge_act.ts";
import { readStreaming, type StreamingAct } from "./streaming_act.ts";

/** A scripted classroom demo: acts played one after the other. Written as JSON in `scenarios/`. */
export interface Scenario {
  readonly title: string;
  readonly acts: readonly Act[];
}

/** One act and its numbers. */
export type Act =
  | EchoAct
  | DistributionAct
  | TitForTatAct
  | RarestFirstAct
  | ChurnAct
  | CdnAct
  | DnsAct
  | StreamingAct
  | EdgeAct;

/** Echo over UDP with loss, and over TCP with two clients at once. */
export interface EchoAct {
  readonly act: "echo";
  readonly pings: number;
  readonly intervalMs: number;
  /** Probability in [0, 1] that the server drops a datagram. */
  readonly loss: number;
  readonly delayMs: number;
  readonly lines: readonly string[];
}

/** What every act with a swarm says of it. */
export interface SwarmNumbers {
  readonly fileBytes: number;
  readonly pieceBytes: number;
  /** What the server, or the first seed, may send. */
  readonly serverBytesPerSecond: number;
  /** What each client may send. */
  readonly peerBytesPerSecond: number;
}

/** One file to N clients, for each N: from a server, and in a swarm. */
export interface DistributionAct extends SwarmNumbers {
  readonly act: "distribution";
  readonly leeches: readonly number[];
  /** In virtual time: which N, and a file of how many pieces at least, each of one block, as rates and file shrink together. */
  readonly simulated: {
    readonly leeches: readonly number[];
    readonly pieces: number;
    /** How many others a peer is told of. */
    readonly introductions: number;
  };
}

/** Who serves whom: with tit-for-tat and without. */
export interface TitForTatAct extends SwarmNumbers {
  readonly act: "tit-for-tat";
  /** How many give, and how many only take. */
  readonly leeches: number;
  readonly freeRiders: number;
  readonly slots: number;
  readonly chokeIntervalMs: number;
  readonly optimisticIntervalMs: number;
  readonly chokers: readonly ChokerName[];
}

/** A seed that leaves early, and the order in which its peers ask. */
export interface RarestFirstAct extends SwarmNumbers {
  readonly act: "rarest-first";
  readonly leeches: number;
  /** The seed leaves when it has sent so many copies of the file. */
  readonly seedCopies: number;
  readonly pickers: readonly PickerName[];
}

/** Peers come and go; the seed leaves when the first copy is out. */
export interface ChurnAct extends SwarmNumbers {
  readonly act: "churn";
  readonly leeches: number;
  /** From one arrival to the next. */
  readonly everyMs: number;
  /** How long a peer seeds when it has everything. */
  readonly seedForMs: number;
  /** Probability that a peer leaves with half the file. */
  readonly quits: number;
}

/** A title played in several networks, each directed to its own edge by DNS. */
export interface CdnAct {
  readonly act: "cdn";
  readonly domain: string;
  readonly cdnDomain: string;
  readonly mediaMs: number;
  readonly networks: readonly CdnNetwork[];
}

/** A network of clients with an edge inside ("enter deep"). */
export interface CdnNetwork {
  readonly name: string;
  readonly clients: number;
  /** Pause between the starts of its clients. */
  readonly staggerMs: number;
  readonly edgeBytesPerSecond: number;
}

/** From a name to an edge; two networks; an edge that dies while answers are in caches. */
export interface DnsAct {
  readonly act: "dns";
  /** The site's name, an alias of `cdnDomain`. */
  readonly domain: string;
  readonly cdnDomain: string;
  /** The TTLs that are compared, rising. */
  readonly ttlSeconds: readonly number[];
  /** From one check of an edge to the next. */
  readonly healthIntervalMs: number;
  /** Local DNS servers in the network whose edge dies, and clients of them. */
  readonly resolvers: number;
  readonly clients: number;
}

/** Most TTLs that are compared, and the longest. */
export const MAX_TTLS = { count: 4, seconds: 300 } as const;
/** Least time between two checks of an edge: with less a busy machine is taken for a dead edge. */
export const MIN_HEALTH_MS = 500;
/** Most clients of local DNS servers: each asks and connects several times a second. */
export const MAX_DNS_CLIENTS = 60;

/** Most clients that are played by processes: each takes some 60 MB and a loopback address. */
export const MAX_PROCESSES = 30;
/** Most clients in virtual time. */
export const MAX_SIMULATED = 10_000;

/** How each act is read. */
const ACTS: Readonly<Record<Act["act"], (act: Reader) => Act>> = {
  echo: (act) => ({
    act: "echo",
    pings: act.count("pings", 1, 1000),
    intervalMs: act.unit("interval", parseDurationMs),
    loss: act.number("loss", 0, 1),
    delayMs: act.unit("delay", parseDurationMs),
    lines: act.texts("lines"),
  }),
  distribution: (act) => {
    const leeches = act.counts("leeches", 1, MAX_PROCESSES);
    const simulated = act.has("simulated") ? act.object("simulated") : null;
    return {
      act: "distribution",
      ...swarmNumbers(act),
      leeches,
      simulated: simulated === null
        ? { leeches, pieces: 64, introductions: 10 }
        : simulated.done({
          leeches: simulated.counts("leeches", 1, MAX_SIMULATED),
          pieces: simulated.count("pieces", 1, 10_000),
          introductions: simulated.count("introductions", 1, 40),
        }),
    };
  },
  "tit-for-tat": (act) => ({
    act: "tit-for-tat",
    ...swarmNumbers(act),
    leeches: act.count("leeches", 2, MAX_PROCESSES),
    freeRiders: act.count("freeRiders", 0, MAX_PROCESSES),
    slots: act.count("slots", 1, 100),
    chokeIntervalMs: act.unit("chokeInterval", parseDurationMs, { above: 99 }),
    optimisticIntervalMs: act.unit("optimisticInterval", parseDurationMs, {
      above: 99,
    }),
    chokers: act.choices("chokers", ["tit-for-tat", "round-robin", "none"]),
  }),
  "rarest-first": (act) => ({
    act: "rarest-first",
    ...swarmNumbers(act),
    leeches: act.count("leeches", 2, MAX_PROCESSES),
    seedCopies: act.number("seedCopies", 0.1, 100),
    pickers: act.choices("pickers", ["rarest", "random", "sequential"]),
  }),
  churn: (act) => ({
    act: "churn",
    ...swarmNumbers(act),
    leeches: act.count("leeches", 2, MAX_PROCESSES),
    everyMs: act.unit("every", parseDurationMs),
    seedForMs: act.unit("seedFor", parseDurationMs),
    quits: act.number("quits", 0, 1),
  }),
  cdn: (act) => ({
    act: "cdn",
    domain: act.text("domain"),
    cdnDomain: act.text("cdnDomain"),
    mediaMs: act.unit("media", parseDurationMs),
    networks: act.list("networks", 1, 8).map((network) =>
      network.done({
        name: network.text("name"),
        clients: network.count("clients", 1, 10),
        staggerMs: network.unit("stagger", parseDurationMs),
        edgeBytesPerSecond: network.unit("edgeRate", parseByteRate),
      })
    ),
  }),
  dns: (act) => ({
    act: "dns",
    ...dnsNames(act),
    ttlSeconds: ttls(act),
    healthIntervalMs: act.unit("healthInterval", parseDurationMs, {
      above: MIN_HEALTH_MS - 1,
    }),
    resolvers: act.count("resolvers", 1, 8),
    clients: act.count("clients", 1, MAX_DNS_CLIENTS),
  }),
  streaming: readStreaming,
  edge: readEdge,
};

/**
 * Reads a scenario.
 *
 * @throws {SyntaxError} If it is no JSON, or a field is missing, unknown or out of range; the message has the line and names the field: `line 7: acts[1].file must be …`.
 */
export function parseScenario(text: string): Scenario {
  const root = new Reader("", parseJsonLines(text));
  const title = root.text("title");
  const acts = root.list("acts", 1, 20).map((act) => {
    const kind = act.choice("act", Object.keys(ACTS) as Act["act"][]);
    return act.done(ACTS[kind](act));
  });
  return root.done({ title, acts });
}

function swarmNumbers(act: Reader): SwarmNumbers {
  const pieceBytes = act.has("pieceLength")
    ? act.unit("pieceLength", parseSizeBytes)
    : 262_144;
  if (Math.log2(pieceBytes) % 1 !== 0 || pieceBytes < 16_384) {
    throw act.error(
      "pieceLength",
      `must be a power of two from 16KiB on, got "${pieceBytes}"`,
    );
  }
  return {
    fileBytes: act.unit("file", parseSizeBytes, { above: 0 }),
    pieceBytes,
    serverBytesPerSecond: act.unit("serverUpload", parseByteRate, { above: 0 }),
    peerBytesPerSecond: act.unit("peerUpload", parseByteRate, { above: 0 }),
  };
}

/** A name of a site and one of its CDN, each in a zone of its own. */
function dnsNames(act: Reader): Pick<DnsAct, "domain" | "cdnDomain"> {
  const [domain, cdnDomain] = ["domain", "cdnDomain"].map((field) => {
    const name = act.text(field).toLowerCase();
    if (/^([a-z0-9-]{1,63}\.){2,}[a-z0-9-]{1,63}$/.test(name)) return name;
    throw act.wrong(
      field,
      "a name in a zone, such as video.kingcdn.example",
      name,
    );
  });
  const zoneOf = (name = "") => name.slice(name.indexOf(".") + 1);
  if (zoneOf(domain) === zoneOf(cdnDomain)) {
    throw act.error("cdnDomain", "must be in another zone than domain");
  }
  return { domain: domain!, cdnDomain: cdnDomain! };
}

function ttls(act: Reader): readonly number[] {
  const list = act.counts("ttlSeconds", 1, MAX_TTLS.seconds);
  if (list.length <= MAX_TTLS.count) return list;
  throw act.error("ttlSeconds", `can be ${MAX_TTLS.count} at most`);
}
