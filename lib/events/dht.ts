import { counted, formatMs } from "../core/units.ts";
import type { EventTable } from "./table.ts";

/**
 * What a node of the DHT (BEP 5) and the search on the LAN (BEP 14) can say. `nodeId` is ours, `node` another's, both in
 * hex; `sharedBits` is how many leading bits two ids have in common: each one more halves the distance.
 */
export type DhtEvent =
  | {
    readonly type: "dht.joined";
    readonly nodeId: string;
    readonly family: string;
    readonly nodes: number;
    readonly asked: number;
    readonly steps: number;
    readonly durationMs: number;
  }
  | {
    readonly type: "dht.failed";
    readonly message: string;
    readonly retryMs: number;
  }
  | {
    readonly type: "dht.met";
    readonly node: string;
    readonly remote: string;
    readonly sharedBits: number;
    readonly nodes: number;
  }
  | {
    readonly type: "dht.answered";
    readonly infoHash: string;
    readonly node: string;
    readonly remote: string;
    readonly step: number;
    readonly sharedBits: number;
    readonly nodes: number;
    readonly peers: number;
  }
  | {
    readonly type: "dht.searched";
    readonly infoHash: string;
    readonly asked: number;
    readonly answered: number;
    readonly steps: number;
    readonly sharedBits: number;
    readonly peers: number;
    readonly durationMs: number;
    readonly nextMs: number;
  }
  | {
    readonly type: "dht.announced";
    readonly infoHash: string;
    readonly nodes: number;
    readonly refused: number;
  }
  | {
    readonly type: "dht.stored";
    readonly infoHash: string;
    readonly remote: string;
    readonly peers: number;
  }
  | {
    readonly type: "lsd.announced";
    readonly infoHash: string;
    readonly group: string;
    readonly nextMs: number;
  }
  | {
    readonly type: "lsd.heard";
    readonly infoHash: string;
    readonly remote: string;
  }
  | { readonly type: "lsd.failed"; readonly message: string };

/** See {@linkcode DhtEvent}. */
export const DHT_EVENTS: EventTable<DhtEvent> = {
  "dht.joined": {
    level: "info",
    labels: ["family"],
    text: (e) =>
      `joined the ${
        e.family === "ipv6" ? "IPv6 " : ""
      }DHT as ${e.nodeId}: knows ${counted(e.nodes, "node")} after asking ${
        counted(e.asked, "node")
      } in ${counted(e.steps, "step")}, ${formatMs(e.durationMs)}`,
  },
  "dht.failed": {
    level: "warn",
    text: (e) => `${e.message}; next try in ${formatMs(e.retryMs)}`,
  },
  "dht.met": {
    level: "info",
    text: (e) =>
      `DHT node ${e.remote} (${
        short(e.node)
      }) is in the routing table: its id shares ${
        counted(e.sharedBits, "bit")
      } with ours; the table has ${counted(e.nodes, "node")}`,
  },
  "dht.answered": {
    level: "info",
    text: (e) =>
      `DHT step ${e.step} towards ${short(e.infoHash)}: ${e.remote} (${
        short(e.node)
      }, ${counted(e.sharedBits, "bit")} in common) knows ${
        counted(e.peers, "peer")
      } and names ${counted(e.nodes, "node")}`,
  },
  "dht.searched": {
    level: "info",
    text: (e) =>
      `DHT search for ${short(e.infoHash)} found ${
        counted(e.peers, "peer")
      }: ${e.answered} of ${counted(e.asked, "node")} answered in ${
        counted(e.steps, "step")
      }, the nearest has ${counted(e.sharedBits, "bit")} in common, ${
        formatMs(e.durationMs)
      }; next search in ${formatMs(e.nextMs)}`,
  },
  "dht.announced": {
    level: "info",
    text: (e) =>
      `${counted(e.nodes, "DHT node")} now ${
        e.nodes === 1 ? "stores" : "store"
      } that we share ${short(e.infoHash)}${
        e.refused === 0 ? "" : `; ${e.refused} did not take it`
      }`,
  },
  "dht.stored": {
    level: "info",
    text: (e) =>
      `stored for the DHT that ${e.remote} shares ${short(e.infoHash)}: ${
        counted(e.peers, "entry", "entries")
      } with us`,
  },
  "lsd.announced": {
    level: "info",
    text: (e) =>
      `asked the LAN (${e.group}) who shares ${short(e.infoHash)}; again in ${
        formatMs(e.nextMs)
      }`,
  },
  "lsd.heard": {
    level: "info",
    text: (e) =>
      `${e.remote} says on the LAN that it shares ${short(e.infoHash)}`,
  },
  "lsd.failed": {
    level: "warn",
    text: (e) => e.message,
  },
};

/** The start of an id: enough to tell a class's nodes apart. */
function short(id: string): string {
  return `${id.slice(0, 8)}…`;
}
