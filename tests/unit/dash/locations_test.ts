import { assert, assertEquals } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { Locations } from "../../../lib/dash/locations.ts";
import { parseMpd } from "../../../lib/dash/mpd/mpd.ts";

function mpd(bases: string) {
  return parseMpd(
    `<MPD mediaPresentationDuration="PT9S">${bases}<Period><AdaptationSet><Representation bandwidth="9"><SegmentTemplate duration="3" media="v/$Number$"/></Representation></AdaptationSet></Period></MPD>`,
    "http://mpd.example/m.mpd",
  );
}

function urlsOf(of: ReturnType<typeof mpd>): readonly string[] {
  const [period] = of.periods;
  return period!.adaptationSets[0]!.representations[0]!.segments[0]!.urls;
}

/** The first letters of the hosts, in the order in which they are asked. */
function hosts(locations: Locations, urls: readonly string[], nowMs: number) {
  return locations.order(urls, nowMs).map((url) => new URL(url).host[0]).join(
    "",
  );
}

const THREE =
  '<BaseURL serviceLocation="east">http://a.example/</BaseURL><BaseURL serviceLocation="east">http://b.example/</BaseURL><BaseURL serviceLocation="west">http://c.example/</BaseURL>';

Deno.test("Locations asks a place that failed last, for a while, with all that fails with it", () => {
  const title = mpd(THREE);
  const urls = urlsOf(title);
  const locations = new Locations(() => 0);
  locations.learn(title);
  assertEquals(hosts(locations, urls, 0), "abc");
  assertEquals(locations.failed(urls[0]!, 0), {
    location: "east",
    forMs: 10_000,
  });
  assertEquals(hosts(locations, urls, 1), "cab");
  locations.failed(urls[2]!, 5000);
  // All failed: the one that is due first.
  assertEquals(hosts(locations, urls, 5001), "abc");
  assertEquals(hosts(locations, urls, 10_000), "abc");
  assertEquals(locations.answered(urls[2]!), "west");
  assertEquals(locations.answered(urls[2]!), undefined);
});

Deno.test("Locations gives a place up for longer when it fails at its next turn, up to five minutes", () => {
  const locations = new Locations(() => 0);
  const url = "http://a.example/1";
  let nowMs = 0;
  const times: number[] = [];
  for (let turn = 0; turn < 7; turn++) {
    const { location, forMs } = locations.failed(url, nowMs);
    assertEquals(location, "http://a.example");
    times.push(forMs / 1000);
    // While it is given up it was asked for want of another one: no news.
    assertEquals(locations.failed(url, nowMs + 1).forMs, forMs);
    nowMs += forMs + 1;
  }
  assertEquals(times, [10, 20, 40, 80, 160, 300, 300]);
  locations.answered(url);
  assertEquals(locations.failed(url, nowMs).forMs, 10_000);
  assertEquals(locations.failed(url, nowMs, 60_000).forMs, 60_000);
});

Deno.test("Locations goes by dvb:priority, then by dvb:weight drawn once", () => {
  const title = mpd(
    `<BaseURL dvb:priority="2" serviceLocation="z">http://z.example/</BaseURL>
<BaseURL dvb:weight="3" serviceLocation="a">http://a.example/</BaseURL>
<BaseURL dvb:weight="1" serviceLocation="b">http://b.example/</BaseURL>`,
  );
  const urls = urlsOf(title);
  let first = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const locations = new Locations(seededRng(seed));
    locations.learn(title);
    const order = hosts(locations, urls, 0);
    assertEquals(order, hosts(locations, urls, 99_999));
    assertEquals(order.at(-1), "z");
    if (order[0] === "a") first += 1;
  }
  // Three in four, give or take four standard deviations.
  assert(Math.abs(first - 300) < 35, String(first));
});

Deno.test("Locations keeps the manifest's order where nothing is said", () => {
  const title = mpd(
    "<BaseURL>http://y.example/</BaseURL><BaseURL>http://x.example/</BaseURL>",
  );
  const locations = new Locations(() => 0.5);
  locations.learn(title);
  assertEquals(hosts(locations, urlsOf(title), 0), "yx");
  assertEquals(
    locations.locationOf("http://y.example/v/1"),
    "http://y.example",
  );
});

Deno.test("Locations asks where a manifest was asked for at first, after all other places, for what lies beside it", () => {
  const title = mpd(
    `<BaseURL>http://a.example/x/</BaseURL><BaseURL>http://b.example/</BaseURL>`,
  );
  const locations = new Locations(() => 0);
  locations.learn(title);
  const urls = ["http://a.example/x/1.m4s", "http://b.example/1.m4s"];
  assertEquals(locations.all(urls), urls);
  // Elsewhere at the same server there is no other server.
  locations.redirected("http://a.example/m.mpd", "http://a.example/x/m.mpd");
  assertEquals(locations.all(urls), urls);
  locations.redirected(
    "http://cdn.example/f/m.mpd",
    "http://a.example/x/m.mpd",
  );
  const all = locations.all(urls);
  assertEquals(all, [...urls, "http://cdn.example/f/1.m4s"]);
  assertEquals(hosts(locations, all, 0), "abc");
  locations.failed(urls[0]!, 0);
  locations.failed(urls[1]!, 0);
  assertEquals(hosts(locations, all, 1)[0], "c");
});
