import { join } from "@std/path";
import { formatHostPort } from "../../../../lib/core/address.ts";
import { RunError } from "../../../../lib/core/errors.ts";
import type { RecordOf } from "../../../../lib/events/mod.ts";
import type { Address } from "../../../../lib/io/net.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Player, Stage } from "../../stage/stage.ts";

/** How long an answer about {@linkcode DnsAct.cdnDomain} holds: a few programs start meanwhile, and nobody waits for long. */
export const WALK_TTL_SECONDS = 3;

/** Longest wait for the events of servers that have answered: these come by another way than the answer. */
const SETTLE_MS = 2000;
const SETTLE_STEP_MS = 20;

/** One authority. */
export interface Authority {
  /** What it is called in tables: `root`, or its zone. */
  readonly label: string;
  readonly host: string;
  readonly player: Player;
}

/** The first of them. All others listen on its port, as those of the world do on 53. */
export interface Root extends Authority {
  readonly port: number;
  /** Where the servers of the zones below it are. */
  readonly siteHost: string;
  readonly cdnHost: string;
}

/** A network of clients with an edge and a local DNS server of its own. */
export interface DnsNetwork {
  readonly name: string;
  /** Its addresses begin so: `127.1.0.`. */
  readonly prefix: string;
  readonly cidr: string;
  readonly edge: Player;
  readonly edgeHost: string;
  readonly resolver: LocalDns;
}

/** A local DNS server, and where it listens. */
export interface LocalDns {
  readonly player: Player;
  readonly address: Address;
  /** The same as `host:port`. */
  readonly at: string;
}

/** Everything between a name and an edge. */
export interface DnsWorld {
  readonly origin: Player;
  /** The root, the site's, the CDN's. */
  readonly authorities: readonly [Root, Authority, Authority];
  /** Two: the campus, and the village. */
  readonly networks: readonly [DnsNetwork, DnsNetwork];
  /** The port of every edge. */
  readonly edgePort: number;
}

/** The name whose answer holds for `ttlSeconds`. */
export function nameOfTtl(act: DnsAct, ttlSeconds: number): string {
  return `ttl-${ttlSeconds}s.${zoneOf(act.cdnDomain)}`;
}

/** The zone a name is in: all behind its first label. */
export function zoneOf(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}

/** Starts an origin, two edges, three authorities, and a local DNS server in each network; what waits for nothing at the same time. */
export async function startDnsWorld(
  act: DnsAct,
  stage: Stage,
): Promise<DnsWorld> {
  const origin = stage.start("origin", [
    ...["origin", "--host", stage.machineHere(), "--port", "0"],
  ]);
  const root = await startRoot(act, stage);
  const { host, port } = await origin.until("role.listening");
  const url = `http://${host}:${port}/`;
  const campus = await startEdge("campus", { at: 1, port: "0", url, stage });
  const edgePort = campus.port;
  const village = await startEdge("village", {
    ...{ at: 2, port: String(edgePort), url, stage },
  });
  const edges = [campus, village] as const;
  const [site, cdn, ofCampus, ofVillage] = await Promise.all([
    startSite(act, root, stage),
    startCdn(act, root, { edges, edgePort, stage }),
    startResolver("dns-of-campus", `${campus.prefix}53`, { root, stage }),
    startResolver("dns-of-village", `${village.prefix}53`, { root, stage }),
  ]);
  return {
    ...{ origin, authorities: [root, site, cdn], edgePort },
    networks: [
      { ...campus, resolver: ofCampus },
      { ...village, resolver: ofVillage },
    ],
  };
}

/** The root, which knows where the servers of the zones below it will be. */
async function startRoot(act: DnsAct, stage: Stage): Promise<Root> {
  const host = stage.machineHere();
  const siteHost = stage.machineHere();
  const cdnHost = stage.machineHere();
  const below = [
    { zone: zoneOf(act.domain), host: siteHost },
    { zone: zoneOf(act.cdnDomain), host: cdnHost },
  ];
  const root = await startAuthority("root", host, {
    ...{ stage, port: 0, zone: rootZone(below, host) },
  });
  const { port } = await root.player.until("role.listening");
  return { ...root, port, siteHost, cdnHost };
}

/** The site's server has an alias to give, and no address. */
async function startSite(
  act: DnsAct,
  { port, siteHost }: Root,
  stage: Stage,
): Promise<Authority> {
  const zone = siteZone(act, siteHost);
  const site = await startAuthority(zoneOf(act.domain), siteHost, {
    ...{ stage, port, zone },
  });
  await site.player.until("role.listening");
  return site;
}

/** The CDN's server chooses an edge for each client, of those that its checks find there. */
async function startCdn(
  act: DnsAct,
  { port, cdnHost }: Root,
  { edges, edgePort, stage }: {
    readonly edges: readonly Pick<DnsNetwork, "cidr" | "edgeHost">[];
    readonly edgePort: number;
    readonly stage: Stage;
  },
): Promise<Authority> {
  const cdn = await startAuthority(zoneOf(act.cdnDomain), cdnHost, {
    ...{ stage, port, zone: cdnZone(act, cdnHost, edges) },
    flags: [
      ...["--policy", "geo"],
      ...edges.flatMap(({ cidr, edgeHost }) => [
        ...["--site", `${cidr}=${edgeHost}`],
      ]),
      ...["--health-check", "tcp", "--health-port", String(edgePort)],
      ...["--health-interval", `${act.healthIntervalMs}ms`],
    ],
  });
  await cdn.player.until("role.listening");
  return cdn;
}

/** A local DNS server: authorities know it by the address that its clients know it by. */
export async function startResolver(
  name: string,
  address: string,
  { root, stage, flags = [] }: {
    readonly root: Root;
    readonly stage: Stage;
    readonly flags?: readonly string[];
  },
): Promise<LocalDns> {
  const player = stage.start(name, [
    ...["dns-redirector", "--recursive", "--host", address, "--port", "0"],
    ...[
      "--ask-from",
      address,
      "--root-hint",
      `a.root=${root.host}:${root.port}`,
    ],
    ...flags,
  ]);
  const listening = await player.until("role.listening");
  const at = { host: listening.host, port: listening.port };
  return { player, address: at, at: formatHostPort(at) };
}

/** How many questions each authority has answered so far, as they say themselves. */
export function answered({ authorities }: DnsWorld): readonly number[] {
  return authorities.map(({ player }) =>
    player.all("query.answered").length + player.all("edge.selected").length
  );
}

/** Waits until `host` has its answer of a local DNS server. Also returns what each authority was asked since there were `before`. */
export async function untilTold(
  host: string,
  { resolver, world, before, stage }: {
    readonly resolver: Player;
    readonly world: DnsWorld;
    readonly before: readonly number[];
    readonly stage: Stage;
  },
): Promise<
  {
    readonly finished: RecordOf<"recursion.finished">;
    readonly messages: readonly number[];
  }
> {
  const { clock, signal } = stage.ctx;
  const finished = await resolver.until(
    "recursion.finished",
    ({ remote }) => remote.startsWith(`${host}:`),
  );
  const since = () => answered(world).map((count, at) => count - before[at]!);
  const endMs = clock.nowMs() + SETTLE_MS;
  while (sum(since()) < finished.sentMessages && clock.nowMs() < endMs) {
    await clock.sleepUntil(clock.nowMs() + SETTLE_STEP_MS, signal);
  }
  return { finished, messages: since() };
}

/** All of them together. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** The result of a look-up by a program of its own. @throws {RunError} If it got no address. */
export async function lookedUp(
  player: Player,
  stage: Stage,
): Promise<string> {
  const { addresses: [address], rcode } = await stage.result(player) as {
    readonly addresses: readonly string[];
    readonly rcode: string;
  };
  if (address !== undefined) return address;
  throw new RunError("lookup-failed", `${player.name} was told ${rcode}`);
}

async function startAuthority(
  label: string,
  host: string,
  { stage, port, zone, flags = [] }: {
    readonly stage: Stage;
    readonly port: number;
    readonly zone: readonly string[];
    readonly flags?: readonly string[];
  },
): Promise<Authority> {
  const path = join(stage.folder, `${label}.zone`);
  await stage.ctx.files.writeAtomic(
    path,
    new TextEncoder().encode(`${zone.join("\n")}\n`),
  );
  const player = stage.start(`dns-${label}`, [
    ...["dns-redirector", "--host", host, "--port", String(port)],
    ...["--zone", path, ...flags],
  ]);
  return { label, host, player };
}

async function startEdge(
  name: string,
  { at, port, url, stage }: {
    readonly at: number;
    readonly port: string;
    readonly url: string;
    readonly stage: Stage;
  },
) {
  const edge = stage.start(`edge-${name}`, [
    ...["edge", "--host", stage.machineHere(), "--port", port],
    ...["--origin", url],
  ]);
  const listening = await edge.until("role.listening");
  return {
    ...{ name, edge, edgeHost: listening.host, port: listening.port },
    prefix: `127.${at}.0.`,
    cidr: `127.${at}.0.0/16`,
  };
}

/** What every zone has at its top. */
function top(origin: string, ns: string, host: string): readonly string[] {
  return [
    `$ORIGIN ${origin}`,
    `@ 300 SOA ${ns} hostmaster.${ns} 1 1d 2h 4w 60`,
    `@ 300 NS ${ns}`,
    `${ns} 300 A ${host}`,
  ];
}

function rootZone(
  below: readonly { readonly zone: string; readonly host: string }[],
  host: string,
): readonly string[] {
  return [
    ...top(".", "a.root.", host),
    ...below.flatMap(({ zone, host }) => [
      `${zone}. 300 NS ns.${zone}.`,
      `ns.${zone}. 300 A ${host}`,
    ]),
  ];
}

function siteZone(act: DnsAct, host: string): readonly string[] {
  const zone = zoneOf(act.domain);
  return [
    ...top(`${zone}.`, `ns.${zone}.`, host),
    `${act.domain}. 300 CNAME ${act.cdnDomain}.`,
  ];
}

function cdnZone(
  act: DnsAct,
  host: string,
  edges: readonly { readonly edgeHost: string }[],
): readonly string[] {
  const zone = zoneOf(act.cdnDomain);
  const names = [
    [act.cdnDomain, WALK_TTL_SECONDS] as const,
    ...act.ttlSeconds.map((ttl) => [nameOfTtl(act, ttl), ttl] as const),
  ];
  return [
    ...top(`${zone}.`, `ns.${zone}.`, host),
    ...names.flatMap(([name, ttlSeconds]) =>
      edges.map(({ edgeHost }) => `${name}. ${ttlSeconds} A ${edgeHost}`)
    ),
  ];
}
