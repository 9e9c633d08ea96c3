/**
 * Chromium opens the origin's own page of a title, straight and through an edge, and plays.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { reportHtml } from "../../../lib/report/html.ts";
import { openPage } from "../../support/browser.ts";
import { startProgram, temporaryFolder } from "../../support/program.ts";

/** What the page tells scripts. */
interface Seen {
  readonly title: string;
  readonly errors: readonly string[];
  readonly segments: readonly {
    readonly kind: string;
    readonly name: string;
    readonly number: number;
    readonly said: string;
    readonly height: number;
    readonly bytes: number;
    readonly status: number;
  }[];
}

/** Longest wait until enough has played. */
const PLAY_MS = 180_000;

/** Opens a title's page and lets it play some seconds. */
async function watch(port: number): Promise<Seen> {
  await using page = await openPage(
    `http://127.0.0.1:${port}/watch/manifest.mpd`,
  );
  // What it lists is drawn now and then.
  await page.until(
    `document.querySelector("video")?.currentTime > 3 && rolecall.segments.length > 2 &&
      /^\\d+p, /.test(document.querySelector("#rate").textContent) &&
      document.querySelectorAll("tbody tr").length > 2`,
    {
      withinMs: PLAY_MS,
      account:
        "[globalThis.rolecall ?? document.title, document.body.innerText]",
    },
  );
  const folder = Deno.env.get("ROLECALL_PICTURES");
  if (folder !== undefined) {
    await Deno.writeFile(
      `${folder}/watch-${port}.png`,
      await page.screenshot(),
    );
  }
  return await page.evaluate<Seen>("rolecall");
}

Deno.test("the page of a title plays it in Chromium, straight and through an edge, and says who sent each segment", async () => {
  await using origin = await startProgram(["origin", "--port", "0"]);
  const { port } = await origin.until("role.listening");
  const straight = await watch(port);
  assertEquals(straight.errors, []);
  assertEquals(straight.title, "Test card");
  assert(straight.segments.every(({ kind }) => kind === "origin"));
  assert(straight.segments.every(({ bytes }) => bytes > 10_000));
  await using edge = await startProgram([
    ...["edge", "--port", "0", "--name", "edge-south"],
    ...["--origin", `http://127.0.0.1:${port}/`],
  ]);
  const { port: edgePort } = await edge.until("role.listening");
  const first = await watch(edgePort);
  assertEquals(first.errors, []);
  assert(first.segments.some(({ kind }) => kind === "miss"));
  // The second viewer gets from the cache what the first one saw.
  const second = await watch(edgePort);
  assertEquals(second.errors, []);
  assert(second.segments.some(({ kind }) => kind === "hit"));
  assert(
    second.segments.every(({ name }) => name.startsWith("edge-south, ")),
    second.segments[0]?.name,
  );
  for (const { number, said } of second.segments) {
    assertStringIncludes(said, `_${number}.m4s`);
  }
});

Deno.test("the page of a title tells when the first byte came of a segment from the browser's own cache, too", async () => {
  await using origin = await startProgram(["origin", "--port", "0"]);
  const { port } = await origin.until("role.listening");
  await using page = await openPage(
    `http://127.0.0.1:${port}/watch/manifest.mpd`,
  );
  const isPlaying = () =>
    page.until("globalThis.rolecall?.segments.length > 4", {
      withinMs: PLAY_MS,
      account: "globalThis.rolecall ?? document.title",
    });
  await isPlaying();
  await page.evaluate("globalThis.rolecall = undefined, location.reload()");
  await isPlaying();
  const late = await page.evaluate<number>(
    "rolecall.segments.filter(({ firstByteMs, durationMs }) => firstByteMs < 0 || firstByteMs > durationMs + 100).length",
  );
  assertEquals(late, 0);
});

Deno.test("pages for people need no scrolling sideways on a phone", async () => {
  const title = "A test card with a name that would not stand in a line";
  await using origin = await startProgram([
    ...["origin", "--port", "0", "--title", title],
  ]);
  const { port } = await origin.until("role.listening");
  await using edge = await startProgram([
    ...["edge", "--port", "0", "--admin", "0"],
    ...["--origin", `http://${"datacenterwithalongname".repeat(2)}.example/`],
    ...["--origin", `http://127.0.0.1:${port}/`],
  ]);
  const admin = await edge.until("admin.listening");
  await using folder = await temporaryFolder();
  const report = join(folder.path, "report.html");
  await Deno.writeTextFile(
    report,
    reportHtml({
      title: "Load on http://127.0.0.1:8081/a/long/manifest.mpd",
      sections: [{ kind: "table", heading: "T", columns: ["a"], rows: [[1]] }],
    }),
  );
  for (
    const url of [
      `file://${report}`,
      `http://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}/watch/manifest.mpd`,
      `http://127.0.0.1:${admin.port}/`,
    ]
  ) {
    await using page = await openPage(url, ["--window-size=320,800"]);
    await page.until("document.querySelector('table') !== null", {
      withinMs: PLAY_MS,
      account: "document.title",
    });
    const [shown, there] = await page.evaluate<[number, number]>(
      "[innerWidth, document.documentElement.scrollWidth]",
    );
    assert(there <= shown, `${url}: ${there} of ${shown} px`);
  }
});

Deno.test("the page of a live title tells how far behind it plays: with chunks less than a segment", async () => {
  await using origin = await startProgram(
    "origin --port 0 --live --segment 6s --chunk 500ms".split(" "),
  );
  const { port } = await origin.until("role.listening");
  await using page = await openPage(
    `http://127.0.0.1:${port}/watch/manifest.mpd`,
  );
  await page.until(
    `document.querySelector("video")?.currentTime > 0 &&
      parseFloat(document.querySelector("#behind:not([hidden])")?.textContent) < 6`,
    { withinMs: PLAY_MS, account: "document.body.innerText" },
  );
});
