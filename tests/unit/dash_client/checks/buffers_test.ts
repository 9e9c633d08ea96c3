import { assertEquals } from "@std/assert";
import {
  liveThresholds,
  thresholdsOf,
} from "../../../../roles/dash_client/checks/buffers.ts";

Deno.test("thresholdsOf asks for no more than the whole segments that fit, and for one of them at least", () => {
  const table = [
    // buffer, start, resume, segment -> start, resume
    [30_000, 0, undefined, 5000, 0, 0],
    [30_000, 10_000, undefined, 5000, 10_000, 10_000],
    [30_000, 10_000, 2000, 5000, 10_000, 2000],
    [10_000, 10_000, undefined, 4000, 8000, 8000],
    [10_000, 7000, 10_000, 4000, 7000, 8000],
    [12_000, 12_000, 12_000, 4000, 12_000, 12_000],
    // A segment longer than the buffer is taken all the same.
    [1000, 1000, undefined, 4000, 1000, 1000],
    // Nothing to play.
    [10_000, 10_000, undefined, 0, 10_000, 10_000],
  ] as const;
  for (const [buffer, startBuffer, resumeBuffer, each, ...wanted] of table) {
    const { startMs, resumeMs } = thresholdsOf(
      { buffer, startBuffer, resumeBuffer },
      each,
    );
    assertEquals([startMs, resumeMs], wanted, `${buffer} ${startBuffer}`);
  }
});

Deno.test("liveThresholds asks for half a segment unless told otherwise, and for no more than is there", () => {
  const table = [
    // start, resume, there -> start, resume
    [0, 0, 12_000, 2500, 0],
    [0, 0, 700, 700, 0],
    [100, 0, 12_000, 100, 0],
    [20_000, 20_000, 12_000, 5000, 5000],
    [20_000, 20_000, 3000, 3000, 5000],
  ] as const;
  for (const [startMs, resumeMs, thereMs, ...wanted] of table) {
    const about = { segmentMs: 5000, thereMs };
    const got = liveThresholds({ startMs, resumeMs }, about);
    assertEquals([got.startMs, got.resumeMs], wanted, `${startMs} ${thereMs}`);
  }
});
