import type { Rng } from "../core/rng.ts";
import type { Host } from "./swarm_world.ts";

/** Draws up to `count` of `hosts` by lot, none twice: what a tracker tells a newcomer (BEP 3, `numwant`). */
export function introductions(
  hosts: readonly Host[],
  count: number,
  rng: Rng,
): readonly Host[] {
  if (hosts.length <= count) return hosts;
  const drawn = new Set<Host>();
  while (drawn.size < count) {
    drawn.add(hosts[Math.floor(rng() * hosts.length)]!);
  }
  return [...drawn];
}
