import type { Rng } from "../core/rng.ts";

/** Draws up to `count` of `hosts` by lot, none twice: what a tracker tells a newcomer (BEP 3, `numwant`). */
export function introductions<T>(
  hosts: readonly T[],
  count: number,
  rng: Rng,
): readonly T[] {
  if (hosts.length <= count) return hosts;
  const drawn = new Set<T>();
  while (drawn.size < count) {
    drawn.add(hosts[Math.floor(rng() * hosts.length)]!);
  }
  return [...drawn];
}

/**
 * Whom each of `hosts`, who come all at once, is told of: of `count` others, and as many are told of it. A tracker tells of
 * 50, and each has its 50 to 80 connections; where a simulation can afford but a few for each, by lot one would have four
 * times as many as another, and wait for its last piece as no real peer does. So each is told of who comes after it in
 * `count` rings, each in an order of its own.
 *
 * @returns For each of `hosts`, in their order, nobody twice; all before it when they are so few that everyone can know everyone.
 */
export function evenIntroductions<T>(
  hosts: readonly T[],
  count: number,
  rng: Rng,
): readonly (readonly T[])[] {
  if (2 * count >= hosts.length - 1) {
    return hosts.map((_, at) => hosts.slice(0, at));
  }
  const told = hosts.map(() => new Set<T>());
  const ring = hosts.map((_, at) => at);
  for (let rings = 0; rings < count; rings++) {
    for (let at = ring.length - 1; at > 0; at--) {
      const other = Math.floor(rng() * (at + 1));
      [ring[at], ring[other]] = [ring[other]!, ring[at]!];
    }
    for (const [at, who] of ring.entries()) {
      told[who]!.add(hosts[ring[(at + 1) % ring.length]!]!);
    }
  }
  return told.map((others) => [...others]);
}
