import { counted } from "../../../../lib/core/units.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";
import {
  answered,
  type DnsNetwork,
  type DnsWorld,
  type LocalDns,
  lookedUp,
  startResolver,
  untilTold,
} from "./world.ts";

/** Whom the clients of both networks ask. */
const WAYS = [
  { key: "own", title: "own", name: "a local DNS server in each network" },
  {
    ...{ key: "off", title: "shared, silent" },
    name: "one in the village for both, that tells nobody who asks",
  },
  {
    ...{ key: "add", title: "shared, client subnets" },
    name:
      "one in the village for both, that tells the CDN its client's network",
  },
] as const;

type Way = typeof WAYS[number];

/** What one client was told. */
interface Answer {
  readonly network: string;
  readonly client: string;
  readonly edge: string;
  /** Whether the edge is in the client's network. */
  readonly isOwn: boolean;
}

/** How one of {@linkcode WAYS} went. */
interface Outcome {
  readonly way: Way["key"];
  readonly answers: readonly Answer[];
  /** To the CDN's authority. */
  readonly questions: number;
  /** Whom it chose for. */
  readonly chosenFor: readonly string[];
}

/** Clients of two networks: whose edge they get, and what it takes when both ask the same local DNS server. */
export async function playNetworks(
  act: DnsAct,
  world: DnsWorld,
  stage: Stage,
): Promise<readonly Outcome[]> {
  const [, village] = world.networks;
  stage.part(
    `clients of two networks, and a shared local DNS server in the ${village.name}`,
  );
  const shared = await Promise.all(
    (["off", "add"] as const).map((key, at) =>
      startResolver(`shared-dns-${key}`, `${village.prefix}${8 + at}`, {
        ...{ root: world.authorities[0], stage },
        flags: ["--client-subnets", key],
      })
    ),
  );
  const outcomes: Outcome[] = [];
  for (const [at, way] of WAYS.entries()) {
    const resolverOf = ({ resolver }: DnsNetwork) => shared[at - 1] ?? resolver;
    outcomes.push(await askAll(way, resolverOf, { act, world, stage }));
  }
  await stage.end(...shared.map(({ player }) => player));
  check(outcomes, { village, stage });
  stage.sections.push(...sectionsOf(outcomes, world.networks));
  return outcomes;
}

/** A client of each network asks, one after the other. */
async function askAll(
  { key }: Way,
  resolverOf: (network: DnsNetwork) => LocalDns,
  { act, world, stage }: {
    readonly act: DnsAct;
    readonly world: DnsWorld;
    readonly stage: Stage;
  },
): Promise<Outcome> {
  const [, , { player: cdn }] = world.authorities;
  const seen = cdn.all("edge.selected").length;
  const answers: Answer[] = [];
  let questions = 0;
  for (const [at, network] of world.networks.entries()) {
    const client = `${network.prefix}${10 + at}`;
    const { player: resolver, at: resolverAt } = resolverOf(network);
    const before = answered(world);
    const asking = stage.start(`${network.name}-${key}`, [
      ...["dns-redirector", "--query", act.cdnDomain, "--json"],
      ...["--at", resolverAt, "--host", client],
    ]);
    const edge = await lookedUp(asking, stage);
    const { messages } = await untilTold(client, {
      ...{ resolver, world, before, stage },
    });
    questions += messages.at(-1)!;
    const isOwn = edge === network.edgeHost;
    answers.push({ network: network.name, client, edge, isOwn });
    stage.say(
      asking.name,
      `${client} asks ${resolverAt}, and is sent to ${edge}`,
    );
  }
  const chosenFor = cdn.all("edge.selected").slice(seen)
    .map(({ client }) => client);
  return { way: key, answers, questions, chosenFor };
}

function check(
  outcomes: readonly Outcome[],
  { village, stage }: {
    readonly village: DnsNetwork;
    readonly stage: Stage;
  },
): void {
  const [own, off, add] = outcomes;
  if (own === undefined || off === undefined || add === undefined) return;
  const told = ({ answers }: Outcome) =>
    answers.map(({ network, edge }) => `${network} → ${edge}`).join(", ");
  stage.check(
    "with a local DNS server of their own the clients of each network get the edge in it",
    own.answers.every(({ isOwn }) => isOwn),
    told(own),
  );
  stage.check(
    "with one for both, silent about its clients, all get the edge near that server",
    off.answers.every(({ edge }) => edge === village.edgeHost),
    `${told(off)}: the CDN knows ${off.chosenFor.join(", ")} alone`,
  );
  stage.check(
    "with client subnets (RFC 7871) it gives each client the edge in its network",
    add.answers.every(({ isOwn }) => isOwn),
    `${told(add)}; ${
      counted(add.questions, "question")
    } to the CDN instead of ${off.questions}`,
  );
}

function sectionsOf(
  outcomes: readonly Outcome[],
  networks: readonly DnsNetwork[],
): Stage["sections"] {
  return [
    {
      kind: "chart",
      heading: "DNS: which edge a network's client gets",
      file: "dns-networks",
      chart: {
        kind: "heat",
        ...{ rowLabel: "client in", columnLabel: "edge in" },
        rows: networks.map(({ name }) => name),
        columns: networks.map(({ name }) => name),
        scale: { name: "Share of the answers", max: 100, unit: " %" },
        panels: outcomes.map(({ way, answers }) => ({
          title: WAYS.find(({ key }) => key === way)!.title,
          cells: answers.map(({ edge }) =>
            networks.map(({ edgeHost }) => edge === edgeHost ? 100 : 0)
          ),
        })),
      },
      note: WAYS.map(({ title, name }) => `${title}: ${name}`).join("; ") + ".",
    },
    {
      kind: "table",
      heading: "DNS: whom clients of two networks ask, and what they get",
      columns: [
        ...["local DNS server", "client", "edge", "in its network"],
        ...["questions to the CDN", "chosen for"],
      ],
      rows: outcomes.flatMap(({ way, answers, questions, chosenFor }) =>
        answers.map(({ client, edge, isOwn }, at) => [
          ...[WAYS.find(({ key }) => key === way)!.title, client],
          ...[edge, isOwn ? "yes" : "no"],
          ...at > 0 ? ["", ""] : [questions, chosenFor.join(", ") || "–"],
        ])
      ),
      note:
        "Questions of both clients together; none when the answer of a moment ago still holds.",
    },
  ];
}
