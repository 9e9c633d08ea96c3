import type { PeerTotals } from "../../../lib/bittorrent/swarm/totals.ts";
import type { LineChart, ReportSection } from "../../../lib/report/report.ts";
import type { Moment } from "./history.ts";

/** Fewer moments are no course. */
const FEWEST_MOMENTS = 3;
/** Peers that have a bar. */
const MAX_BARS = 20;

type Series = LineChart["series"][number];

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

function toMiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20 * 1000) / 1000;
}

/** The charts of a share: what went both ways over time, how much was there, and who gave and took. */
export function shareCharts(
  moments: readonly Moment[],
  { totalBytes, peers }: {
    readonly totalBytes: number;
    readonly peers: readonly PeerTotals[];
  },
): ReportSection[] {
  const charts = moments.length < FEWEST_MOMENTS ? [] : [
    ...ratesChart(moments),
    ...verifiedChart(moments, totalBytes),
  ];
  return [...charts, ...peersChart(peers)];
}

function ratesChart(moments: readonly Moment[]): ReportSection[] {
  const series = [
    rates("received", moments, ({ downloadedBytes }) => downloadedBytes),
    rates("sent", moments, ({ uploadedBytes }) => uploadedBytes),
  ].filter(({ points }) => points.some(([, rate]) => rate > 0));
  if (series.length === 0) return [];
  return [{
    kind: "chart",
    heading: "What came and what went",
    file: "rates",
    note: "Payload, a mean over the time between two points.",
    chart: { kind: "line", xLabel: "time (s)", yLabel: "MiB/s", series },
  }];
}

/** Means between one moment and the next. */
function rates(
  name: string,
  moments: readonly Moment[],
  bytesOf: (moment: Moment) => number,
): Series {
  const points: [number, number][] = [];
  for (const [at, moment] of moments.entries()) {
    const before = moments[at - 1];
    if (before === undefined || moment.atMs <= before.atMs) continue;
    const bytes = Math.max(0, bytesOf(moment) - bytesOf(before));
    const bytesPerSecond = bytes / (moment.atMs - before.atMs) * 1000;
    points.push([seconds(moment.atMs), toMiB(bytesPerSecond)]);
  }
  return { name, shape: "line", points };
}

/** Nothing for who had everything from the start. */
function verifiedChart(
  moments: readonly Moment[],
  totalBytes: number,
): ReportSection[] {
  if (moments[0]!.haveBytes >= totalBytes) return [];
  const points = moments.map(({ atMs, haveBytes }) =>
    [seconds(atMs), Math.round(haveBytes / totalBytes * 1000) / 10] as const
  );
  return [{
    kind: "chart",
    heading: "How much was there",
    file: "verified",
    chart: {
      ...{ kind: "line", xLabel: "time (s)", yLabel: "% verified" },
      series: [{ name: "verified pieces", shape: "line", points }],
    },
  }];
}

/** Bars of what each gave, with a mark for what it took; of a seed, to which nobody gives, of what each took. */
function peersChart(peers: readonly PeerTotals[]): ReportSection[] {
  const gave = peers.some(({ downloadedBytes }) => downloadedBytes > 0);
  const shown = peers
    .filter(({ downloadedBytes, uploadedBytes }) =>
      downloadedBytes + uploadedBytes > 0
    ).slice(0, MAX_BARS);
  if (shown.length === 0) return [];
  return [{
    kind: "chart",
    heading: gave ? "What each peer gave and took" : "What each peer took",
    file: "peers",
    ...(shown.length < peers.length
      ? { note: `${shown.length} of ${peers.length} peers.` }
      : {}),
    chart: {
      kind: "bar",
      xLabel: gave ? "MiB it gave" : "MiB it took",
      bars: shown.map(({ remote, client, downloadedBytes, uploadedBytes }) => ({
        name: client === "" ? remote : `${remote}, ${client}`,
        value: toMiB(gave ? downloadedBytes : uploadedBytes),
        ...(gave
          ? { mark: { name: "MiB it took", value: toMiB(uploadedBytes) } }
          : {}),
      })),
    },
  }];
}
