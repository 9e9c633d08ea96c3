import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseScenario } from "../../../../roles/demo/scenario/scenario.ts";

const SHARED = {
  ...{ players: 2, rate: "100kB/s", media: "12s", leavesAfter: "4s" },
};
const ACT = {
  ...{ act: "streaming", ladder: "240p@300k,720p", segment: "1s" },
  ...{ buffer: "6s", media: "8s", trace: "step", rules: ["auto"] },
  shared: SHARED,
};

function parse(act: unknown) {
  return parseScenario(JSON.stringify({ title: "T", acts: [act] })).acts;
}

Deno.test("readStreaming reads what is played and shared", () => {
  assertEquals(parse(ACT), [{
    ...{ act: "streaming", ladder: "240p@300k,720p", segmentMs: 1000 },
    ...{ bufferMs: 6000, mediaMs: 8000, trace: "step", rules: ["auto"] },
    shared: {
      ...{ players: 2, bytesPerSecond: 100_000 },
      ...{ mediaMs: 12_000, leavesAfterMs: 4000 },
    },
  }]);
});

Deno.test("readStreaming refuses what cannot be played, or would show nothing", () => {
  const shared = (change: unknown) => ({
    shared: { ...SHARED, ...change as object },
  });
  for (
    const [change, said] of [
      [{ ladder: "720p" }, "acts[0].ladder must have two rates or more"],
      [{ ladder: "big" }, "acts[0].ladder must be rates such as"],
      [{ trace: "5g" }, 'acts[0].trace must be "lte", "3g"'],
      [{ rules: ["fixed"] }, "acts[0].rules must be a list of some of"],
      [{ media: "1s" }, "acts[0].media must be from 5s to 10min"],
      [shared({ players: 1 }), "acts[0].shared.players must be a whole number"],
      [
        shared({ players: 100 }),
        "acts[0].shared.players must be a whole number from 2 to 10",
      ],
      // At 6 s who stays has all of it, up to a buffer.
      [
        shared({ leavesAfter: "6s" }),
        "acts[0].shared.leavesAfter must be less than media less buffer",
      ],
    ] as const
  ) {
    const error = assertThrows(() => parse({ ...ACT, ...change }));
    assertInstanceOf(error, SyntaxError);
    assertEquals(
      error.message.startsWith(`line 1: ${said}`),
      true,
      error.message,
    );
  }
});
