/** The course projects' rules and logs, with the tolerances of CMU's grader (project 3), in a time that the test owns. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatChunk } from "../../../../lib/http/course_log.ts";
import { keepLowestRung } from "../../../../lib/dash/lowest_rung.ts";
import { parseMpd } from "../../../../lib/dash/mpd/mpd.ts";
import { chooseRate } from "../../../../lib/model/course_rate.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import type { HttpRequest } from "../../../../lib/io/http.ts";
import { Course } from "../../../../roles/edge/titles/course.ts";
import { Errands } from "../../../../roles/edge/titles/errands.ts";
import { Limits } from "../../../../roles/edge/front/limits.ts";
import { Titles } from "../../../../roles/edge/titles/titles.ts";
import { bytesOf, requestOf } from "../../../support/http_exchange.ts";
import { roleContext } from "../../../support/role_context.ts";
import { manifestOf, SEGMENTS } from "../../../support/small_title.ts";

const RATES = [50_000, 75_000, 100_000, 200_000];

/** A proxy with a link to its client, and what it logs. */
function proxyOf(alpha: number, linkBitsPerSecond: number, rates = RATES) {
  const ctx = roleContext();
  const { clock } = ctx;
  const lines: string[] = [];
  const titles = new Titles({
    targetOf: (url) => url.replace("http://origin.test", ""),
    urlOf: (target) => `http://origin.test${target}`,
  }, clock);
  const answer = ({ target }: HttpRequest) => ({
    status: 200,
    headers: new Fields(),
    body: target === "/film.mpd"
      ? new TextEncoder().encode(manifestOf(rates))
      : new Uint8Array(Number(/\d+/.exec(target)) / 8),
  });
  const course = new Course(ctx, {
    alpha,
    titles,
    errands: new Errands({ handle: answer }, new AbortController().signal),
    server: "3.0.0.1",
    log: { format: "cmu", write: (line) => void lines.push(line) },
  });
  let limits: Limits;
  const link = (bitsPerSecond: number) => {
    const perClient = bitsPerSecond / 8;
    limits = new Limits({ total: undefined, perClient }, clock);
  };
  link(linkBitsPerSecond);
  const get = async (target: string, fields: [string, string][] = []) => {
    const request = requestOf(target, { headers: new Fields(fields) });
    const own = await course.answer(request);
    if (own !== undefined) return await bytesOf(own.body);
    const chosen = course.choose(request);
    assert(chosen !== undefined, target);
    const passed = limits.apply(
      request,
      answer(requestOf(chosen.target)),
    );
    const body = course.measure(passed, chosen, request).body;
    const done = bytesOf(body);
    let isDone = false;
    void done.then(() => isDone = true);
    while (!isDone) await clock.advanceTo(clock.nowMs() + 1000);
    return await done;
  };
  return { get, lines, link, course, events: ctx.events };
}

/** The fields of a line of CMU's log, as its grapher reads them. */
function read(line: string) {
  const [time, duration, tput, avg, bitrate, server, chunk, ...rest] = line
    .trim().split(" ");
  assertEquals(rest, []);
  return {
    time: Number(time),
    duration: Number(duration),
    tput: 1000 * Number(tput),
    avg: 1000 * Number(avg),
    bitrate: 1000 * Number(bitrate),
    server,
    chunk,
  };
}

for (const alpha of [1, 0.5]) {
  Deno.test(`Course measures a link and follows its changes within CMU's tolerances, alpha ${alpha}`, async () => {
    const { get, lines, link } = proxyOf(alpha, 160_000);
    await get("/film.mpd");
    let asked = 0;
    for (const linkRate of [160_000, 330_000, 80_000]) {
      link(linkRate);
      // As many as it takes the average to come near.
      const chunks = alpha === 1 ? 2 : 6;
      for (let n = 0; n < chunks; n++) {
        asked += 1;
        await get(`/50000-${1 + asked % SEGMENTS}.m4s`);
      }
      const { tput, avg, bitrate, chunk } = read(lines.at(-1)!);
      assert(Math.abs(tput - linkRate) < 0.3 * linkRate, `${tput} ${linkRate}`);
      assert(
        Math.abs(avg - linkRate) < 0.3 / alpha * linkRate,
        `${avg} ${linkRate}`,
      );
      const expected = RATES[chooseRate(RATES, linkRate)]!;
      assert(Math.abs(bitrate - expected) < 0.1 / alpha * expected);
      assertEquals(chunk, `/${bitrate}-${1 + asked % SEGMENTS}.m4s`);
    }
    assertEquals(lines.length, asked);
    const first = read(lines[0]!);
    assertEquals([first.bitrate, first.server], [50_000, "3.0.0.1"]);
  });
}

Deno.test("chooseRate takes the highest rate with half as much again, or the lowest", () => {
  const rates = [500, 1000, 2000];
  const choices = [0, 749, 1499, 1500, 2999, 3000, 1e9].map((throughput) =>
    rates[chooseRate(rates, throughput)]
  );
  assertEquals(choices, [500, 500, 500, 1000, 1000, 2000, 2000]);
});

Deno.test("Course hides all rates but the lowest, and believes a browser that reports", async () => {
  const { get, course, lines } = proxyOf(1, 1_000_000);
  const text = new TextDecoder().decode(await get("/film.mpd"));
  const [{ adaptationSets }] = parseMpd(text, "http://x/").periods as [
    ReturnType<typeof parseMpd>["periods"][0],
  ];
  assertEquals(
    adaptationSets.map(({ representations }) =>
      representations.map(({ bitsPerSecond }) => bitsPerSecond)
    ),
    [[50_000], [64_000]],
  );
  const browser: [string, string] = ["x-489-uuid", "b-1"];
  const report = (bits: number | string) =>
    course.answer(requestOf("/on-fragment-received", {
      method: "POST",
      headers: new Fields([
        browser,
        ["x-fragment-size", typeof bits === "string" ? bits : `${bits / 8}`],
        ["x-timestamp-start", "1700000000000"],
        ["x-timestamp-end", "1700000001000"],
      ]),
    }));
  assertEquals((await report(120_000))?.status, 200);
  for (const bytes of ["1e400", "1e306", "-1", "0", "x"]) {
    assertEquals((await report(bytes))?.status, 400, bytes);
  }
  await get("/50000-1.m4s", [browser]);
  await get("/50000-2.m4s", [browser]);
  // The link is much faster, the browser said otherwise.
  assertEquals(lines.map((line) => read(line).bitrate), [75_000, 75_000]);
  await get("/50000-2.m4s");
  await get("/50000-3.m4s");
  assertEquals(read(lines.at(-1)!).bitrate, 200_000);
});

Deno.test("Course answers HEAD as it does GET, and says once when a manifest has nothing to choose from", async () => {
  for (const rates of [[50_000], RATES]) {
    const { course, events } = proxyOf(1, 1_000_000, rates);
    const lengths = [];
    for (const method of ["GET", "HEAD", "GET"]) {
      const answer = await course.answer(requestOf("/film.mpd", { method }));
      assert(answer?.body instanceof Uint8Array);
      lengths.push(answer.body.length);
    }
    assertEquals(new Set(lengths).size, 1);
    const refused = events.filter(({ type }) => type === "title.refused");
    assertEquals(refused.length, rates.length === 1 ? 1 : 0);
  }
});

Deno.test("Course leaves a range of a segment alone: in another rate the same bytes are others", async () => {
  const { get, course } = proxyOf(1, 10_000_000);
  await get("/film.mpd");
  await get("/50000-1.m4s");
  assertEquals(
    course.choose(requestOf("/50000-2.m4s"))?.target,
    "/200000-2.m4s",
  );
  const headers = new Fields([["range", "bytes=10-"]]);
  assertEquals(
    course.choose(requestOf("/50000-2.m4s", { headers })),
    undefined,
  );
});

Deno.test("formatChunk writes each project's columns", () => {
  const chunk = {
    wallSeconds: 1_700_000_000.25,
    browser: "10.0.0.1",
    server: "3.0.0.1",
    chunk: "/vid/1000Seg2 Frag3",
    durationSeconds: 0.5,
    throughputKbps: 1500.5,
    averageKbps: 1200,
    bitrateKbps: 1000,
  };
  const figures = "0.500000 1500.500 1200.000 1000";
  assertEquals(
    formatChunk("cmu", chunk),
    `1700000000.250 ${figures} 3.0.0.1 /vid/1000Seg2%20Frag3`,
  );
  assertEquals(
    formatChunk("umich", chunk),
    `10.0.0.1 ${figures} 3.0.0.1 /vid/1000Seg2%20Frag3`,
  );
  assertEquals(
    formatChunk("cuhk", chunk),
    `10.0.0.1 /vid/1000Seg2%20Frag3 3.0.0.1 ${figures}`,
  );
});

Deno.test("keepLowestRung leaves all else as it is", () => {
  const text =
    `<MPD><!-- <AdaptationSet> --><AdaptationSet mimeType="video/mp4">
<Representation id="b" bandwidth="2" note="a>b"/><Representation id="a" bandwidth="1"><BaseURL>a</BaseURL></Representation>
<RepresentationIndex bandwidth="0"/></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation bandwidth="9"/><Representation bandwidth="8"/></AdaptationSet></MPD>`;
  const kept = keepLowestRung(text);
  assertMatch(
    kept,
    /^<MPD><AdaptationSet mimeType="video\/mp4">\n<Representation id="a" bandwidth="1"><BaseURL>a<\/BaseURL><\/Representation>\n<RepresentationIndex/,
  );
  assertEquals(kept.match(/<Representation /g)?.length, 3);
});
