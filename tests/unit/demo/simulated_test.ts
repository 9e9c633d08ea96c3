import { assert, assertEquals } from "@std/assert";
import type {
  Member,
  SwarmOutcome,
  SwarmPlan,
} from "../../../roles/demo/swarm/cast.ts";
import { roundsOf, servicesOf } from "../../../roles/demo/acts/choke_matrix.ts";
import { findStory } from "../../../roles/demo/acts/story.ts";
import { Pauses } from "../../../roles/demo/swarm/pauses.ts";
import { simulateSwarm } from "../../../roles/demo/swarm/virtual_swarm.ts";

const MIB = 2 ** 20;

/** A seed that the test describes, and peers that stay. */
function plan(
  seed: Partial<Member>,
  leeches: readonly Partial<Member>[],
  options: Partial<SwarmPlan> = {},
): SwarmPlan {
  const member = { joinsAtMs: 0, leaves: { kind: "never" } } as const;
  return {
    ...{ fileBytes: MIB, pieceBytes: 16_384, slots: 4 },
    ...{ chokeIntervalMs: 2_000, optimisticIntervalMs: 6_000 },
    endsAtMs: 120_000,
    members: [
      {
        ...{ name: "seed", isSeed: true, ...member },
        ...{ uploadBytesPerSecond: MIB / 8, ...seed },
      },
      ...leeches.map((leech, at) => ({
        ...{ name: `p${at}`, isSeed: false, ...member },
        ...{ uploadBytesPerSecond: MIB / 16, ...leech },
      })),
    ],
    ...options,
  };
}

function shares(outcome: SwarmOutcome): readonly number[] {
  return outcome.members.filter(({ member }) => !member.isSeed)
    .map(({ share }) => share);
}

Deno.test("simulateSwarm gives the same outcome for the same seed, another for another", async () => {
  const swarm = plan(
    { plainSeed: true },
    Array.from({ length: 6 }, () => ({})),
  );
  const [a, b, c] = await Promise.all(
    [7, 7, 8].map((seed) => simulateSwarm(swarm, seed)),
  );
  assertEquals(a!.members, b!.members);
  assertEquals(a!.availability, b!.availability);
  assert(JSON.stringify(a!.availability) !== JSON.stringify(c!.availability));
  assertEquals(a!.end, "complete");
  // Nothing is faster than the seed can send one copy: 8 s, less a full bucket and a block.
  assert(a!.endedAtMs > 7_700, `${a!.endedAtMs}`);
});

Deno.test("simulateSwarm pauses, also while its peers come in, and that changes nothing", async () => {
  let taken = 0;
  let nowMs = 0;
  const pauses = new Pauses({
    clock: {
      wallMs: () => 0,
      bootedAtWallMs: () => 0,
      // Whenever it is asked whether a pause is due, one is.
      nowMs: () => nowMs += 1_000,
      sleepUntil: () => {
        taken += 1;
        return Promise.resolve();
      },
    },
    signal: new AbortController().signal,
  });
  const swarm = plan({}, Array.from({ length: 20 }, () => ({})), {
    endsAtMs: 2_000,
  });
  const steady = await simulateSwarm(swarm, 7);
  let before: number | undefined;
  const last = {
    ...swarm.members.at(-1)!,
    get uploadBytesPerSecond() {
      before ??= taken;
      return MIB / 16;
    },
  };
  const halting = await simulateSwarm(
    { ...swarm, members: swarm.members.with(-1, last) },
    7,
    pauses,
  );
  assertEquals(halting.availability, steady.availability);
  assertEquals(shares(halting), shares(steady));
  // One before each of the 20 that come while nothing else happens.
  assertEquals(before, 20);
});

Deno.test("simulateSwarm loses what a seed takes with it, and says so instead of waiting for ever", async () => {
  const outcome = await simulateSwarm(
    plan({ leaves: { kind: "at", atMs: 4_000 }, plainSeed: true }, [{}, {}]),
    1,
  );
  assertEquals(outcome.end, "stuck");
  assert(outcome.endedAtMs < 30_000, `${outcome.endedAtMs}`);
  assertEquals(outcome.firstCopyAtMs, null);
  // Both have all there is: half the file, as the seed was there for half of F/u_s.
  const [one, other] = shares(outcome);
  assertEquals(one, other);
  assert(one! > 0.3 && one! < 0.6, `${one}`);
  assertEquals(outcome.availability.at(-1)!.min, 0);
});

Deno.test("simulateSwarm lets a seed go when the first copy is out, and people come and go as planned", async () => {
  const outcome = await simulateSwarm(
    plan({ leaves: { kind: "first-copy" } }, [
      {},
      {},
      { leaves: { kind: "share", share: 0.5 } },
      { joinsAtMs: 5_000, leaves: { kind: "complete", afterMs: 1_000 } },
    ]),
    3,
  );
  const [seed, first, , quitter, late] = outcome.members;
  assertEquals(outcome.end, "complete");
  assertEquals(seed!.leftAtMs, outcome.firstCopyAtMs);
  assert(first!.completedAtMs! >= outcome.firstCopyAtMs!);
  assert(quitter!.share >= 0.5 && quitter!.share < 0.6);
  assertEquals(quitter!.completedAtMs, null);
  assert(quitter!.leftAtMs !== null);
  assertEquals(late!.joinedAtMs, 5_000);
  const members = outcome.availability.map((point) => point.members);
  assertEquals([members[0], Math.max(...members)], [4, 4]);
  for (const { min, mean } of outcome.availability) assert(min <= mean);
});

Deno.test("simulateSwarm keeps the file alive longest with rarest first, least with sequential", async () => {
  const [rarest, random, sequential] = await Promise.all(
    (["rarest", "random", "sequential"] as const).map(async (
      picker,
    ) =>
      Math.max(...shares(
        await simulateSwarm(
          plan(
            {
              leaves: { kind: "at", atMs: 6_500 },
              ...{ plainSeed: true, picker, uploadBytesPerSecond: MIB / 4 },
            },
            Array.from({ length: 8 }, () => ({ picker })),
          ),
          5,
        ),
      ))
    ),
  );
  assert(
    rarest! > random! && random! > sequential!,
    `${[rarest, random, sequential]}`,
  );
});

Deno.test("simulateSwarm makes free riders later with tit-for-tat than without", async () => {
  const cost = async (choker: "tit-for-tat" | "round-robin") => {
    const { members } = await simulateSwarm(
      plan({ choker }, [
        ...Array.from({ length: 8 }, () => ({ choker })),
        { choker, freeRide: true },
        { choker, freeRide: true },
      ], { fileBytes: 1.5 * MIB }),
      2,
    );
    const mean = (freeRide: boolean) => {
      const times = members.filter(({ member }) =>
        !member.isSeed && (member.freeRide ?? false) === freeRide
      ).map(({ completedAtMs }) => completedAtMs!);
      return times.reduce((a, b) => a + b, 0) / times.length;
    };
    return mean(true) / mean(false);
  };
  const [fair, blind] = [await cost("tit-for-tat"), await cost("round-robin")];
  assert(fair > 1.05 && fair > blind, `${fair} and ${blind}`);
});

Deno.test("servicesOf and roundsOf read who served whom off the events", () => {
  const names = new Map([["0a", "alice"], ["0b", "bob"], ["0c", "carol"]]);
  const member = (name: string): Member => ({
    ...{ name, isSeed: false, joinsAtMs: 0, leaves: { kind: "never" } },
    uploadBytesPerSecond: 1,
  });
  const observed = (
    atMs: number,
    name: string,
    to: string,
    optimistic: boolean | null,
    reason = "top 4 of 9 by rate",
  ) => ({
    ...{ atMs, name },
    event: optimistic === null
      ? { type: "peer.choked", remote: "", peerId: to, reason } as const
      : {
        type: "peer.unchoked",
        remote: "",
        peerId: to,
        optimistic,
        reason,
      } as const,
  });
  const outcome: SwarmOutcome = {
    members: ["alice", "bob", "carol"].map((name) => ({
      ...{ member: member(name), joinedAtMs: 0, completedAtMs: null },
      ...{ leftAtMs: name === "carol" ? 7_000 : null, share: 1 },
    })),
    observed: [
      observed(1_000, "alice", "0b", true),
      observed(3_000, "bob", "0a", false),
      observed(4_000, "alice", "0c", true),
      observed(6_000, "bob", "0a", null),
    ],
    ...{ availability: [], firstCopyAtMs: null, endedAtMs: 8_000 },
    ...{ end: "time", names },
  };
  const services = servicesOf(outcome);
  assertEquals(
    services.map((
      { giver, taker, fromMs, toMs },
    ) => [giver, taker, fromMs, toMs]),
    [
      ["alice", "bob", 1_000, 8_000],
      ["bob", "alice", 3_000, 6_000],
      ["alice", "carol", 4_000, 7_000],
    ],
  );
  const rounds = roundsOf(services, {
    ...{ names: ["alice", "bob", "carol"], roundMs: 4_000, endMs: 8_000 },
  });
  assertEquals(rounds.map(({ shares }) => shares), [
    [[NaN, 0.75, 0], [0.25, NaN, 0], [0, 0, NaN]],
    [[NaN, 1, 0.75], [0.5, NaN, 0], [0, 0, NaN]],
  ]);
  assertEquals(findStory(services, new Set(["alice", "bob", "carol"])), {
    ...{ alice: "alice", bob: "bob", reason: "top 4 of 9 by rate" },
    ...{ unchokedAtMs: 1_000, reciprocatedAtMs: 3_000 },
    kept: { atMs: 4_000, drawn: "carol" },
  });
  assertEquals(findStory(services, new Set(["alice", "carol"])), null);
});
