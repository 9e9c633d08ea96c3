import { assertEquals } from "@std/assert";
import type { ReportSection } from "../../../../../lib/report/report.ts";
import {
  type FailingEdge,
  reportFailingEdge,
  type TtlOutcome,
} from "../../../../../roles/demo/acts/dns/failover_report.ts";
import type { DnsAct } from "../../../../../roles/demo/scenario/scenario.ts";
import type { Stage } from "../../../../../roles/demo/stage/stage.ts";

const ACT: DnsAct = {
  act: "dns",
  ...{ domain: "a.b.c", cdnDomain: "d.e.f", ttlSeconds: [2, 8] },
  ...{ healthIntervalMs: 1000, resolvers: 2, clients: 2 },
};

/** What is held of the outcomes of two clients a TTL, and drawn of them. */
function reported(
  rows: readonly Pick<TtlOutcome, "ttlSeconds" | "movedMs" | "questions">[],
  part: Partial<FailingEdge> = {},
) {
  const sections: ReportSection[] = [];
  const held: boolean[] = [];
  const stage = {
    sections,
    check: (_check: string, isHeld: boolean) => held.push(isHeld),
  };
  reportFailingEdge(
    rows.map((row) => ({ ...row, clients: 2, visits: 10, failed: 5 })),
    {
      ...{ act: ACT, stage: stage as unknown as Stage, everyMs: 250 },
      ...{ outMs: 1500, silentMs: 1900, lastedMs: 16_000, lateMs: 0 },
      ...part,
    },
  );
  return { sections, held };
}

Deno.test("reportFailingEdge holds a TTL to itself and two intervals, and to what this machine was late", () => {
  const short = { ttlSeconds: 2, movedMs: [1000, 3900], questions: 16 };
  const long = { ttlSeconds: 8, movedMs: [4000, 9900], questions: 4 };
  assertEquals(reported([short, long]).held, [true, true, true, true]);
  const late = { ...long, movedMs: [4000, 10_900] };
  assertEquals(reported([short, late]).held, [true, true, false, true]);
  assertEquals(reported([short, late], { lateMs: 200 }).held[2], true);
  const stuck = { ...long, movedMs: [4000] };
  assertEquals(reported([short, stuck]).held[2], false);
  assertEquals(reported([short], { silentMs: 2600 }).held, [false, true]);
  // too close for chance not to have a say
  assertEquals(reported([short, { ...long, ttlSeconds: 3 }]).held.length, 3);
  assertEquals(reported([short, { ...long, questions: 17 }]).held[3], false);
});

Deno.test("reportFailingEdge draws how many clients are left, and what caches without any other clients would ask", () => {
  const [moving, questions] = reported([
    { ttlSeconds: 2, movedMs: [1000, 3000], questions: 16 },
    { ttlSeconds: 8, movedMs: [5000], questions: 4 },
  ]).sections;
  assertEquals(
    moving?.kind === "chart" && moving.chart.kind === "line" &&
      moving.chart.series.map(({ points }) => points),
    [[[0, 100], [1, 50], [3, 0], [5, 0]], [[0, 100], [5, 50], [5, 50]]],
  );
  assertEquals(
    questions?.kind === "chart" && questions.chart.kind === "bar" &&
      questions.chart.bars.map(({ mark }) => mark?.value),
    [16, 4],
  );
});
