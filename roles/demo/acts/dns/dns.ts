import { counted } from "../../../../lib/core/units.ts";
import type { DnsAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";
import { playFailingEdge } from "./failover.ts";
import { playNetworks } from "./networks.ts";
import { playWalk } from "./walk.ts";
import { startDnsWorld } from "./world.ts";

/** How a name becomes an edge: the steps of one question, whose edge it is, and what the TTL is for. */
export async function playDns(act: DnsAct, stage: Stage): Promise<void> {
  stage.begin(
    "dns",
    `DNS: the way from a name to an edge, two networks, and an edge that dies under ${
      counted(act.clients, "client")
    } (TTL ${act.ttlSeconds.map((ttl) => `${ttl} s`).join(", ")})`,
  );
  if (stage.isFar) {
    stage.say(
      "dns",
      "played on this machine: its geography is made of loopback addresses",
    );
  }
  const world = await startDnsWorld(act, stage);
  const walk = await playWalk(act, world, stage);
  const networks = await playNetworks(act, world, stage);
  const failover = await playFailingEdge(act, world, stage);
  stage.figures.push({ act: "dns", walk, networks, failover });
  await stage.end(
    ...world.networks.flatMap(({ edge, resolver }) => [resolver.player, edge]),
    ...world.authorities.map(({ player }) => player),
    world.origin,
  );
}
