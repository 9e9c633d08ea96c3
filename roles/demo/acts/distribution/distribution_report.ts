import type {
  BarChart,
  LineChart,
  ReportSection,
} from "../../../../lib/report/report.ts";
import type { DistributionAct } from "../../scenario/scenario.ts";
import type { Stage } from "../../stage/stage.ts";

/** How much faster than its bound a run may seem: the limits' own tolerance. */
const TOLERANCE = 0.03;
/** A token bucket begins full and goes below zero for its last block. */
const FULL_BUCKET_SECONDS = 0.05;
/** The headline is checked where the swarm's bound is at most so much of the server's, and so many seconds below it. */
const CLEARLY_LESS = { share: 0.8, seconds: 0.5 };
/** Nothing but the machines holds a server up: when it takes so many times its bound, the swarm's time is too long, too. */
const BUSY = { ratio: 1.25, seconds: 1 };
/** A report with more clients than that shows quartiles, not each. */
const MANY = 30;

/** One way to give the file to N clients. */
export interface Way {
  readonly boundSeconds: number;
  /** When each client had the file. */
  readonly seconds: readonly number[];
  /** How many of the copies are the file, byte by byte; null where nothing was copied (virtual time). */
  readonly whole: number | null;
}

/** Both ways, for one N. */
export interface Measured {
  readonly clients: number;
  readonly server: Way;
  readonly swarm: Way;
}

/** Checks what the act promises, and draws the slide's chart. */
export function reportDistribution(
  act: DistributionAct,
  measured: readonly Measured[],
  { stage, note, blockSeconds }: {
    readonly stage: Stage;
    readonly note: string;
    /** One block at u_s. */
    readonly blockSeconds: number;
  },
): void {
  for (const one of measured) checkOne(one, blockSeconds, stage);
  checkGrowth(measured, act, stage);
  const busy = busyOf(measured);
  if (busy !== "") stage.say("note", busy);
  stage.figures.push({
    act: "distribution",
    measured: measured.map(({ clients, server, swarm }) => ({
      clients,
      clientServer: figuresOf(server),
      peerToPeer: figuresOf(swarm),
    })),
  });
  const bounds =
    "Bounds: max{N·F/u_s, F/d_min} and max{F/u_s, F/d_min, N·F/(u_s + Σu_i)}.";
  stage.sections.push(
    measured.length === 1
      ? barsOf(measured[0]!, `${note} ${bounds}${busy && ` ${busy}`}`)
      : chartOf(measured, `${note} ${bounds}${busy && ` ${busy}`}`),
    tableOf(measured),
    ...spreadOf(measured),
  );
}

function checkOne(
  { clients, server, swarm }: Measured,
  blockSeconds: number,
  stage: Stage,
): void {
  const slackSeconds = FULL_BUCKET_SECONDS + blockSeconds;
  const ways = [["client-server", server], ["peer-to-peer", swarm]] as const;
  for (const [name, way] of ways) {
    if (way.whole !== null) {
      stage.check(
        `${name}, N = ${clients}: every copy is the file, byte by byte`,
        way.whole === clients,
        `${way.whole} of ${clients} copies`,
      );
    }
    stage.check(
      `${name}, N = ${clients}: no faster than the lecture's bound`,
      last(way) >= way.boundSeconds * (1 - TOLERANCE) - slackSeconds &&
        last(way) < Infinity,
      `${last(way).toFixed(1)} s, bound ${
        way.boundSeconds.toFixed(1)
      } s, ratio ${ratioOf(way).toFixed(2)}${
        ratioOf(way) < 0.995 ? "; no limit holds the first block back" : ""
      }`,
    );
  }
}

/** What to say when the times are those of the machines, not of the limits; "" when they are not. */
function busyOf(measured: readonly Measured[]): string {
  const ratios = measured.map(({ server }) => server)
    .filter((server) => last(server) - server.boundSeconds > BUSY.seconds)
    .map(ratioOf);
  const worst = Math.max(0, ...ratios);
  return worst <= BUSY.ratio || worst === Infinity
    ? ""
    : `Too busy a machine: the server took up to ${
      worst.toFixed(1)
    } times its bound, and the swarms' times are too long, too.`;
}

/** The headline, where the numbers allow it to be seen. */
function checkGrowth(
  measured: readonly Measured[],
  act: DistributionAct,
  stage: Stage,
): void {
  const first = measured[0]!;
  const most = measured.at(-1)!;
  const { server, swarm } = most;
  if (
    swarm.boundSeconds <= CLEARLY_LESS.share * server.boundSeconds &&
    server.boundSeconds - swarm.boundSeconds >= CLEARLY_LESS.seconds
  ) {
    stage.check(
      `with N = ${most.clients} the swarm is done before the server`,
      last(swarm) < last(server),
      `${last(swarm).toFixed(1)} s and ${last(server).toFixed(1)} s`,
    );
  }
  if (most.clients < 4 * first.clients) return;
  const grows = (way: "server" | "swarm") => last(most[way]) / last(first[way]);
  stage.check(
    `from N = ${first.clients} to ${most.clients} the server's time grows faster than the swarm's`,
    grows("server") > grows("swarm"),
    `${grows("server").toFixed(1)} × and ${
      grows("swarm").toFixed(1)
    } ×; the bounds grow ${
      (most.server.boundSeconds / first.server.boundSeconds).toFixed(1)
    } × and ${
      (most.swarm.boundSeconds / first.swarm.boundSeconds).toFixed(1)
    } × (u_s / u = ${
      (act.serverBytesPerSecond / act.peerBytesPerSecond).toFixed(1)
    })`,
  );
}

function chartOf(measured: readonly Measured[], note: string): ReportSection {
  const points = (value: (one: Measured) => number) =>
    measured.map((one) => [one.clients, value(one)] as const);
  const isWide = measured.at(-1)!.clients > 100;
  const chart: LineChart = {
    kind: "line",
    xLabel: isWide ? "N (each step ten times as many)" : "N",
    yLabel: isWide
      ? "seconds until the last of N has the file (each step ten times as long)"
      : "seconds until the last of N has the file",
    ...isWide ? { scale: "log" } : {},
    series: [
      {
        name: "client-server, measured",
        shape: "line",
        points: points(({ server }) => last(server)),
      },
      {
        name: "peer-to-peer, measured",
        shape: "line",
        points: points(({ swarm }) => last(swarm)),
      },
      {
        name: "client-server, bound",
        ...{ shape: "line", dashed: true },
        points: points(({ server }) => server.boundSeconds),
      },
      {
        name: "peer-to-peer, bound",
        ...{ shape: "line", dashed: true },
        points: points(({ swarm }) => swarm.boundSeconds),
      },
    ],
  };
  return {
    kind: "chart",
    heading: "File distribution: time against N",
    file: "distribution",
    chart,
    note,
  };
}

/** For one N a line would be a point. */
function barsOf(
  { clients, server, swarm }: Measured,
  note: string,
): ReportSection {
  const bar = (name: string, way: Way) => ({
    ...{ name, value: last(way) },
    mark: { name: "bound", value: way.boundSeconds },
  });
  const chart: BarChart = {
    kind: "bar",
    xLabel: `seconds until the last of ${clients} has the file`,
    bars: [bar("client-server", server), bar("peer-to-peer", swarm)],
  };
  return {
    ...{ kind: "chart", heading: `File distribution: time for N = ${clients}` },
    ...{ file: "distribution", chart, note },
  };
}

function tableOf(measured: readonly Measured[]): ReportSection {
  return {
    kind: "table",
    heading: "File distribution: measured and bound",
    columns: [
      ...["N", "client-server (s)", "bound (s)", "ratio"],
      ...["peer-to-peer (s)", "bound (s)", "ratio"],
    ],
    rows: measured.map(({ clients, server, swarm }) => [
      clients,
      ...[server, swarm].flatMap((way) => [
        round(last(way)),
        round(way.boundSeconds),
        Number(ratioOf(way).toFixed(2)),
      ]),
    ]),
  };
}

/** When each client was done; with many clients, when the first, the middle and the last. */
function spreadOf(measured: readonly Measured[]): readonly ReportSection[] {
  const rows = measured.flatMap(({ clients, server, swarm }) =>
    ([["client-server", server], ["peer-to-peer", swarm]] as const).map(
      ([name, way]) => {
        const sorted = [...way.seconds].sort((a, b) => a - b);
        const middle = sorted[Math.floor(sorted.length / 2)]!;
        return [
          ...[name, clients, round(sorted[0]!), round(middle)],
          round(sorted.at(-1)!),
          clients > MANY
            ? "–"
            : sorted.map((seconds) => seconds.toFixed(1)).join(", "),
        ];
      },
    )
  );
  return [{
    kind: "table",
    heading: "File distribution: when the clients were done",
    columns: ["way", "N", "first (s)", "middle (s)", "last (s)", "each (s)"],
    rows,
  }];
}

function figuresOf(way: Way): Readonly<Record<string, number | null>> {
  return {
    seconds: round(last(way)),
    boundSeconds: round(way.boundSeconds),
    ratio: round(ratioOf(way)),
    wholeCopies: way.whole,
  };
}

function last({ seconds }: Way): number {
  return seconds.reduce((a, b) => Math.max(a, b), 0);
}

function ratioOf(way: Way): number {
  return last(way) / way.boundSeconds;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
