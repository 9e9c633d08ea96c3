import { assert, assertEquals } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { Locations } from "../../../../lib/dash/locations.ts";
import type { Fetcher } from "../../../../roles/dash_client/network/fetcher.ts";
import { SegmentSource } from "../../../../roles/dash_client/source/segment_source.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";
import { fetcherOf } from "../_fetching.ts";

type Answer = (url: string, tries: number) => Response | Error;

/** Gets `urls` from servers that answer `answer`; returns what came of it, requests and events with their times. */
async function get(urls: readonly string[], answer: Answer, {
  range,
  locations = new Locations(() => 1),
  clock = new ManualClock(),
  giveUpAtMs = Infinity,
}: {
  readonly range?: { readonly first: number; readonly last: number };
  readonly locations?: Locations;
  readonly clock?: ManualClock;
  readonly giveUpAtMs?: number;
} = {}) {
  const asked: string[] = [];
  const fetcher = fetcherOf((url) => {
    asked.push(`${clock.nowMs()} ${url}`);
    const got = answer(url, asked.length);
    if (got instanceof Error) throw got;
    return got;
  }, { clock });
  const ctx = roleContext({ clock, rng: () => 1 });
  const source = new SegmentSource(fetcher, locations, ctx);
  let bytes = 0;
  const giving = new AbortController();
  const getting = source.get({ urls, range }, {
    segmentNumber: 7,
    signal: giving.signal,
    begin: () => bytes = 0,
    sink: (part) => void (bytes += part.length),
  });
  const startedAtMs = clock.nowMs();
  await clock.advanceTo(startedAtMs + Math.min(giveUpAtMs, 100_000));
  giving.abort();
  /** As records: which fields there are depends on the type. */
  const events = ctx.events.map((event): Record<string, unknown> => ({
    ...event,
  }));
  return { got: await getting, asked, events, bytes };
}

const A = "http://a/1";
const B = "http://b/1";
const body = () => new Response(new Uint8Array(1000));

Deno.test("SegmentSource goes to the next place when a connection fails, and asks it first from then on", async () => {
  const locations = new Locations(() => 1);
  const clock = new ManualClock();
  const dead: Answer = (url) => url === A ? new TypeError("reset") : body();
  const first = await get([A, B], dead, { locations, clock });
  assert(first.got.ok);
  assertEquals(first.asked, [`0 ${A}`, `0 ${B}`]);
  assertEquals(first.bytes, 1000);
  assertEquals(
    first.events.map(({ type, location, next, forMs }) => [
      type,
      location ?? next,
      forMs,
    ]),
    [
      ["location.failed", "http://a", 10_000],
      ["segment.missed", "next-url", undefined],
    ],
  );
  locations.failed(A, clock.nowMs());
  const second = await get([A, B], dead, { locations, clock });
  assertEquals(second.asked, [`100000 ${B}`]);
  // When its time is up it has its turn again, and is forgiven if it answers.
  const third = await get([A, B], body, { locations, clock });
  assertEquals(third.asked, [`200000 ${A}`]);
  assertEquals(third.events, [{
    type: "location.recovered",
    location: "http://a",
  }]);
});

Deno.test("SegmentSource goes to the next place when nobody knows the name of one", async () => {
  const clock = new ManualClock();
  const good = fetcherOf(body, { clock });
  const get: Fetcher["get"] = (url, options) =>
    url === A
      ? Promise.reject(new RunError("name-not-found", "Cannot find a"))
      : good.get(url, options);
  const ctx = roleContext({ clock, rng: () => 0 });
  const source = new SegmentSource(
    { get } as Fetcher,
    new Locations(() => 0),
    ctx,
  );
  const got = await source.get({ urls: [A, B], range: undefined }, {
    segmentNumber: 1,
  });
  assert(got.ok);
  assertEquals(got.url, B);
});

Deno.test("SegmentSource waits for a server that asks for it, and tries again", async () => {
  const busy: Answer = (_url, tries) =>
    tries < 3
      ? new Response("busy", { status: 503, headers: { "retry-after": "2" } })
      : body();
  const { got, asked, events } = await get([A], busy);
  assert(got.ok);
  assertEquals(asked, [`0 ${A}`, `2000 ${A}`, `4000 ${A}`]);
  assertEquals(
    events.map(({ type, next, waitMs }) => [type, next, waitMs]),
    Array(2).fill(["segment.missed", "again", 2000]),
  );
});

Deno.test("SegmentSource says that no server knows a segment", async () => {
  const { got, asked, events } = await get(
    [A, B],
    () => new Response("no", { status: 404 }),
  );
  assert(!got.ok);
  assertEquals([got.absent, got.url], [true, B]);
  assertEquals(asked.length, 4);
  // What is not there is no failure of the place.
  assertEquals(events.map(({ type }) => type), Array(3).fill("segment.missed"));
});

const WRONG: readonly (readonly [what: string, () => Response, string])[] = [
  [
    "a body shorter than announced",
    () =>
      new Response(new Uint8Array(10), { headers: { "content-length": "20" } }),
    "10 bytes came of 20",
  ],
  ["a redirect without end", () =>
    new Response(null, {
      status: 302,
      headers: { location: "/2" },
    }), "it redirects more than 5 times"],
];

for (const [what, answer, problem] of WRONG) {
  Deno.test(`SegmentSource takes ${what} for a failure`, async () => {
    const { got } = await get([A], answer);
    assert(!got.ok);
    assertEquals([got.problem, got.absent], [problem, false]);
  });
}

/** An answer to `bytes=100-199` with these fields. */
function part(bytes: number, contentRange?: string, status = 206): Response {
  return new Response(new Uint8Array(bytes), {
    status,
    ...(contentRange === undefined
      ? {}
      : { headers: { "content-range": contentRange } }),
  });
}

const RANGES: readonly (readonly [Response, string | undefined])[] = [
  [part(100, "bytes 100-199/1000"), undefined],
  [part(100, "bytes 100-199/*"), undefined],
  // The file ends sooner than its index says.
  [part(50, "bytes 100-149/150"), undefined],
  [part(1000, undefined, 200), "the server does not know byte ranges"],
  [part(100), "a part came without Content-Range"],
  [part(100, "bytes 0-99/1000"), "another part came: bytes 0-99/1000"],
  [part(50, "bytes 100-149/1000"), "another part came: bytes 100-149/1000"],
  [part(200, "bytes 100-299/1000"), "another part came: bytes 100-299/1000"],
  [part(99, "bytes 100-199/1000"), "99 bytes came of 100"],
];

for (const [answer, problem] of RANGES) {
  const field = answer.headers.get("content-range");
  Deno.test(`SegmentSource checks a part: ${answer.status}, ${field}, ${problem}`, async () => {
    const range = { first: 100, last: 199 };
    const { got } = await get([A], () => answer.clone(), { range });
    assertEquals(got.ok ? undefined : got.problem, problem);
  });
}

Deno.test("SegmentSource can be told to give up while it waits", async () => {
  const { got, asked } = await get(
    [A],
    () => new Response("no", { status: 500 }),
    { giveUpAtMs: 700 },
  );
  assert(!got.ok);
  assertEquals([got.abandoned, asked.length], [true, 2]);
});
