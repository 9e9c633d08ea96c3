/**
 * The log of a play in the columns of goDASH (Raca, Manifacier, Quinlan, "goDASH - GO accelerated HAS framework for
 * rapid prototyping", QoMEX 2020), so that scripts written for it read ours: CSV, or JSON lines with the same names.
 *
 * Times are in milliseconds, rates in kbit/s, sizes in bytes. `Arr_time` counts from the start of play, `Del_Time` and
 * `TTLB` from the request to the last byte, `TTFB` to the head of the answer; `Act_Rate` is size by duration;
 * `Play_Pos` is how much is played before the segment; `RTT` is, there as here, from the request to the head of the answer.
 * Of the models of quality P.1203 is left out, and the lecture's is added; each is over the play so far.
 */
import type { SegmentRecord } from "../player/messages.ts";
import type { Choice } from "../title.ts";
import { lectureQoe, yinQoe } from "./qoe.ts";
import { claeysQoe, duanmuQoe, type QoeFacts, yuQoe } from "./models.ts";

/** What is logged of one segment. */
export type SegmentRow = Readonly<Record<string, string | number>>;

type Format = Pick<Choice, "codecs" | "width" | "framesPerSecond">;

/** Returns a row for each segment of the picture. */
export function segmentRows(
  downloads: readonly {
    readonly atMs: number;
    readonly record: SegmentRecord;
  }[],
  about: {
    readonly abr: string;
    readonly startupMs: number;
    /** The highest rate there is, in bits per second. */
    readonly highestRate: number;
    /** `HTTP/1.1`, or "" when that is not known. */
    readonly protocol: string;
    /** What the video of a representation is, as far as it is known. */
    formatOf(representationId: string): Format | undefined;
  },
): readonly SegmentRow[] {
  const rates: number[] = [];
  let playedMs = 0;
  let highestMs = 0;
  let stallMs = 0;
  let stallCount = 0;
  return downloads.map(({ atMs, record }) => {
    const startMs = playedMs;
    playedMs += record.mediaMs;
    stallMs += record.stallMs;
    if (record.stallMs > 0) stallCount += 1;
    rates.push(record.bitsPerSecond);
    if (record.layer === record.layerCount) highestMs += record.mediaMs;
    const { startupMs, highestRate } = about;
    const facts: QoeFacts = {
      ...{ rates, highestRate, stallCount, stallMs, startupMs },
      mediaMs: playedMs,
    };
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
      ...pictureOf(record, about.formatOf(record.representationId)),
      Play_Pos: Math.round(startMs),
      RTT: thousandths(record.ttfbMs),
      Protocol: about.protocol,
      TTFB: thousandths(record.ttfbMs),
      TTLB: thousandths(record.downloadMs),
      ...modelsOf(facts, playedMs > 0 ? 100 * highestMs / playedMs : 0),
    };
  });
}

function pictureOf({ height }: SegmentRecord, format: Format | undefined) {
  return {
    Codec: format?.codecs ?? "",
    Width: format?.width ?? 0,
    Height: height,
    FPS: Math.round((format?.framesPerSecond ?? 0) * 1000) / 1000,
  };
}

function modelsOf(facts: QoeFacts, highestPercent: number) {
  return {
    Clae: thousandths(claeysQoe(facts)),
    Duanmu: thousandths(duanmuQoe(facts)),
    Yin: thousandths(yinQoe(facts.rates, facts)),
    Yu: thousandths(yuQoe(facts)),
    Lecture: thousandths(lectureQoe(highestPercent)),
  };
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
