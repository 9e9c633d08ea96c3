import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ReportSection } from "../../../../../lib/report/report.ts";
import {
  type Measured,
  reportDistribution,
} from "../../../../../roles/demo/acts/distribution/distribution_report.ts";
import type { Stage } from "../../../../../roles/demo/stage/stage.ts";

/** What is reported of one copy a client: for each N the seconds and bounds of both ways. */
function reported(
  ...rows: readonly {
    readonly clients: number;
    readonly server: readonly [seconds: number, bound: number];
    readonly swarm: readonly [seconds: number, bound: number];
  }[]
) {
  const sections: ReportSection[] = [];
  const checks: [name: string, held: boolean, measured: string][] = [];
  const said: string[] = [];
  const stage = {
    sections,
    say: (_program: string, text: string) => said.push(text),
    figures: [],
    check: (...check: [string, boolean, string]) => checks.push(check),
  };
  const way = ([seconds, boundSeconds]: readonly [number, number]) => ({
    ...{ seconds: [seconds], boundSeconds, whole: null },
  });
  reportDistribution(
    { serverBytesPerSecond: 2, peerBytesPerSecond: 1 } as Parameters<
      typeof reportDistribution
    >[0],
    rows.map(({ clients, server, swarm }): Measured => ({
      clients,
      ...{ server: way(server), swarm: way(swarm) },
    })),
    { stage: stage as unknown as Stage, note: "Note.", blockSeconds: 0.1 },
  );
  return { sections, checks, said };
}

Deno.test("reportDistribution draws bars with the bounds for one N, lines for several", () => {
  const four = { clients: 4, server: [12, 11], swarm: [6, 5] } as const;
  const [one] = reported(four).sections;
  assertEquals(one?.kind === "chart" && one.chart, {
    kind: "bar",
    xLabel: "seconds until the last of 4 has the file",
    bars: [
      {
        ...{ name: "client-server", value: 12 },
        mark: { name: "bound", value: 11 },
      },
      {
        ...{ name: "peer-to-peer", value: 6 },
        mark: { name: "bound", value: 5 },
      },
    ],
  });
  const [two] = reported({ ...four, clients: 1 }, four).sections;
  assertEquals(two?.kind === "chart" && two.chart.kind, "line");
});

Deno.test("reportDistribution asks the swarm to be first only where the bounds say that it can be", () => {
  const headlines = (server: number, swarm: number) =>
    reported({ clients: 4, server: [9, server], swarm: [9, swarm] }).checks
      .filter(([name]) => name.includes("done before the server")).length;
  assertEquals(headlines(9, 5), 1);
  assertEquals(headlines(9, 8.9), 0); // peers that give next to nothing
  assertEquals(headlines(0.1, 0.01), 0); // a file of a few bytes
});

Deno.test("reportDistribution says why a time may be below its bound", () => {
  const { checks } = reported({
    clients: 1,
    server: [3.1, 3.2],
    swarm: [4, 3],
  });
  assertEquals(checks.map(([, held]) => held), [true, true]);
  assertStringIncludes(checks[0]![2], "ratio 0.97; no limit holds the first");
  assertEquals(checks[1]![2], "4.0 s, bound 3.0 s, ratio 1.33");
});

Deno.test("reportDistribution says that the machines were busy when the server is far from its bound", () => {
  const of = (seconds: number) =>
    reported({ clients: 4, server: [seconds, 10], swarm: [6, 5] });
  assertEquals(of(12).said, []);
  const { said, sections: [chart] } = of(31.5);
  assertStringIncludes(said[0]!, "up to 3.1 times its bound");
  assertStringIncludes(JSON.stringify(chart), said[0]!);
  // A fraction of a second of a small file is the start of a connection.
  assertEquals(
    reported({ clients: 1, server: [0.8, 0.3], swarm: [1, 1] }).said,
    [],
  );
});
