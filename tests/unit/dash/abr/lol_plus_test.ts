import { assertEquals, assertMatch } from "@std/assert";
import { lolPlus } from "../../../../lib/dash/abr/lol_plus.ts";
import { liveState } from "./_live_state.ts";

Deno.test("LoL+ takes the rung nearest to what the link carries, and hardly ever one above it", () => {
  for (
    const [throughputBitsPerSecond, index] of [
      // 1.8 Mbit/s is at 0.6613: nearer to the top rung by 0.037 than to the middle one, but it is not carried.
      [2_000_000, 1],
      [2_800_000, 2],
      [20_000_000, 2],
      // 1.004 Mbit/s is within 10 kbit/s of the middle rung, and so near that it is nearest all the same; 0.945 is not.
      [1_116_000, 1],
      [1_050_000, 0],
      [100_000, 0],
    ] as const
  ) {
    const session = lolPlus.start();
    const now = liveState({ throughputBitsPerSecond, bufferMs: 9000 });
    assertEquals(
      session.decide(now).index,
      index,
      `${throughputBitsPerSecond}`,
    );
  }
  const nothing = liveState({ throughputBitsPerSecond: undefined });
  assertEquals(lolPlus.start().decide(nothing).index, 0);
});

Deno.test("LoL+ goes below the last rung when less than 0.3 s would be left", () => {
  for (
    const [lastIndex, bufferMs, throughputBitsPerSecond, index] of [
      // 2.5 Mbit at 1.8 Mbit/s take 1389 ms.
      [2, 1680, 2_000_000, 1],
      [2, 1700, 2_000_000, 1],
      [2, 1680, 1_000_000, 0],
      // No lower rung is carried either: the lowest.
      [2, 1680, 300_000, 0],
      [1, 600, 2_000_000, 0],
      [1, 900, 2_000_000, 1],
    ] as const
  ) {
    const now = liveState({ lastIndex, bufferMs, throughputBitsPerSecond });
    assertEquals(lolPlus.start().decide(now).index, index, `${bufferMs}`);
  }
});

Deno.test("LoL+ keeps the last rung of a title in chunks when the link carries it, however little is held", () => {
  const now = { bufferMs: 1000, segmentDurationMs: 2000 };
  assertEquals(lolPlus.start().decide(liveState(now)).index, 0);
  const inChunks = liveState({ ...now, chunkMs: 500 });
  assertEquals(lolPlus.start().decide(inChunks).index, 1);
});

Deno.test("LoL+ weighs latency once it was met, and keeps its weights while it is too far behind", () => {
  const weighed = (latencyMs: number, session = lolPlus.start()) => {
    const live = { latencyMs, targetMs: 2000 };
    const { reason } = session.decide(liveState({ live }));
    return reason.replace(/^.*weighed /, "");
  };
  const session = lolPlus.start();
  assertEquals(weighed(1500, session), "0.2 and stalls 1");
  assertEquals(weighed(1500, session), "1 and stalls 1");
  // 6 s is more than the target and what the latency has changed since the last segment.
  const late = lolPlus.start();
  assertMatch(late.decide(liveState({})).reason, /0.2 and stalls 1$/);
  assertEquals(weighed(6000, late), "0.2 and stalls 1");
  assertEquals(weighed(6000, late), "0.2 and stalls 1");
  assertEquals(weighed(2000, late), "1 and stalls 1");
});

Deno.test("LoL+ moves a rung's neuron to the throughput that was met with it", () => {
  const now = { throughputBitsPerSecond: 1_200_000, bufferMs: 3000 };
  // 1.08 Mbit/s is at 0.397 of the map: nearest to the middle rung while nothing was learnt.
  assertEquals(lolPlus.start().decide(liveState(now)).index, 1);
  const session = lolPlus.start();
  for (let at = 0; at < 200; at++) {
    assertEquals(session.decide(liveState({ bufferMs: 3000 })).index, 1);
  }
  // Its neuron is now at 0.66, so 0.397 is nearer to the lowest.
  assertEquals(session.decide(liveState(now)).index, 0);
});
