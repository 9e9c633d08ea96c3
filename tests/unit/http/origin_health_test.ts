import { assertEquals } from "@std/assert";
import { OriginHealth } from "../../../lib/http/origin_health.ts";

Deno.test("OriginHealth opens the circuit after three failures in a row and a second without an answer, and tries one request after a pause", () => {
  const health = new OriginHealth({ hasChecks: false });
  assertEquals(health.failed(0), undefined);
  assertEquals(health.failed(1), undefined);
  assertEquals(health.succeeded(2), undefined);
  for (const atMs of [3, 4, 5, 1001]) {
    assertEquals(health.failed(atMs), undefined);
  }
  assertEquals(health.mayAsk(1001), true);
  assertEquals(health.failed(1002), { kind: "suspended", pauseMs: 1000 });
  assertEquals([health.mayAsk(1003), health.mayAsk(2001)], [false, false]);
  // One on trial, and only one.
  assertEquals([health.mayAsk(2002), health.mayAsk(2003)], [true, false]);
  // It fails: twice the pause.
  assertEquals(health.failed(2010), undefined);
  assertEquals([health.mayAsk(4009), health.mayAsk(4010)], [false, true]);
  // Nobody waited for the answer: the next may try.
  health.abandoned();
  assertEquals(health.mayAsk(4011), true);
  assertEquals(health.succeeded(4020), {
    kind: "restored",
    suspendedMs: 3018,
  });
  assertEquals([health.isDoubtful(4021), health.mayAsk(4021)], [false, true]);
});

Deno.test("OriginHealth takes the failures of requests that were under way together for one", () => {
  const health = new OriginHealth({ hasChecks: false });
  const changes = Array.from({ length: 256 }, (_, at) => health.failed(at));
  assertEquals(changes.filter((change) => change !== undefined), [
    { kind: "suspended", pauseMs: 1000 },
  ]);
  assertEquals([health.mayAsk(1001), health.mayAsk(1002)], [false, true]);
});

Deno.test("OriginHealth pauses 10 s at most", () => {
  const health = new OriginHealth({ hasChecks: false });
  for (let n = 0; n < 3; n++) health.failed(0);
  let nowMs = 0;
  for (let n = 0; n < 10; n++) {
    const from = nowMs;
    while (!health.mayAsk(nowMs)) nowMs += 100;
    assertEquals(nowMs - from <= 10_000, true);
    health.failed(nowMs);
  }
});

Deno.test("OriginHealth goes by its checks where there are some", () => {
  const health = new OriginHealth({ hasChecks: true });
  assertEquals(health.checked(true, 0), undefined);
  assertEquals(health.checked(false, 1), undefined);
  assertEquals(health.checked(true, 2), undefined);
  assertEquals(health.checked(false, 3), undefined);
  assertEquals(health.checked(false, 4), {
    kind: "suspended",
    pauseMs: Infinity,
  });
  // No client's request is risked, however late, and a straggler's success changes nothing.
  assertEquals(health.mayAsk(1e9), false);
  assertEquals(health.succeeded(5), undefined);
  assertEquals(health.checked(true, 6), undefined);
  assertEquals(health.checked(true, 7), { kind: "restored", suspendedMs: 3 });
  assertEquals(health.mayAsk(8), true);
});

Deno.test("OriginHealth puts an origin that declined behind the others for 5 s, and goes on asking it", () => {
  const health = new OriginHealth({ hasChecks: false });
  for (let n = 0; n < 10; n++) assertEquals(health.declined(100), undefined);
  assertEquals([health.isDoubtful(5100), health.isDoubtful(5101)], [
    true,
    false,
  ]);
  assertEquals(health.mayAsk(101), true);
});
