/**
 * The log of a play in the columns of goDASH (Raca, Manifacier, Quinlan, "goDASH - GO accelerated HAS framework for
 * rapid prototyping", QoMEX 2020), so that scripts written for it read ours: CSV, or JSON lines with the same names.
 *
 * Times are in milliseconds, rates in kbit/s, sizes in bytes. `Arr_time` counts from the start of play, `Del_Time` and
 * `TTLB` from the request to the last byte, `TTFB` to the head of the answer; `Act_Rate` is size by duration;
 * `Play_Pos` is how much is played before the segment. `RTT` is empty: connections are kept open, so no round trip is
 * measured but that of requests. Of the models of quality there are Yin's and the lecture's, each over the play so far.
 */
import type { SegmentRecord } from "./player_messages.ts";
import { lectureQoe, yinQoe } from "./qoe.ts";
import type { Choice } from "./title.ts";

/** What is logged of one segment. */
export type SegmentRow = Readonly<Record<string, string | number>>;

/** Returns a row for each segment of the picture. */
export function segmentRows(
  downloads: readonly {
    readonly atMs: number;
    readonly record: SegmentRecord;
  }[],
  about: {
    readonly abr: string;
    readonly startupMs: number;
    /** `HTTP/1.1`, or "" when that is not known. */
    readonly protocol: string;
    choiceOf(representationId: string): Choice | undefined;
  },
): readonly SegmentRow[] {
  const rates: number[] = [];
  let playedMs = 0;
  let highestMs = 0;
  let stallMs = 0;
  return downloads.map(({ atMs, record }) => {
    const choice = about.choiceOf(record.representationId);
    const startMs = playedMs;
    playedMs += record.mediaMs;
    stallMs += record.stallMs;
    rates.push(record.bitsPerSecond);
    if (record.layer === record.layerCount) highestMs += record.mediaMs;
    const { startupMs } = about;
    return {
      "Seg_#": record.segmentNumber,
      Arr_time: Math.round(atMs),
      Del_Time: Math.round(record.downloadMs),
      Stall_Dur: Math.round(record.stallMs),
      Rep_Level: Math.round(record.bitsPerSecond / 1000),
      Del_Rate: Math.round(record.throughputBitsPerSecond / 1000),
      Act_Rate: Math.round(record.bytes * 8 / Math.max(1, record.mediaMs)),
      Byte_Size: record.bytes,
      Buff_Level: Math.round(record.bufferMs),
      Algorithm: about.abr,
      Seg_Dur: Math.round(record.mediaMs),
      Codec: choice?.codecs ?? "",
      Width: choice?.width ?? 0,
      Height: record.height,
      FPS: Math.round((choice?.framesPerSecond ?? 0) * 1000) / 1000,
      Play_Pos: Math.round(startMs),
      RTT: "",
      Protocol: about.protocol,
      TTFB: thousandths(record.ttfbMs),
      TTLB: thousandths(record.downloadMs),
      Yin: thousandths(yinQoe(rates, { stallMs, startupMs })),
      Lecture: thousandths(
        lectureQoe(playedMs > 0 ? 100 * highestMs / playedMs : 0),
      ),
    };
  });
}

/** Writes rows as CSV (RFC 4180), names first. */
export function rowsAsCsv(rows: readonly SegmentRow[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => names.map((name) => cell(row[name]!)));
  return [names, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

/** Writes rows as JSON lines. */
export function rowsAsJsonLines(rows: readonly SegmentRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
