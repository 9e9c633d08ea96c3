import { assert, assertEquals } from "@std/assert";
import {
  Attempts,
  type Failure,
  isAbsent,
  MAX_RETRY_AFTER_MS,
  readRetryAfter,
} from "../../../lib/dash/attempts.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import { Locations } from "../../../lib/dash/locations.ts";

/** Fails each request with what `failureOf` says; returns URLs with their times, and how it ended. */
function fail(
  urls: readonly string[],
  failureOf: (url: string) => Failure,
  { random = () => 1, rounds, absentRounds }: {
    readonly random?: () => number;
    readonly rounds?: number;
    readonly absentRounds?: number;
  } = {},
): readonly string[] {
  const attempts = new Attempts(urls, {
    locations: new Locations(random),
    random,
    rounds,
    absentRounds,
  });
  const log: string[] = [];
  let nowMs = 0;
  for (let url = attempts.first(nowMs);;) {
    log.push(`${nowMs} ${url}`);
    const next = attempts.next(failureOf(url), nowMs);
    if (next.kind === "give-up") {
      const { absent, hopeless } = next;
      // To ask again for what nobody has is no hope either.
      assertEquals(absent && !hopeless, false);
      return [...log, absent ? "absent" : hopeless ? "hopeless" : "failed"];
    }
    url = next.url;
    nowMs = next.atMs;
  }
}

const A = "http://a/1";
const B = "http://b/1";

Deno.test("Attempts asks each place once a round, with pauses that double", () => {
  assertEquals(fail([A, B], () => ({ status: 500 })), [
    `0 ${A}`,
    `0 ${B}`,
    `500 ${A}`,
    `500 ${B}`,
    `1500 ${A}`,
    `1500 ${B}`,
    "failed",
  ]);
  for (
    const [status, end] of [[undefined, "failed"], [200, "hopeless"]] as const
  ) {
    assertEquals(fail([A], () => ({ status })), [
      `0 ${A}`,
      `500 ${A}`,
      `1500 ${A}`,
      end,
    ]);
  }
});

Deno.test("Attempts asks twice for what no server knows, and as often as for failures when one of them failed", () => {
  assertEquals(fail([A], () => ({ status: 404 })), [
    `0 ${A}`,
    `500 ${A}`,
    "absent",
  ]);
  assertEquals(fail([A], () => ({ status: 404 }), { absentRounds: 1 }), [
    ...[`0 ${A}`, "absent"],
  ]);
  const mixed = fail([A, B], (url) => ({ status: url === A ? 404 : 503 }));
  assertEquals(mixed.length, 7);
  assertEquals(mixed.at(-1), "failed");
});

Deno.test("Attempts asks each place once when that is all it may", () => {
  assertEquals(fail([A, B], () => ({ status: 502 }), { rounds: 1 }), [
    `0 ${A}`,
    `0 ${B}`,
    "failed",
  ]);
});

Deno.test("Attempts waits as long as Retry-After says, but not for ever", () => {
  const wanting = (retryAfterMs: number) =>
    fail([A], () => ({ status: 503, retryAfterMs }));
  assertEquals(wanting(3000), [`0 ${A}`, `3000 ${A}`, `6000 ${A}`, "failed"]);
  assertEquals(wanting(MAX_RETRY_AFTER_MS + 1), [`0 ${A}`, "failed"]);
});

Deno.test("Attempts draws half of each pause", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const log = fail([A], () => ({ status: 500 }), { random: seededRng(seed) });
    const [first, second] = log.slice(1, 3).map((each) => parseFloat(each));
    assert(first! >= 250 && first! < 500, `seed ${seed}: ${first}`);
    const pause = second! - first!;
    assert(pause >= 500 && pause < 1000, `seed ${seed}: ${pause}`);
  }
});

Deno.test("isAbsent tells what is not there from what cannot be had now", () => {
  const absent = [400, 403, 404, 410, 416];
  const others = [undefined, 200, 408, 429, 500, 502, 503, 504];
  assertEquals(absent.filter(isAbsent), absent);
  assertEquals(others.filter(isAbsent), []);
});

Deno.test("readRetryAfter takes seconds and dates", () => {
  const now = Date.UTC(2026, 10, 26, 12);
  assertEquals(readRetryAfter("120", now), 120_000);
  assertEquals(readRetryAfter("Thu, 26 Nov 2026 12:00:05 GMT", now), 5000);
  assertEquals(readRetryAfter("Thu, 26 Nov 2026 11:00:05 GMT", now), 0);
  for (const text of [null, "", "soon", "-1", "1.5", "9".repeat(20)]) {
    assertEquals(readRetryAfter(text, now), undefined);
  }
});
