import { assert, assertEquals } from "@std/assert";
import { type Host, layoutOf, SwarmWorld } from "../support/swarm_world.ts";

const MIB = 2 ** 20;

/** The run's seed: ROLECALL_SEED repeats one that failed. */
function seedOf(fallback: number): number {
  return Number(Deno.env.get("ROLECALL_SEED") ?? fallback);
}

interface Experiment {
  readonly world: SwarmWorld;
  readonly source: Host;
  readonly leeches: readonly Host[];
  /** When the last of them had the file, beside the lecture's bound. */
  readonly ratio: number;
  readonly note: string;
}

/** One seed and `count` leeches that join together, all with limited uploads. */
function distribute(options: {
  readonly count: number;
  readonly fileMib: number;
  readonly sourceMibPerSecond: number;
  readonly peerMibPerSecond: number;
  readonly seed: number;
  readonly freeRiders?: number;
}): Experiment {
  const { count, fileMib, sourceMibPerSecond: us, peerMibPerSecond: u, seed } =
    options;
  const world = new SwarmWorld(layoutOf(fileMib * MIB, 65_536), { seed });
  const source = world.add({ seed: true, uploadBytesPerSecond: us * MIB });
  const leeches: Host[] = [];
  for (let at = 0; at < count; at++) {
    const leech = world.add({
      uploadBytesPerSecond: u * MIB,
      // A short file needs short rounds.
      chokeIntervalMs: 2_000,
      optimisticIntervalMs: 6_000,
      freeRide: at >= count - (options.freeRiders ?? 0),
    });
    world.introduce(leech, [source, ...leeches]);
    leeches.push(leech);
  }
  world.run(
    600_000,
    () => leeches.every((leech) => leech.completedAtMs < Infinity),
  );
  const lastMs = Math.max(...leeches.map((leech) => leech.completedAtMs));
  const boundMs = Math.max(fileMib / us, count * fileMib / (us + count * u)) *
    1000;
  const ratio = lastMs / boundMs;
  return {
    world,
    source,
    leeches,
    ratio,
    note: `ratio ${ratio.toFixed(3)}, seed ${seed}`,
  };
}

Deno.test("a swarm of 1 seed and 4 leeches is within 8 % of the lecture's bound", () => {
  const seed = seedOf(11);
  const { ratio, source, note } = distribute({
    count: 4,
    fileMib: 8,
    sourceMibPerSecond: 2,
    peerMibPerSecond: 2,
    seed,
  });
  assert(ratio <= 1.08 && ratio >= 0.99, note);
  const copies = source.swarm.status.uploadedBytes / (8 * MIB);
  assert(
    copies < 1.1,
    `the seed sent ${copies} copies where 1 is enough, ${note}`,
  );
});

Deno.test("a swarm whose seed has ten times the upload of a peer is within 12 % of the bound with 10 leeches", () => {
  const { ratio, note } = distribute({
    count: 10,
    fileMib: 5,
    sourceMibPerSecond: 10,
    peerMibPerSecond: 1,
    seed: seedOf(12),
  });
  assert(ratio <= 1.12 && ratio >= 0.99, note);
});

Deno.test("free riders finish after those who give", () => {
  const { leeches, note } = distribute({
    count: 10,
    fileMib: 8,
    sourceMibPerSecond: 4,
    peerMibPerSecond: 1,
    seed: seedOf(13),
    freeRiders: 3,
  });
  const mean = (hosts: readonly Host[]) =>
    hosts.reduce((sum, host) => sum + host.completedAtMs, 0) / hosts.length;
  const [free, giving] = [mean(leeches.slice(-3)), mean(leeches.slice(0, -3))];
  assert(free > 1.1 * giving, `${free} ms and ${giving} ms, ${note}`);
});

Deno.test("a swarm completes although the seed leaves when the first copy is out", () => {
  const seed = seedOf(14);
  const world = new SwarmWorld(layoutOf(8 * MIB), { seed });
  const source = world.add({ seed: true, uploadBytesPerSecond: 2 * MIB });
  const leeches = Array.from(
    { length: 4 },
    () => world.add({ uploadBytesPerSecond: 2 * MIB }),
  );
  for (const [at, leech] of leeches.entries()) {
    world.introduce(leech, [source, ...leeches.slice(0, at)]);
  }
  world.run(60_000, () => source.swarm.status.uploadedBytes >= 8.5 * MIB);
  world.remove(source);
  world.run(
    120_000,
    () => leeches.every((leech) => leech.completedAtMs < Infinity),
  );
  assertEquals(leeches.map((leech) => leech.swarm.status.havePieces), [
    32,
    32,
    32,
    32,
  ], `seed ${seed}`);
});
