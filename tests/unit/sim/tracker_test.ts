import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { evenIntroductions } from "../../../lib/sim/tracker.ts";
import { layoutOf, SwarmWorld } from "../../support/swarm_world.ts";

function hostsOf(count: number) {
  const world = new SwarmWorld(layoutOf(1), { seed: 1, blank: true });
  return Array.from({ length: count }, () => world.add());
}

Deno.test("evenIntroductions tells each of as many as are told of it, by lot and nobody of itself", () => {
  const hosts = hostsOf(200);
  const told = evenIntroductions(hosts, 6, seededRng(3));
  const named = new Map(hosts.map((host) => [host, 0]));
  for (const [at, others] of told.entries()) {
    // By chance two rings may have the same neighbours.
    assert(others.length >= 4 && others.length <= 6, `${others.length}`);
    assertEquals(new Set(others).size, others.length);
    assert(!others.includes(hosts[at]!));
    for (const other of others) named.set(other, named.get(other)! + 1);
  }
  for (const times of named.values()) assert(times >= 4 && times <= 6);
  assertEquals(told, evenIntroductions(hosts, 6, seededRng(3)));
  const orders = new Set(told.map(([first], at) => first!.index - at));
  assert(orders.size > 50, "by lot");
});

Deno.test("evenIntroductions has few know everyone, each told of those before it", () => {
  const hosts = hostsOf(5);
  assertEquals(
    evenIntroductions(hosts, 6, seededRng(1)).map((others) => others.length),
    [0, 1, 2, 3, 4],
  );
});
