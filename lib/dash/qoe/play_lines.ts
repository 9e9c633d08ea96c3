/** The lines of the slide's two charts of a play: the network it had, and how much media was ready. */
import { type NetworkTrace, traceDurationMs } from "../../model/trace.ts";

/** What happened in a play; instants are the player's, from its start. */
export interface PlayCourse {
  readonly downloads: readonly {
    readonly atMs: number;
    readonly record: { readonly bufferMs: number; readonly mediaMs: number };
  }[];
  readonly stalls: readonly {
    readonly atMs: number;
    readonly stallMs: number;
  }[];
  readonly seeks: readonly {
    readonly atMs: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly seekMs: number;
  }[];
  readonly summary: { readonly startupMs: number };
}

/** Milliseconds as a chart has them: seconds, to three places. */
export function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}

/** Bits as a chart has them: in millions, to three places. */
export function toMbits(bits: number): number {
  return Math.round(bits / 1000) / 1000;
}

/**
 * What a trace gave until `untilMs`, from its start again at its end: points of a staircase, in seconds and Mbit/s.
 *
 * @param most More bits per second than this are drawn as this.
 */
export function traceSteps(
  trace: NetworkTrace,
  untilMs: number,
  most: number,
): [number, number][] {
  const points: [number, number][] = [];
  if (traceDurationMs(trace) <= 0) return points;
  let atMs = 0;
  while (atMs < untilMs) {
    for (const { durationMs, bitsPerSecond } of trace.periods) {
      if (atMs >= untilMs) break;
      points.push([seconds(atMs), toMbits(Math.min(most, bitsPerSecond))]);
      atMs += durationMs;
    }
  }
  return points;
}

/** What changes the buffer, beside playing. */
type BufferChange =
  | {
    readonly atMs: number;
    readonly kind: "came";
    readonly bufferMs: number;
    readonly mediaMs: number;
  }
  | { readonly atMs: number; readonly kind: "plays" | "stands" }
  | {
    readonly atMs: number;
    readonly kind: "leapt";
    /** What it passed over; Infinity drops all. */
    readonly mediaMs: number;
  };

function changesOf(
  { downloads, stalls, seeks, summary }: PlayCourse,
): BufferChange[] {
  const still = (atMs: number, forMs: number): BufferChange[] => [
    { atMs, kind: "stands" },
    ...forMs > 0 ? [{ atMs: atMs + forMs, kind: "plays" } as const] : [],
  ];
  // A stable sort: what comes just as playing goes on is there before.
  return [
    ...downloads.map(({ atMs, record: { bufferMs, mediaMs } }) => ({
      ...{ atMs, kind: "came" as const, bufferMs, mediaMs },
    })),
    ...still(0, summary.startupMs),
    ...stalls.flatMap(({ atMs, stallMs }) => still(atMs, stallMs)),
    ...seeks.flatMap(({ atMs, fromMs, toMs, seekMs }): BufferChange[] =>
      seekMs === 0 ? [{ atMs, kind: "leapt", mediaMs: toMs - fromMs }] : [
        { atMs: atMs - seekMs, kind: "leapt", mediaMs: Infinity },
        ...still(atMs - seekMs, seekMs),
      ]
    ),
  ].sort((a, b) => a.atMs - b.atMs);
}

/** How much was there when, in seconds. While the picture stands still for want of sound, what is there is not ready. */
export function bufferLine(course: PlayCourse): [number, number][] {
  const points: [number, number][] = [[0, 0]];
  const push = (atMs: number, ms: number) => {
    const point: [number, number] = [seconds(atMs), seconds(Math.max(0, ms))];
    const [x, y] = points.at(-1)!;
    if (x !== point[0] || y !== point[1]) points.push(point);
  };
  let levelMs = 0;
  let playing = false;
  let beforeMs = 0;
  for (const change of changesOf(course)) {
    const { atMs, kind } = change;
    if (playing) levelMs = Math.max(0, levelMs - (atMs - beforeMs));
    beforeMs = atMs;
    switch (kind) {
      case "came":
        push(atMs, change.bufferMs - change.mediaMs);
        levelMs = change.bufferMs;
        break;
      case "leapt":
        push(atMs, levelMs);
        levelMs = Math.max(0, levelMs - change.mediaMs);
        break;
      case "stands":
        if (playing) push(atMs, 0);
        playing = false;
        continue;
      case "plays":
        push(atMs, 1000 * points.at(-1)![1]);
        playing = true;
    }
    push(atMs, levelMs);
  }
  return points;
}

/** The same where segments came bit by bit: as it was seen each second, and when the last of a segment came. */
export function levelLine(
  { downloads, latencies, stalls }: Pick<PlayCourse, "downloads" | "stalls"> & {
    readonly latencies: readonly {
      readonly atMs: number;
      readonly record: { readonly bufferMs: number };
    }[];
  },
): [number, number][] {
  const points = [...downloads, ...latencies].map(({ atMs, record }) => ({
    ...{ atMs, bufferMs: record.bufferMs },
  }));
  for (const { atMs, stallMs } of stalls) {
    points.push({ atMs, bufferMs: 0 }, { atMs: atMs + stallMs, bufferMs: 0 });
  }
  points.sort((a, b) => a.atMs - b.atMs);
  return points.map(({ atMs, bufferMs }) => [seconds(atMs), seconds(bufferMs)]);
}
