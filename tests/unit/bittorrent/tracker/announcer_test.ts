import { assertEquals } from "@std/assert";
import { Announcer } from "../../../../lib/bittorrent/tracker/announcer.ts";

function said(outputs: readonly { url: string; event: string }[]): string {
  return outputs.map(({ url, event }) => `${url} ${event}`).join(", ");
}

Deno.test("Announcer says started, then nothing in particular at the tracker's interval, completed at once, stopped last", () => {
  const announcer = new Announcer([["a"]]);
  assertEquals(said(announcer.handle({ kind: "start" }, 0)), "a started");
  assertEquals(announcer.deadlineMs, Infinity);
  announcer.handle({ kind: "answered", tier: 0, intervalMs: 60_000 }, 100);
  assertEquals(announcer.deadlineMs, 60_100);
  assertEquals(said(announcer.handle({ kind: "timeout" }, 60_100)), "a none");
  assertEquals(said(announcer.handle({ kind: "completed" }, 60_200)), "");
  assertEquals(
    said(
      announcer.handle(
        { kind: "answered", tier: 0, intervalMs: 60_000 },
        60_300,
      ),
    ),
    "a completed",
  );
  announcer.handle({ kind: "answered", tier: 0, intervalMs: 60_000 }, 60_400);
  assertEquals(announcer.deadlineMs, 120_400);
  assertEquals(said(announcer.handle({ kind: "stop" }, 70_000)), "a stopped");
  assertEquals(announcer.deadlineMs, Infinity);
});

Deno.test("Announcer tries the trackers of a tier in turn and keeps to the one that answers (BEP 12)", () => {
  const announcer = new Announcer([["a", "b"], ["c"]]);
  assertEquals(
    said(announcer.handle({ kind: "start" }, 0)),
    "a started, c started",
  );
  assertEquals(
    said(announcer.handle({ kind: "failed", tier: 0 }, 10)),
    "b started",
  );
  assertEquals(
    said(
      announcer.handle({ kind: "answered", tier: 0, intervalMs: 30_000 }, 20),
    ),
    "",
  );
  assertEquals(said(announcer.handle({ kind: "timeout" }, 30_020)), "b none");
});

Deno.test("Announcer waits 5, 10, 20 s and at most 5 min after failures, and starts over after an answer", () => {
  const announcer = new Announcer([["a"]]);
  let nowMs = 0;
  announcer.handle({ kind: "start" }, nowMs);
  const waits: number[] = [];
  for (let failure = 0; failure < 9; failure++) {
    announcer.handle({ kind: "failed", tier: 0 }, nowMs);
    waits.push(announcer.retryMs(0, nowMs) / 1000);
    nowMs = announcer.deadlineMs;
    assertEquals(
      said(announcer.handle({ kind: "timeout" }, nowMs)),
      "a started",
    );
  }
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
  announcer.handle({ kind: "answered", tier: 0, intervalMs: 60_000 }, nowMs);
  announcer.handle({ kind: "timeout" }, nowMs + 60_000);
  announcer.handle({ kind: "failed", tier: 0 }, nowMs + 60_000);
  assertEquals(announcer.retryMs(0, nowMs + 60_000), 5_000);
});

Deno.test("Announcer believes no interval below 5 s and tells nobody stopped who was not told started", () => {
  const announcer = new Announcer([["a"], ["b"]]);
  announcer.handle({ kind: "start" }, 0);
  announcer.handle({ kind: "answered", tier: 0, intervalMs: 0 }, 0);
  assertEquals(announcer.deadlineMs, 5_000);
  assertEquals(said(announcer.handle({ kind: "stop" }, 1)), "a stopped");
});

Deno.test("Announcer leaves a tracker alone for as long as it wants, and others of the tier stand in for it (BEP 31)", () => {
  const announcer = new Announcer([["a", "b"]]);
  announcer.handle({ kind: "start" }, 0);
  const fail = (retryMs: number | undefined, nowMs: number) =>
    said(announcer.handle({ kind: "failed", tier: 0, retryMs }, nowMs));
  assertEquals(fail(3_600_000, 0), "b started");
  assertEquals(fail(undefined, 0), "");
  // The first may not be asked yet; the second may, after the usual 5 s.
  assertEquals(announcer.deadlineMs, 5_000);
  assertEquals(said(announcer.handle({ kind: "timeout" }, 5_000)), "b started");
  assertEquals(fail(Infinity, 5_000), "");
  assertEquals(announcer.deadlineMs, 3_600_000);
  assertEquals(
    said(announcer.handle({ kind: "timeout" }, 3_600_000)),
    "a started",
  );
  assertEquals(fail(Infinity, 3_600_000), "");
  assertEquals(announcer.deadlineMs, Infinity);
});
