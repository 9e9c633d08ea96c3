import { assertEquals } from "@std/assert";
import { Playout } from "../../../../lib/dash/player/playout.ts";

const OPTIONS = { startMs: 4000, resumeMs: 2000, capMs: 10_000 };

Deno.test("Playout starts at the start threshold and not before", () => {
  const playout = new Playout(OPTIONS, 100);
  assertEquals(playout.add(2000, 600), []);
  assertEquals(playout.state, "starting");
  assertEquals(playout.deadlineMs, Infinity);
  assertEquals(playout.add(2000, 1100), [
    { kind: "started", atMs: 1100, startupMs: 1000 },
  ]);
  assertEquals(playout.deadlineMs, 5100);
});

Deno.test("Playout stalls at the instant the buffer runs dry, however late it is asked", () => {
  const playout = new Playout(OPTIONS, 0);
  playout.add(4000, 1000);
  assertEquals(playout.advance(4999), []);
  assertEquals(playout.bufferMs, 1);
  assertEquals(playout.advance(6500), [
    { kind: "stalled", atMs: 5000, positionMs: 4000 },
  ]);
  assertEquals(playout.stalledMs, 1500);
  assertEquals(playout.add(1000, 7000), []);
  assertEquals(playout.add(1000, 8000), [
    { kind: "resumed", atMs: 8000, positionMs: 4000, stallMs: 3000 },
  ]);
  assertEquals([playout.stalledMs, playout.stallCount], [3000, 1]);
  assertEquals(playout.deadlineMs, 10_000);
});

Deno.test("Playout does not stall when a segment comes just as the buffer runs dry", () => {
  const playout = new Playout(OPTIONS, 0);
  playout.add(4000, 0);
  assertEquals(playout.add(2000, 4000), []);
  assertEquals(playout.deadlineMs, 6000);
});

Deno.test("Playout says when a segment fits", () => {
  const playout = new Playout(OPTIONS, 0);
  assertEquals(playout.roomAtMs(9000), 0);
  playout.add(8000, 0);
  assertEquals(playout.roomAtMs(2000), 0);
  assertEquals(playout.roomAtMs(5000), 3000);
  playout.advance(1000);
  assertEquals(playout.roomAtMs(5000), 3000);
  // Longer than the cap: when the buffer is empty.
  assertEquals(playout.roomAtMs(60_000), 8000);
});

Deno.test("Playout plays a short title to its end", () => {
  const playout = new Playout(OPTIONS, 0);
  playout.add(500, 100);
  assertEquals(playout.finish(100), [
    { kind: "started", atMs: 100, startupMs: 100 },
  ]);
  assertEquals(playout.advance(9000), [
    { kind: "ended", atMs: 600, positionMs: 500 },
  ]);
  assertEquals(playout.deadlineMs, Infinity);
  assertEquals(playout.stallCount, 0);
});

Deno.test("Playout without media ends at once", () => {
  const playout = new Playout(OPTIONS, 0);
  assertEquals(playout.finish(5), [
    { kind: "ended", atMs: 5, positionMs: 0 },
  ]);
});

Deno.test("Playout leaps over a gap in the presentation, and measures nothing by it", () => {
  const playout = new Playout({ ...OPTIONS, startMs: 1000 }, 0);
  playout.continueAt(0, 0);
  playout.add(4000, 0);
  playout.continueAt(7000, 0);
  playout.add(2000, 0);
  playout.continueAt(9000, 0);
  playout.add(2000, 0);
  // 4 s and 4 s of media, and nothing from 4 to 7 s.
  assertEquals(playout.bufferMs, 8000);
  assertEquals(playout.deadlineMs, 8000);
  assertEquals(playout.reachedAtMs(8000), 5000);
  assertEquals(playout.reachedAtMs(5500), 4000);
  assertEquals([playout.has(10_999), playout.has(11_000)], [true, false]);
  playout.advance(3000);
  assertEquals(playout.positionMs, 3000);
  playout.advance(4000);
  assertEquals([playout.positionMs, playout.playedMs], [7000, 4000]);
  assertEquals(playout.advance(8500), [
    { kind: "stalled", atMs: 8000, positionMs: 11_000 },
  ]);
});

Deno.test("Playout seeks across a gap in the buffer", () => {
  const playout = new Playout({ ...OPTIONS, startMs: 1000 }, 0);
  playout.add(4000, 0);
  playout.continueAt(7000, 0);
  playout.add(2000, 0);
  assertEquals(playout.seek(8000, 1000), [
    { kind: "seeked", atMs: 1000, fromMs: 1000, toMs: 8000, seekMs: 0 },
  ]);
  assertEquals([playout.positionMs, playout.bufferMs], [8000, 1000]);
});

Deno.test("Playout tells what seeks passed over", () => {
  const playout = new Playout({ ...OPTIONS, startMs: 1000 }, 0);
  playout.add(8000, 0);
  playout.seek(5000, 2000);
  playout.seek(60_000, 3000);
  assertEquals(playout.skips, [
    { playedMs: 2000, mediaMs: 3000 },
    { playedMs: 3000, mediaMs: 2000 },
  ]);
});

Deno.test("Playout tells a whole second as 1,000 ms, however odd the instants at which it was asked", () => {
  const playout = new Playout({ ...OPTIONS, startMs: 1000 }, 0);
  playout.add(1000, 0);
  for (let tenth = 1; tenth <= 10; tenth += 1) {
    playout.advance(tenth * 100 + tenth / 30);
  }
  playout.advance(1100);
  assertEquals(playout.playedMs, 1000);
});
