import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { answerOf, SEGMENTS } from "../../support/small_title.ts";

Deno.test("edge --load draws by Zipf's law, counts hits as they are, and compares with the origin", async () => {
  await using origin = countingOrigin(answerOf);
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  await using folder = await temporaryFolder();
  const { code, stdout } = await runProgram([
    "edge",
    "--load",
    `${url}/film.mpd`,
    "--requests",
    "200",
    "--concurrency",
    "1",
    "--against",
    origin.url,
    "--seed",
    "1",
    "--json",
    "--out",
    folder.path,
  ]);
  assertEquals(code, 0);
  const result = JSON.parse(stdout);
  const [edge, alone] = result.runs;
  assertEquals(result.objects, 3 * SEGMENTS);
  // One at a time, each object is a miss once and a hit ever after.
  assertEquals(edge.hits, 200 - result.asked);
  assertEquals([alone.hits, alone.failed, edge.failed], [0, 0, 0]);
  assertEquals(edge.bytes, alone.bytes);
  assert(result.asked > SEGMENTS && result.speedup > 0);
  assertEquals(origin.requests.length, 1 + result.asked + 200);
  const report = await Deno.readTextFile(`${folder.path}/report.html`);
  assertMatch(report, /How long an answer takes/);
});

Deno.test("edge --load fills in numbers, and says when nobody answers", async () => {
  await using origin = countingOrigin((path) => new Response(path));
  const args = ["--requests", "50", "--catalogue", "5", "--zipf", "0"];
  const load = (url: string) =>
    runProgram(["edge", "--load", url, ...args, "--seed", "2"]);
  const good = await load(`${origin.url}/o{n}?x`);
  assertEquals(good.code, 0);
  assertMatch(good.stdout, /^Zipf\(0\) over 5 objects, 5 of them asked for\n/);
  assertEquals(
    new Set(origin.requests.map(({ path }) => path)),
    new Set([1, 2, 3, 4, 5].map((n) => `/o${n}?x`)),
  );
  await origin[Symbol.asyncDispose]();
  const gone = await load(`${origin.url}/o{n}`);
  assertEquals(gone.code, 1);
  assertMatch(
    gone.stderr,
    /not one of 50 requests to \S+ was answered with 200; the last: .*nobody listens there/,
  );
  assertEquals((await load(`${origin.url}/same`)).code, 2);
  args.push("--against", `${origin.url}/?x`);
  assertEquals((await load(`${origin.url}/o{n}`)).code, 2);
});

Deno.test("edge --load that is told to stop tells what it has, and counts what it cut off as nothing", async () => {
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<Response>();
  await using origin = countingOrigin((path) => {
    if (path === "/o1") return new Response("one");
    asked.resolve();
    return held.promise;
  });
  await using load = await startProgram([
    ...["edge", "--load", `${origin.url}/o{n}`, "--catalogue", "2"],
    ...["--concurrency", "1", "--seed", "1", "--json"],
  ]);
  await asked.promise;
  const { code, stdout, stderr } = await load.stop();
  held.resolve(new Response("two"));
  assertEquals([code, stderr], [0, ""]);
  const [run] = JSON.parse(stdout).runs;
  assertEquals([run.failed, run.requests - run.failed], [0, run.requests]);
});

Deno.test("edge --load asks for whole files where a manifest names one a rate, and says when it names nothing", async () => {
  const mpd = (inner: string) =>
    `<MPD type="static" mediaPresentationDuration="PT4S"><Period><AdaptationSet mimeType="video/mp4">${inner}</AdaptationSet></Period></MPD>`;
  const file = (name: string, rate: number) =>
    `<Representation id="${name}" bandwidth="${rate}"><BaseURL>${name}.mp4</BaseURL><SegmentBase indexRange="10-20"><Initialization range="0-9"/></SegmentBase></Representation>`;
  await using origin = countingOrigin((path) =>
    new Response(
      path === "/files.mpd"
        ? mpd(file("low", 1000) + file("high", 2000))
        : path === "/none.mpd"
        ? mpd("")
        : "a film",
    )
  );
  const load = (name: string) =>
    runProgram(["edge", "--load", `${origin.url}/${name}`, "--requests", "20"]);
  const files = await load("files.mpd");
  assertEquals(files.code, 0, files.stderr);
  assertMatch(files.stdout, /^Zipf\(0\.9\) over 2 objects/);
  const none = await load("none.mpd");
  assertEquals(none.code, 2);
  assertMatch(none.stderr, /^rolecall: Cannot read [^\n]+\n$/);
});
