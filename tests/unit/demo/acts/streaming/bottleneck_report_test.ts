import { assertEquals } from "@std/assert";
import type { SharedPlay } from "../../../../../roles/demo/acts/streaming/bottleneck.ts";
import { reportBottleneck } from "../../../../../roles/demo/acts/streaming/bottleneck_report.ts";
import type { StreamingAct } from "../../../../../roles/demo/scenario/streaming_act.ts";
import type { Stage } from "../../../../../roles/demo/stage/stage.ts";

/** Segments of 1 s that come one after the other, from 0 on, each in `tookMs` and of so many bytes. */
function segments(
  ...runs: readonly (readonly [count: number, tookMs: number, bytes: number])[]
): SharedPlay["players"][number]["segments"] {
  let atMs = 0;
  return runs.flatMap(([count, tookMs, bytes]) =>
    Array.from({ length: count }, () => {
      atMs += tookMs;
      const record = {
        ...{ downloadMs: tookMs, bytes, bitsPerSecond: 8 * bytes },
        ...{ mediaMs: 1000, bufferMs: 3000, stallMs: 0 },
      };
      return { atMs, record };
    })
  ) as unknown as SharedPlay["players"][number]["segments"];
}

/** What is said of three players behind 3 Mbit/s of whom the first leaves after 10 s. */
function reported(
  ...all: readonly SharedPlay["players"][number]["segments"][]
) {
  const checks: (readonly [check: string, held: boolean])[] = [];
  const said: string[] = [];
  const stage = {
    sections: [],
    say: (_program: string, text: string) => said.push(text),
    check: (check: string, held: boolean) => checks.push([check, held]),
  };
  const figures = reportBottleneck(
    {
      shared: { players: all.length, bytesPerSecond: 375_000 },
    } as StreamingAct,
    {
      players: all.map((each, at) => ({
        ...{ name: `viewer-${at + 1}`, startupMs: 100, segments: each },
      })),
      ...{ allAtMs: 0, leftAtMs: 10_000, doneAtMs: 16_000 },
    },
    stage as unknown as Stage,
  );
  return { checks, said, figures };
}

Deno.test("reportBottleneck counts what came to each before one left and after", () => {
  const left = segments([20, 500, 62_500]);
  const stayed = segments([20, 500, 62_500], [9, 667, 125_000]);
  const { checks, figures } = reported(left, stayed, stayed);
  assertEquals(checks, [
    ["together the players get no more than the bottleneck has", true],
    ["and each its share of it", true],
    ["when one leaves, the others have more", true],
  ]);
  assertEquals(figures["jainIndex"], 1);
  assertEquals(figures["shares"], [
    {
      ...{ player: "viewer-1", bitsPerSecondBefore: 1_000_000 },
      ...{ bitsPerSecondAfter: 0, choseBefore: 500_000, choseAfter: 0 },
    },
    ...["viewer-2", "viewer-3"].map((player) => ({
      ...{ player, bitsPerSecondBefore: 1_000_000 },
      ...{ bitsPerSecondAfter: 1_499_250 },
      ...{ choseBefore: 500_000, choseAfter: 1_000_000 },
    })),
  ]);
});

Deno.test("reportBottleneck says so when one has nearly all, when they have more than there is, and when nobody gains", () => {
  const greedy = segments([20, 500, 187_500]);
  const poor = segments([32, 500, 6250]);
  assertEquals(reported(greedy, poor, poor).checks.map(([, held]) => held), [
    true,
    false,
  ]);
  const same = segments([32, 500, 62_500]);
  assertEquals(reported(same, same, same).checks.map(([, held]) => held), [
    true,
    true,
    false,
  ]);
  const more = segments([32, 500, 125_000]);
  assertEquals(reported(more, more, more).checks[0]![1], false);
});

Deno.test("reportBottleneck expects no gain where the link is wider than what is asked of it", () => {
  const little = segments([32, 500, 6250]);
  const { checks, said } = reported(little, little, little);
  assertEquals(checks.map(([, held]) => held), [true, true]);
  assertEquals(said.length, 1);
});
