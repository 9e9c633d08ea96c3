import { assert, assertAlmostEquals } from "@std/assert";
import { seededRng } from "../../lib/core/rng.ts";
import type { AbrRule } from "../../lib/dash/abr/rule.ts";
import type { NetworkTrace } from "../../lib/model/trace.ts";
import { abrOptimum } from "../../lib/sim/abr_optimum.ts";
import { type AbrTitle, playOverTrace } from "../../lib/sim/abr_play.ts";

/** A rule that follows a plan. */
function follow(plan: readonly number[]): AbrRule {
  const decide = ({ segmentIndex }: { readonly segmentIndex: number }) => ({
    index: plan[segmentIndex]!,
    waitMs: 0,
    reason: "as planned",
  });
  return { summary: "a plan", source: "this test", start: () => ({ decide }) };
}

function drawn(seed: number): { title: AbrTitle; trace: NetworkTrace } {
  const rng = seededRng(seed);
  const ladder = [300_000, 800_000, 2_000_000];
  const sizesBits = Array.from(
    { length: 8 },
    () => ladder.map((rate) => rate * 2 * (0.7 + 0.6 * rng())),
  );
  return {
    title: {
      name: `title ${seed}`,
      ladder,
      durationsMs: sizesBits.map(() => 2000),
      sizesBits,
    },
    trace: {
      name: `trace ${seed}`,
      periods: Array.from({ length: 12 }, () => ({
        durationMs: 500 + Math.floor(rng() * 2500),
        bitsPerSecond: rng() < 0.2 ? 0 : 200_000 + rng() * 2_500_000,
        latencyMs: rng() < 0.5 ? 40 : 120,
      })).concat({ durationMs: 500, bitsPerSecond: 1e6, latencyMs: 40 }),
    },
  };
}

Deno.test("abrOptimum has the best of all plans in its bracket when every plan is tried", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { title, trace } = drawn(seed);
    const options = { bufferCapMs: 5000 };
    let best = -Infinity;
    for (let code = 0; code < 3 ** 7; code++) {
      const plan = [0];
      for (let at = 0; at < 7; at++) {
        plan.push(Math.floor(code / 3 ** at) % 3);
      }
      const { score } = playOverTrace(title, trace, follow(plan), options);
      best = Math.max(best, score);
    }
    const { feasible, bound } = abrOptimum(title, trace, options);
    const what = `seed ${seed}: ${feasible} ${best} ${bound}`;
    assert(feasible <= best + 1e-9 && best <= bound + 1e-9, what);
    assert(bound - feasible <= 0.02, what);
  }
});

Deno.test("abrOptimum is the top rung from the second segment on when the network is endless", () => {
  const { title } = drawn(1);
  const trace = {
    name: "endless",
    periods: [{ durationMs: 1000, bitsPerSecond: 1e12, latencyMs: 0 }],
  };
  const { feasible, bound } = abrOptimum(title, trace, { bufferCapMs: 8000 });
  assertAlmostEquals(feasible, Math.log(2000 / 300) * 7 / 8, 1e-5);
  assertAlmostEquals(bound, feasible, 1e-5);
});
