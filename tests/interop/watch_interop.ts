/**
 * Chromium opens the origin's own page of a title, straight and through an edge, and plays.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openPage } from "../support/browser.ts";
import { startProgram } from "../support/program.ts";

/** What the page tells scripts. */
interface Seen {
  readonly title: string;
  readonly errors: readonly string[];
  readonly segments: readonly {
    readonly kind: string;
    readonly name: string;
    readonly height: number;
    readonly bytes: number;
    readonly status: number;
  }[];
}

/** Longest wait until enough has played. */
const PLAY_MS = 60_000;

/** Opens a title's page and lets it play some seconds. */
async function watch(port: number): Promise<Seen> {
  await using page = await openPage(
    `http://127.0.0.1:${port}/watch/manifest.mpd`,
  );
  await page.until(
    "document.querySelector('video')?.currentTime > 3 && rolecall.segments.length > 2",
    { withinMs: PLAY_MS, account: "globalThis.rolecall ?? document.title" },
  );
  assertMatch(
    await page.evaluate<string>(
      "document.querySelector('#rate').textContent",
    ),
    /^\d+p, /,
  );
  const rows = await page.evaluate<number>(
    "document.querySelectorAll('tbody tr').length",
  );
  assert(rows > 2);
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
});
