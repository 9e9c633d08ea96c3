import { formatMs } from "../../../../lib/core/units.ts";
import { LinkedAbort, OVER } from "../../../../lib/io/linked_abort.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";
import { CachingClient } from "./caching_client.ts";
import { reportFailingEdge, type TtlOutcome } from "./failover_report.ts";
import { type DnsWorld, nameOfTtl, startResolver } from "./world.ts";

/** From a client's visit to its next, and how many visits a second all may make together. */
const VISIT_MS = 250;
const VISITS_PER_SECOND = 200;
/** All clients have moved so much later than they should, or the act is given up. */
const PATIENCE_MS = 10_000;
/** How often is looked whether they have. */
const LOOK_MS = 100;

/** The clients of one TTL. */
interface Crowd {
  readonly ttlSeconds: number;
  readonly name: string;
  readonly clients: readonly CachingClient[];
}

/** An edge dies while clients use it, by answers with different TTLs: when is it out, when has everybody moved, and what does that cost? */
export async function playFailingEdge(
  act: DnsAct,
  world: DnsWorld,
  stage: Stage,
): Promise<
  { readonly outMs: number; readonly outcomes: readonly TtlOutcome[] }
> {
  const { clock } = stage.ctx;
  const [campus] = world.networks;
  stage.part(
    `the edge of the ${campus.name} dies; TTL ${
      act.ttlSeconds.map((ttl) => `${ttl} s`).join(" beside ")
    }, a check every ${act.healthIntervalMs} ms`,
  );
  const crowds = await gather(act, world, stage);
  const deadHost = campus.edgeHost;
  const startedAtMs = clock.nowMs();
  const running = start(crowds, act, stage);
  try {
    const dead = await switchOff(act, world, stage);
    await untilMoved(crowds, { act, stage, deadHost, ...dead });
    const lastedMs = clock.nowMs() - startedAtMs;
    const asked = world.authorities[2].player.all("edge.selected");
    const outcomes = crowds.map((crowd): TtlOutcome => ({
      ...outcomeOf(crowd, { deadHost, ...dead }),
      questions: asked.filter(({ question }) => question === crowd.name).length,
    }));
    reportFailingEdge(outcomes, {
      ...{ act, stage, lastedMs, everyMs: everyMs(act) },
      ...dead,
      lateMs: Math.max(
        ...crowds.flatMap(({ clients }) => clients.map((one) => one.latestMs)),
      ),
    });
    return { outMs: dead.outMs, outcomes };
  } finally {
    await running[Symbol.asyncDispose]();
  }
}

/** When the edge was switched off, and when its checks had found out. */
interface Dead {
  readonly diedAtMs: number;
  readonly outMs: number;
  readonly silentMs: number;
}

/** Waits until the clients of all local DNS servers are there, and switches the edge off. */
async function switchOff(
  act: DnsAct,
  { networks: [{ name, edge, edgeHost }], authorities: [, , cdn] }: DnsWorld,
  stage: Stage,
): Promise<Dead> {
  const { clock, signal } = stage.ctx;
  // The first of them have just asked again: their answers are the last to lead to it
  const rampMs = 1000 * act.ttlSeconds.at(-1)! + 2 * everyMs(act);
  stage.say(
    "clients",
    `they come one after the other; the edge dies in ${formatMs(rampMs)}`,
  );
  await clock.sleepUntil(clock.nowMs() + rampMs, signal);
  const diedAtMs = clock.nowMs();
  const diedAtWallMs = clock.wallMs();
  await stage.end(edge);
  stage.say(`edge-${name}`, "switched off");
  const { time, silentMs } = await cdn.player.until(
    "edge.failed",
    ({ host, time }) => host === edgeHost && Date.parse(time) >= diedAtWallMs,
  );
  stage.say(cdn.player.name, `${edgeHost} is out by its checks`);
  const outMs = Date.parse(time) - diedAtWallMs;
  return { diedAtMs, outMs, silentMs: Math.round(silentMs) };
}

/** Local DNS servers of the network, the clients of each TTL shared out among them. */
async function gather(
  act: DnsAct,
  world: DnsWorld,
  stage: Stage,
): Promise<readonly Crowd[]> {
  const [{ prefix, name, resolver }] = world.networks;
  const more = await Promise.all(
    Array.from(
      { length: resolversOf(act) - 1 },
      (_, at) =>
        startResolver(`dns-of-${name}-${at + 2}`, `${prefix}${54 + at}`, {
          ...{ root: world.authorities[0], stage },
        }),
    ),
  );
  const resolvers = [resolver, ...more].map(({ address }) => address);
  return act.ttlSeconds.map((ttlSeconds) => ({
    ttlSeconds,
    name: nameOfTtl(act, ttlSeconds),
    clients: Array.from({ length: act.clients }, (_, at) =>
      new CachingClient({
        name: nameOfTtl(act, ttlSeconds),
        address: `${prefix}${100 + at}`,
        resolver: resolvers[at % resolvers.length]!,
        edgePort: world.edgePort,
        everyMs: everyMs(act),
      }, stage.ctx)),
  }));
}

function resolversOf({ resolvers, clients }: DnsAct): number {
  return Math.min(resolvers, clients);
}

function everyMs({ clients, ttlSeconds }: DnsAct): number {
  return Math.max(
    VISIT_MS,
    1000 * clients * ttlSeconds.length / VISITS_PER_SECOND,
  );
}

/**
 * Lets all clients go. Those of each local DNS server begin at another time, so that its answers end at another: over one
 * TTL in all. Disposing of it ends them.
 */
function start(
  crowds: readonly Crowd[],
  act: DnsAct,
  { ctx }: Stage,
): AsyncDisposable {
  const over = new LinkedAbort(ctx.signal);
  const startedAtMs = ctx.clock.nowMs();
  const resolvers = resolversOf(act);
  const running = Promise.all(
    crowds.flatMap(({ ttlSeconds, clients }) =>
      clients.map((client, at) => {
        const share = at % resolvers / resolvers;
        const startsAtMs = startedAtMs + share * 1000 * ttlSeconds;
        return client.run(startsAtMs, over.signal);
      })
    ),
  );
  running.catch(() => {}); // said when they are ended
  return {
    async [Symbol.asyncDispose]() {
      over.abort(OVER);
      await running;
    },
  };
}

async function untilMoved(
  crowds: readonly Crowd[],
  { act, stage, diedAtMs, deadHost }: {
    readonly act: DnsAct;
    readonly stage: Stage;
    readonly diedAtMs: number;
    readonly deadHost: string;
  },
): Promise<void> {
  const { clock, signal } = stage.ctx;
  const endMs = diedAtMs + PATIENCE_MS + 2 * act.healthIntervalMs +
    1000 * act.ttlSeconds.at(-1)!;
  for (;;) {
    let left = 0;
    for (const { ttlSeconds, clients } of crowds) {
      const still = clients.filter(({ edge }) => edge === deadHost).length;
      left += still;
      stage.progress(
        `TTL ${ttlSeconds} s`,
        `${still} of ${clients.length} clients are still sent to the dead edge`,
      );
    }
    if (left === 0 || clock.nowMs() > endMs) return;
    await clock.sleepUntil(clock.nowMs() + LOOK_MS, signal);
  }
}

function outcomeOf(
  { ttlSeconds, clients }: Crowd,
  { diedAtMs, deadHost }: {
    readonly diedAtMs: number;
    readonly deadHost: string;
  },
): Omit<TtlOutcome, "questions"> {
  const after = clients.flatMap(({ visits }) =>
    visits.filter(({ atMs }) => atMs >= diedAtMs)
  );
  const moved = clients.flatMap(({ visits, edge }) => {
    if (edge === deadHost) return [];
    const last = visits.findLastIndex((visit) => visit.edge === deadHost);
    const first = visits[last + 1];
    return first === undefined
      ? []
      : [Math.max(0, Math.round(first.atMs - diedAtMs))];
  });
  return {
    ttlSeconds,
    clients: clients.length,
    movedMs: moved.sort((a, b) => a - b),
    visits: after.length,
    failed: after.filter(({ isServed }) => !isServed).length,
  };
}
