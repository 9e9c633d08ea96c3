import { assert, assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import type { LiveView } from "../../../../lib/dash/live_title.ts";
import { ABR_RULES } from "../../../../lib/dash/abr/mod.ts";
import { openMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayFlags } from "../../../../roles/dash_client/flags.ts";
import { joinLive } from "../../../../roles/dash_client/play/live_play.ts";
import {
  fetchManifest,
  openLive,
} from "../../../../roles/dash_client/source/live_source.ts";
import type { Fetcher } from "../../../../roles/dash_client/network/fetcher.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { roleContext } from "../../../support/role_context.ts";
import { fetcherOf } from "../_fetching.ts";

const URL_OF_MPD = "http://live.example/manifest.mpd";

/** A manifest whose presentation began 20 s before the test's clock did, in segments of 5 s, `count` of them listed. */
function manifest(count: number, { type = "dynamic", inside = "" } = {}) {
  return `<MPD type="${type}" availabilityStartTime="2025-12-31T23:59:40Z" minimumUpdatePeriod="PT5S" timeShiftBufferDepth="PT10S" mediaPresentationDuration="PT1H">${inside}
<Period id="1" start="PT0S"><AdaptationSet><Representation id="v" bandwidth="9"><SegmentTemplate media="$Number$"><SegmentTimeline><S t="0" d="5" r="${
    count - 1
  }"/></SegmentTimeline></SegmentTemplate></Representation></AdaptationSet></Period></MPD>`;
}

/** Opens a live title whose server answers `answer`, and collects what it shows until it ends or `untilMs`. */
async function watch(
  answer: (url: string, headers: Headers, method: string) => Response,
  untilMs: number,
) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const asked: string[] = [];
  const fetcher = fetcherOf((url, options) => {
    asked.push(url);
    const headers = new Headers(options?.headers);
    return answer(url, headers, options?.method ?? "GET");
  }, { clock });
  const ctx = roleContext({ clock });
  const got = await fetchManifest(URL_OF_MPD, fetcher);
  assert(got.ok);
  const live = await openLive(openMpd(got.text, got.url), got, {
    ...{ fetcher, ctx },
    tracks: "all",
  });
  const views: LiveView[] = [];
  const watching = (async () => {
    for await (const view of live.views(stop.signal)) views.push(view);
  })();
  watching.catch(() => {});
  await clock.advanceTo(untilMs);
  stop.abort(new RunError("stopped", "enough"));
  return { watching, views, events: ctx.events, asked, live };
}

function numbers(view: LiveView | undefined): readonly number[] {
  return view?.tracks[0]?.positions.map(({ number }) => number) ?? [];
}

Deno.test("LiveSource fetches a growing timeline again, only if it has changed, until it is static", async () => {
  let requests = 0;
  const conditions: (string | null)[] = [];
  const { watching, views, events } = await watch((_url, headers) => {
    requests += 1;
    conditions.push(headers.get("if-none-match"));
    if (requests === 2) return new Response(null, { status: 304 });
    const text = requests < 5
      ? manifest(3 + requests)
      : manifest(9, { type: "static" });
    return new Response(text, { headers: { etag: `"${requests}"` } });
  }, 60_000);
  await watching;
  assertEquals(conditions, [null, '"1"', '"1"', '"3"', '"4"']);
  assertEquals(numbers(views[0]), [1, 2]);
  assertEquals(views.at(-1)?.ended, true);
  assertEquals(numbers(views.at(-1)).at(-1), 7);
  assertEquals(
    events.map((event) =>
      event.type === "manifest.refreshed"
        ? [event.type, event.changed, event.dynamic]
        : [event.type]
    ),
    [
      ["manifest.refreshed", false, true],
      ["manifest.refreshed", true, true],
      ["manifest.refreshed", true, true],
      ["manifest.refreshed", true, false],
    ],
  );
});

for (const trouble of ["fails", "says nothing"]) {
  Deno.test(`LiveSource tells of segments named by numbers while the server of the manifest ${trouble}`, async () => {
    const numbered = manifest(1).replace(
      /<SegmentTemplate.*<\/SegmentTemplate>/,
      '<SegmentTemplate duration="5" media="$Number$"/>',
    );
    let asked = 0;
    const { watching, views } = await watch(() => {
      asked += 1;
      if (asked === 1) return new Response(numbered);
      return trouble === "fails"
        ? new Response(null, { status: 503 })
        : new Response(new ReadableStream());
    }, 26_000);
    await assertRejects(() => watching, RunError, "enough");
    const told: number[] = [];
    for (const view of views) {
      const last = view.tracks[0]!.positions.at(-1)!.startMs / 1000;
      if (last !== told.at(-1)) told.push(last);
    }
    // The test begins 20 s after the presentation.
    assertEquals(told, [15, 20, 25, 30, 35, 40]);
  });
}

Deno.test("LiveSource asks where it asked at first when the place it was sent to fails", async () => {
  let sent = 0;
  let answers = 0;
  const { watching, views, events } = await watch((url) => {
    if (url === URL_OF_MPD) {
      sent += 1;
      const location = `http://node${sent}.example/m.mpd`;
      return new Response(null, { status: 302, headers: { location } });
    }
    answers += 1;
    const dead = url.includes("node1") && answers > 1;
    return dead
      ? new Response(null, { status: 503 })
      : new Response(manifest(9));
  }, 12_000);
  await assertRejects(() => watching, RunError, "enough");
  assertEquals(sent, 2);
  // At once after the other one, without a pause.
  assertEquals(events.map(({ type }) => type).slice(0, 2), [
    "manifest.missed",
    "manifest.refreshed",
  ]);
  const urls = views.map((view) =>
    view.tracks[0]?.positions.at(-1)?.choices[0]?.segment.urls[0]
  );
  assertEquals(new URL(urls.at(-1)!).host, "node2.example");
});

async function joining(text: string, liveDelay = 60_000) {
  const seen = await watch(() => new Response(text), 0);
  const ctx = roleContext({
    emit: (event) => void seen.events.push(event),
  });
  const flags = { speed: 1, seek: [], liveDelay };
  const joined = joinLive(seen.live, flags as unknown as PlayFlags, ctx);
  return { joined, events: seen.events };
}

Deno.test("joinLive begins inside a segment, so that the latency is the wanted one from the first picture on", async () => {
  const { joined } = await joining(manifest(4), 7000);
  const { tracks, fromMs, live, thereMs } = await joined;
  assertEquals([fromMs, live.edgeMs, thereMs], [13_000, 20_000, 7000]);
  const player = new Player(tracks, {
    ...{ rule: ABR_RULES.fixed, fixedIndex: 0, speed: 1, fromMs, live },
    ...{ startMs: 0, resumeMs: 0, capMs: 30_000 },
  });
  const [fetch] = player.handle({ kind: "start" }, 0);
  assert(fetch?.kind === "fetch");
  assertEquals(new URL(fetch.location.urls[0]!).pathname, "/3");
  player.handle({
    ...{ kind: "fetched", fetchId: fetch.fetchId, bytes: 9, ttfbMs: 10 },
    ...{ downloadMs: 100, server: "", cacheStatus: "", ageSeconds: 0 },
  }, 100);
  const told = player.handle({ kind: "timeout" }, 250)
    .flatMap((output) => output.kind === "latency" ? [output.record] : []);
  // Start-up is not made up for yet.
  assertEquals(told.map(({ latencyMs }) => latencyMs), [7100]);
});

Deno.test("joinLive tells the player that nothing follows when a title is over of which something is left", async () => {
  const left = manifest(4).replace("PT1H", "PT20S")
    .replace('minimumUpdatePeriod="PT5S"', "");
  const { growth, tracks } = await (await joining(left)).joined;
  assertEquals(tracks[0]?.positions.map(({ number }) => number), [1, 2]);
  const ends: boolean[] = [];
  for await (const { ended } of growth) ends.push(ended);
  assertEquals(ends, [true]);
});

Deno.test("joinLive goes by what the manifest allows, tells when --live-delay is more, and that a title is over", async () => {
  const inside =
    '<ServiceDescription><PlaybackRate min="0.9" max="1.5"/></ServiceDescription>';
  const { joined, events } = await joining(manifest(4, { inside }));
  const { live } = await joined;
  assertEquals([live.targetMs, live.maxChange], [10_000, 0.5]);
  assertEquals(events.map(({ type }) => type), ["manifest.warned"]);
  const over = manifest(1).replace("PT1H", "PT5S")
    .replace('minimumUpdatePeriod="PT5S"', "");
  const { joined: late } = await joining(over);
  const error = await assertRejects(() => late, RunError);
  assertEquals(error.code, "live-over");
});

Deno.test("LiveSource goes on with what it has while the manifest cannot be had, and follows Location", async () => {
  let failing = 3;
  const elsewhere = "http://other.example/m.mpd";
  const inside = `<Location>${elsewhere}</Location>`;
  const { watching, events, asked, views } = await watch((url) => {
    if (url === URL_OF_MPD) return new Response(manifest(4, { inside }));
    failing -= 1;
    return failing >= 0
      ? new Response("no", { status: 503 })
      : new Response(manifest(9, { type: "static" }));
  }, 60_000);
  await watching;
  assertEquals(asked, [URL_OF_MPD, ...Array(4).fill(elsewhere)]);
  assertEquals(events.map(({ type }) => type), [
    ...Array(3).fill("manifest.missed"),
    "manifest.refreshed",
  ]);
  assertEquals(views.at(-1)?.ended, true);
});

Deno.test("LiveSource takes no manifest that is none, and gives up a title that stays lost", async () => {
  let requests = 0;
  const { watching, events } = await watch(() => {
    requests += 1;
    return new Response(requests === 1 ? manifest(4) : "<html>");
  }, 120_000);
  const error = await assertRejects(() => watching, RunError);
  assertEquals(error.code, "manifest-lost");
  assertEquals(events.length, 10);
});

Deno.test("openLive measures the clock it is told of, in the order of the manifest", async () => {
  const timing = (scheme: string, value: string) =>
    `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:${scheme}:2014" value="${value}"/>`;
  const wall = new Date(new ManualClock().wallMs() + 7000).toISOString();
  const cases = [
    [timing("http-iso", "http://time.example/iso"), 7000],
    [timing("http-xsdate", "http://time.example/iso"), 7000],
    [timing("http-head", "http://time.example/"), 7500],
    [timing("direct", wall), 7000],
    [
      timing("ntp", "time.example") +
      timing("http-iso", "http://gone.example/") +
      timing("http-iso", "http://time.example/iso"),
      7000,
    ],
    ["", 0],
  ] as const;
  for (const [inside, offsetMs] of cases) {
    const { watching, live, events } = await watch((url, _headers, method) => {
      if (url === URL_OF_MPD) return new Response(manifest(4, { inside }));
      if (url.includes("gone")) return new Response("no", { status: 404 });
      const date = new Date(wall).toUTCString();
      return method === "HEAD"
        ? new Response(null, { headers: { date } })
        : new Response(`${wall}\n`);
    }, 0);
    await watching.catch(() => {});
    assertEquals(live.title.offsetMs, offsetMs, inside);
    const compared = events.filter(({ type }) => type === "clock.compared");
    assertEquals(compared.length, inside === "" ? 0 : 1);
  }
});

/** Opens a live title with a clock that `clockSays`, and lets 2 s pass. */
async function openWithClock(clockSays: Fetcher["get"]) {
  const clock = new ManualClock();
  const timing =
    '<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="http://time.example/"/>';
  const plain = fetcherOf(
    () => new Response(manifest(4, { inside: timing })),
    { clock },
  );
  const got = await fetchManifest(URL_OF_MPD, plain);
  assert(got.ok);
  const fetcher = { get: clockSays } as Fetcher;
  const ctx = roleContext({ clock });
  const opening = openLive(openMpd(got.text, got.url), got, {
    ...{ fetcher, ctx, tracks: "all" },
  });
  await clock.advanceTo(2000);
  const live = await opening;
  assertEquals(live.title.offsetMs, 0);
  return ctx.events.map(({ type }) => type);
}

Deno.test("openLive does not wait for a clock that says nothing, nor ends for one whose name nobody knows, and says that it has none", async () => {
  const silent: Fetcher["get"] = (_, options) =>
    new Promise((resolve) =>
      options!.signal!.addEventListener(
        "abort",
        () => resolve({ ok: false, status: undefined, problem: "given up" }),
      )
    );
  assertEquals(await openWithClock(silent), ["manifest.warned"]);
  const unknown = () => Promise.reject(new RunError("name-not-found", "no"));
  assertEquals(await openWithClock(unknown), ["manifest.warned"]);
});

Deno.test("LiveSource goes on when nobody knows the name of a place that it is sent to", async () => {
  const inside = "<Location>http://nowhere.example/m.mpd</Location>";
  const clock = new ManualClock();
  const ctx = roleContext({ clock });
  const plain = fetcherOf(() => new Response(manifest(4, { inside })), {
    clock,
  });
  const got = await fetchManifest(URL_OF_MPD, plain);
  assert(got.ok);
  const fetcher = {
    get: () => Promise.reject(new RunError("name-not-found", "no such name")),
  } as unknown as Fetcher;
  const live = await openLive(openMpd(got.text, got.url), got, {
    ...{ fetcher, ctx, tracks: "all" },
  });
  const stop = new AbortController();
  const views = live.views(stop.signal);
  const seen = [views.next(), views.next()];
  await clock.advanceTo(6000);
  for (const each of seen) assertEquals((await each).done, false);
  assertEquals(ctx.events.at(-1)?.type, "manifest.missed");
  stop.abort(new RunError("stopped", "enough"));
});

Deno.test("joinLive says when a presentation begins that has not yet", async () => {
  const { joined, events } = await joining(
    manifest(4).replace("2025-12-31T23:59:40Z", "2026-01-01T00:05:00Z"),
  );
  joined.catch(() => {});
  const told = events.flatMap((each) =>
    each.type === "manifest.warned" ? [each.text] : []
  );
  assertEquals(told, ["it begins in 5 min 00 s (availabilityStartTime)"]);
});
