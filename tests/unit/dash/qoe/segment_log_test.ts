import { assert, assertEquals } from "@std/assert";
import { p1203Input } from "../../../../lib/dash/qoe/p1203.ts";
import type { SegmentRecord } from "../../../../lib/dash/player/messages.ts";
import { yinQoe } from "../../../../lib/dash/qoe/qoe.ts";
import {
  rowsAsCsv,
  rowsAsJsonLines,
  segmentRows,
} from "../../../../lib/dash/qoe/segment_log.ts";
import type { Choice } from "../../../../lib/dash/title.ts";

const CHOICES: Readonly<Record<string, Choice>> = {
  low: choice("low", "avc1.42c01e", 640, 360),
  high: choice("high", 'avc3.64,"odd"', 1280, 720),
  aac: choice("aac", "mp4a.40.2", 0, 0),
  flac: choice("flac", "fLaC", 0, 0),
};

function choice(
  representationId: string,
  codecs: string,
  width: number,
  height: number,
): Choice {
  const location = { urls: ["http://a/1"], range: undefined };
  return {
    ...{ representationId, codecs, width, height, framesPerSecond: 24 },
    ...{ bitsPerSecond: 0, initialization: undefined },
    segment: { ...location, number: 1, startMs: 0, durationMs: 0 },
  };
}

function record(
  representationId: string,
  bitsPerSecond: number,
  more: Partial<SegmentRecord> = {},
): SegmentRecord {
  return {
    ...{ media: "video", segmentNumber: 1, segmentCount: 3, representationId },
    ...{ height: 360, bitsPerSecond, layer: 1, layerCount: 2, mediaMs: 4000 },
    ...{ bytes: 250_000, downloadMs: 500.4, ttfbMs: 20.1234 },
    ...{ throughputBitsPerSecond: 4_000_000, bufferMs: 4000, stallMs: 0 },
    ...{ reason: "", server: "", cacheStatus: "", ageSeconds: 0 },
    ...more,
  };
}

const choiceOf = (id: string) => CHOICES[id];

Deno.test("segmentRows has goDASH's columns, and each model over the play so far", () => {
  const downloads = [
    { atMs: 600, record: record("low", 400_000) },
    {
      atMs: 3000,
      record: record("high", 1_000_000, { layer: 2, stallMs: 1000 }),
    },
  ];
  const rows = segmentRows(downloads, {
    ...{ abr: "bola", startupMs: 500, protocol: "HTTP/1.1" },
    formatOf: choiceOf,
    highestRate: 1_000_000,
  });
  assertEquals(rows[0], {
    ...{ "Seg_#": 1, Arr_time: 600, Del_Time: 500, Stall_Dur: 0 },
    ...{ Rep_Level: 400, Del_Rate: 4000, Act_Rate: 500, Byte_Size: 250_000 },
    ...{ Buff_Level: 4000, Algorithm: "bola", Seg_Dur: 4000 },
    ...{ Codec: "avc1.42c01e", Width: 640, Height: 360, FPS: 24, Play_Pos: 0 },
    ...{ RTT: 20.123, Protocol: "HTTP/1.1", TTFB: 20.123, TTLB: 500.4 },
    ...{ Clae: 2.438, Duanmu: 54 - 1.15 + 2.8, Yin: 400 - 1500, Yu: 0.4 },
    Lecture: 2.501,
  });
  assertEquals(rows[1]!.Play_Pos, 4000);
  // 400 + 1000, less a change of 600, a second stalled and half a second of start-up.
  assertEquals(rows[1]!.Yin, 1400 - 600 - 3000 - 1500);
  assertEquals(rows[1]!.Lecture, 2.572);
  const csv = rowsAsCsv(rows).split("\r\n");
  assert(csv[0]!.startsWith("Seg_#,Arr_time,Del_Time,Stall_Dur,Rep_Level,"));
  assert(csv[2]!.includes('"avc3.64,""odd"""'));
  assertEquals(csv.length, 4);
  assertEquals(
    rowsAsJsonLines(rows),
    `${JSON.stringify(rows[0])}\n${JSON.stringify(rows[1])}\n`,
  );
});

Deno.test("yinQoe is the sum of rates less changes, stalls and start-up, as in the paper", () => {
  assertEquals(yinQoe([], { stallMs: 0, startupMs: 0 }), 0);
  assertEquals(
    yinQoe([350_000, 600_000, 3_000_000, 1_000_000], {
      ...{ stallMs: 2000, startupMs: 0 },
    }),
    4950 - (250 + 2400 + 2000) - 6000,
  );
});

Deno.test("p1203Input has picture, sound and stalls on the clock of the media", () => {
  const picture = [
    record("low", 400_000),
    record("high", 1_000_000),
    record("high", 1_000_000),
  ];
  const play = {
    ...{ picture, playedMs: 6000, startupMs: 700, choiceOf },
    sound: [record("aac", 64_000, { bytes: 32_000 }), record("aac", 64_000)],
    stalls: [{ playedMs: 4000, stallMs: 1500 }],
  };
  const input = p1203Input(play)!;
  assertEquals(
    input.I13.segments.map(({ start, duration, resolution, codec, bitrate }) =>
      [start, duration, resolution, codec, bitrate].join(" ")
    ),
    ["0 4 640x360 h264 500", "4 2 1280x720 h264 500"],
  );
  assertEquals(input.I11.segments[0], {
    ...{ codec: "aaclc", bitrate: 64, start: 0, duration: 4 },
  });
  assertEquals(input.I23.stalling, [[0, 0.7], [4, 1.5]]);
  const odd = { ...play, sound: [record("flac", 1)] };
  assertEquals(p1203Input(odd)!.I11.segments, []);
  assertEquals(p1203Input({ ...play, picture: [record("?", 1)] }), undefined);
  assertEquals(p1203Input({ ...play, picture: [] }), undefined);
});
