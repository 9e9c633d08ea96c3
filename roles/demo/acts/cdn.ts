import { counted, formatMs } from "../../../lib/core/units.ts";
import type { CdnAct, CdnNetwork } from "../scenario/scenario.ts";
import type { Player, Stage } from "../stage/stage.ts";
import { reportCdn } from "./cdn_report.ts";
import type {
  Downloaded,
  PlayedNetwork,
  Viewer,
  ViewerSummary,
} from "./viewers.ts";

/** Where the clients of the act's networks live: network i is 127.i.0.0/16. */
const NETWORK_BITS = 16;

/** Small, so that players ask for segments all through the act. */
const PLAYER_BUFFER = "12s";

/** How often the name server checks the edges. A machine that plays all of this may be slow: one check late is no failure. */
const HEALTH = ["--health-interval", "3s", "--health-timeout", "1500ms"];

/** A title plays in several networks: DNS sends each client to the edge in its own network, and the edge fetches each segment once. */
export async function playCdn(act: CdnAct, stage: Stage): Promise<void> {
  stage.begin(
    "cdn",
    `Video: one origin, ${
      counted(act.networks.length, "edge")
    }, DNS in between, ${
      counted(
        act.networks.reduce((sum, { clients }) => sum + clients, 0),
        "player",
      )
    }`,
  );
  const startedAtWallMs = stage.ctx.clock.wallMs();
  const origin = stage.start("origin", [
    ...["origin", "--host", stage.machineHere(), "--port", "0"],
  ]);
  const { host, port } = await origin.until("role.listening");
  const edges = await startEdges(act, `http://${host}:${port}/`, stage);
  const authority = stage.start("authority", [
    ...["dns-redirector", "--host", stage.machineHere(), "--port", "0"],
    ...["--cname", `${act.domain}=${act.cdnDomain}`],
    ...["--domain", act.cdnDomain, "--policy", "geo", "--ttl", "10s"],
    ...["--health-check", "tcp", "--health-port", String(edges[0]!.port)],
    ...HEALTH,
    ...edges.flatMap(({ host, cidr }) => [
      ...["--edge", host, "--site", `${cidr}=${host}`],
    ]),
  ]);
  const dns = await authority.until("role.listening");
  const title = {
    url: `http://${act.domain}:${edges[0]!.port}/manifest.mpd`,
    resolver: `${dns.host}:${dns.port}`,
  };
  const networks = await Promise.all(act.networks.map(async (network, at) => {
    const { edge, host, cidr } = edges[at]!;
    const clients = await playNetwork(network, at, { act, stage, title });
    return { network, cidr, edgeHost: host, edge, clients };
  }));
  reportCdn(networks, authority, { stage, startedAtWallMs });
  const [first, ...others] = networks;
  if (first !== undefined && others.length > 0) {
    await cutOff(first, { act, others, authority, stage, title });
  }
  await stage.end(authority, ...edges.map(({ edge }) => edge), origin);
}

/** The last scene: an edge goes, and the name server sends its clients to another. */
async function cutOff(
  { network, edge, edgeHost }: PlayedNetwork,
  { act, others, authority, stage, title }: {
    readonly act: CdnAct;
    readonly others: readonly PlayedNetwork[];
    readonly authority: Player;
    readonly stage: Stage;
    readonly title: { readonly resolver: string };
  },
): Promise<void> {
  stage.part(`the edge of ${network.name} is switched off`);
  await stage.end(edge);
  const failed = await authority.until(
    "edge.failed",
    ({ host }) => host === edgeHost,
  );
  const asking = stage.start("a-late-viewer", [
    ...["dns-redirector", "--query", act.domain, "--at", title.resolver],
    ...["--host", networkAddress(0, 1), "--json"],
  ]);
  const { addresses } = await stage.result(asking) as {
    readonly addresses: readonly string[];
  };
  stage.check(
    `DNS sends the players of ${network.name} elsewhere when its edge is down`,
    others.some((other) => addresses.includes(other.edgeHost)),
    `${edgeHost} is out ${
      formatMs(failed.silentMs)
    } after the last check it passed; the next answer is ${
      addresses.join(", ")
    }`,
  );
}

/** One edge in each network, all on the same port: the URL of the title has only one. */
async function startEdges(
  act: CdnAct,
  origin: string,
  stage: Stage,
): Promise<
  readonly {
    readonly edge: Player;
    readonly host: string;
    readonly port: number;
    readonly cidr: string;
  }[]
> {
  const edges = [];
  let port = 0;
  for (const [at, network] of act.networks.entries()) {
    const edge = stage.start(`edge-${network.name}`, [
      ...["edge", "--host", stage.machineHere(), "--port", String(port)],
      ...["--origin", origin],
      ...["--limit-rate", `${network.edgeBytesPerSecond}B/s`],
    ]);
    const listening = await edge.until("role.listening");
    port = listening.port;
    edges.push({
      edge,
      host: listening.host,
      port,
      cidr: `${networkAddress(at, 0)}/${NETWORK_BITS}`,
    });
  }
  return edges;
}

/** The clients of one network, each a while after the one before. */
function playNetwork(
  network: CdnNetwork,
  at: number,
  { act, stage, title }: {
    readonly act: CdnAct;
    readonly stage: Stage;
    readonly title: { readonly url: string; readonly resolver: string };
  },
): Promise<readonly Viewer[]> {
  const { clock, signal } = stage.ctx;
  const startedAtMs = clock.nowMs();
  return Promise.all(
    Array.from({ length: network.clients }, async (_, index) => {
      await clock.sleepUntil(startedAtMs + index * network.staggerMs, signal);
      const address = networkAddress(at, index + 1);
      const player = stage.start(`${network.name}-${index + 1}`, [
        ...["dash-client", title.url, "--json"],
        ...["--resolver", title.resolver, "--host", address],
        ...["--duration", `${act.mediaMs}ms`, "--buffer", PLAYER_BUFFER],
      ]);
      player.role.subscribe((event) => {
        if (event.type === "segment.downloaded") {
          stage.progress(player.name, describe(event));
        }
      });
      const summary = await stage.result(player) as ViewerSummary;
      return {
        ...{ player, address, summary },
        segments: player.all("segment.downloaded"),
      };
    }),
  );
}

function networkAddress(at: number, host: number): string {
  return `127.${at + 1}.0.${host}`;
}

function describe(event: Downloaded): string {
  return `segment ${event.segmentNumber} in ${event.height}p from ${event.server} (${
    event.cacheStatus.split(";")[1]?.trim() ?? "no cache"
  }), buffer ${(event.bufferMs / 1000).toFixed(1)} s`;
}
