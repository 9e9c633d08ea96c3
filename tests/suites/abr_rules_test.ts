/** What has to hold for every rule of adaptation, on every network. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRng } from "../../lib/core/rng.ts";
import { ABR_NAMES, ABR_RULES } from "../../lib/dash/abr/mod.ts";
import type { AbrRule, AbrSession } from "../../lib/dash/abr/rule.ts";
import { namedTrace, TRACE_NAMES } from "../../lib/model/trace_catalog.ts";
import { type NetworkTrace, TraceLink } from "../../lib/model/trace.ts";
import {
  type AbrTitle,
  type PlayedSegment,
  playOverTrace,
} from "../../lib/sim/abr_play.ts";

const SECOND = 1000;

function titleOf(ladder: readonly number[], count = 60): AbrTitle {
  const rng = seededRng(count);
  const sizesBits = Array.from({ length: count }, () => {
    const busy = 0.6 + 0.8 * rng();
    return ladder.map((rate) => Math.round(rate * 4 * busy));
  });
  return {
    name: "drawn",
    ladder,
    // The last one is short.
    durationsMs: sizesBits.map((_, at) => at === count - 1 ? 1500 : 4000),
    sizesBits,
  };
}

function evenTrace(bitsPerSecond: number, latencyMs = 40): NetworkTrace {
  return {
    name: "even",
    periods: [{ durationMs: SECOND, bitsPerSecond, latencyMs }],
  };
}

const TITLES = [
  titleOf([400_000, 1_000_000, 2_500_000]),
  titleOf([1_000_000], 20),
  titleOf([200_000, 400_000, 700_000, 1e6, 2e6, 3e6, 5e6]),
];
const TRACES = [
  ...TRACE_NAMES.map((name) => namedTrace(name)!),
  evenTrace(20_000, 900),
  evenTrace(1e11, 0),
];

/** A rule whose session is watched. */
function watched(
  rule: AbrRule,
  look: (session: AbrSession) => AbrSession,
): AbrRule {
  return { ...rule, start: () => look(rule.start()) };
}

for (const name of ABR_NAMES) {
  const rule = ABR_RULES[name];

  Deno.test(`rule ${name} stays on the ladder, and buffer, bytes and time add up`, () => {
    for (const title of TITLES) {
      for (const trace of TRACES) {
        for (const bufferCapMs of [3000, 10_000, 30_000]) {
          const what = `${trace.name} ${bufferCapMs} ms`;
          const segments: PlayedSegment[] = [];
          const checked = watched(rule, (session) => ({
            ...session,
            decide(state) {
              const decision = session.decide(state);
              assert(Number.isInteger(decision.index), what);
              assert(decision.index >= 0, what);
              assert(decision.index < state.ladder.length, what);
              assert(decision.waitMs >= 0, what);
              assert(decision.waitMs <= state.bufferMs + 1e-6, what);
              assert(decision.reason !== "", what);
              return decision;
            },
            downloaded: (download) => session.downloaded?.(download),
            waited: (waitedMs) => session.waited?.(waitedMs),
            ...(session.abandon === undefined ? {} : {
              abandon(progress) {
                const lower = session.abandon!(progress);
                assert(lower === undefined || lower < progress.index, what);
                return lower;
              },
            }),
          }));
          const result = playOverTrace(title, trace, checked, {
            bufferCapMs,
            fixedIndex: 9,
            onSegment: (segment) => segments.push(segment),
          });
          assertEquals(segments.length, title.sizesBits.length);
          let bits = result.wastedBits;
          let stallMs = 0;
          for (const segment of segments) {
            bits += segment.sizeBits;
            stallMs += segment.stallMs;
            const durationMs = title.durationsMs[segment.segmentIndex]!;
            const mostMs = Math.max(bufferCapMs, durationMs) + 1e-6;
            assert(segment.bufferMs >= 0 && segment.bufferMs <= mostMs, what);
          }
          assertAlmostEquals(result.bits, bits, 1, what);
          assertAlmostEquals(result.stallMs, stallMs, 1e-3, what);
          const mediaMs = title.durationsMs.reduce((sum, each) => sum + each);
          assertAlmostEquals(result.playedMs, mediaMs, 1e-3, what);
          const endMs = segments.at(-1)!.arrivedAtMs;
          const carried = new TraceLink(trace).bitsBetween(0, endMs);
          assert(result.bits <= carried * (1 + 1e-9) + 1, what);
        }
      }
    }
  });

  Deno.test(`rule ${name} chooses the same from the same records`, () => {
    const run = () =>
      playOverTrace(TITLES[0]!, namedTrace("3g")!, rule, {
        bufferCapMs: 20_000,
      });
    assertEquals(run(), run());
  });

  if (name === "fixed") continue;

  Deno.test(`rule ${name} is on the lowest rung of a link that carries no more, and high on a fast one`, () => {
    const slow = playOverTrace(TITLES[0]!, evenTrace(420_000), rule, {
      bufferCapMs: 30_000,
    });
    assert(slow.averageBitsPerSecond < 700_000, `slow ${name}`);
    const fast = playOverTrace(TITLES[0]!, evenTrace(20_000_000), rule, {
      bufferCapMs: 30_000,
    });
    assert(fast.averageBitsPerSecond > 1_900_000, `fast ${name}`);
    assertEquals(fast.stallCount, 0);
  });
}
