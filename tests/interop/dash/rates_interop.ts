/**
 * Chromium plays the built-in title with dash.js: the rates share one initialisation segment and are switched while
 * it plays. dash.js comes from the folder `ROLECALL_NPM`, which holds a `node_modules`.
 *
 * No driver is needed: the page plays by itself and posts what it saw to the test.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { openPage } from "../../support/browser.ts";
import { startProgram } from "../../support/program.ts";

const DASH_JS = "node_modules/dashjs/dist/modern/umd/dash.all.min.js";
/** Longest wait for the page's report. */
const REPORT_MS = 180_000;

/** What the page saw. */
interface Report {
  readonly errors: readonly string[];
  /** For each rate asked for: what the video element showed then. */
  readonly shown: readonly {
    readonly width: number;
    readonly height: number;
    /** Red, green and blue of the middle of the eight bars, then of the plate. */
    readonly colours: readonly (readonly number[])[];
  }[];
  readonly playedSeconds: number;
  readonly durationSeconds: number;
}

/** Plays from the lowest rate to the highest, three seconds each, and reports. */
function page(manifestUrl: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>rolecall test card in dash.js</title>
<style>body { margin: 0; background: #000 } video { width: 100vw }</style>
<video muted></video>
<script src="/dash.js"></script>
<script>
const video = document.querySelector("video");
const report = { errors: [], shown: [], playedSeconds: 0 };
const player = dashjs.MediaPlayer().create();
player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
player.on("error", (e) => report.errors.push(String(e.error?.message ?? e.error)));
video.addEventListener("error", () => report.errors.push(String(video.error?.message)));
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(holds) {
  while (!holds()) await wait(50);
}
function look() {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0);
  const at = (x, y) => [...pen.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
  const bars = [0, 1, 2, 3, 4, 5, 6, 7].map((bar) => at((bar + 0.5) / 8, 0.03));
  report.shown.push({ width: canvas.width, height: canvas.height, colours: [...bars, at(0.045, 0.55)] });
}
(async () => {
  player.initialize(video, ${JSON.stringify(manifestUrl)}, true);
  await until(() => video.currentTime > 1);
  const rates = player.getRepresentationsByType("video");
  for (const [index, rate] of rates.entries()) {
    player.setRepresentationForTypeByIndex("video", index, true);
    await until(() => video.videoHeight === rate.height);
    const from = video.currentTime;
    await until(() => video.currentTime > from + 3);
    look();
  }
  report.playedSeconds = video.currentTime;
  report.durationSeconds = video.duration;
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
})().catch((error) => {
  report.errors.push(String(error));
  fetch("/report", { method: "POST", body: JSON.stringify(report) });
});
</script>
`;
}

/** Serves page and player, and takes the report. */
function servePage(manifestUrl: string, player: string) {
  const arrived = Promise.withResolvers<Report>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      switch (new URL(request.url).pathname) {
        case "/":
          return new Response(page(manifestUrl), {
            headers: { "content-type": "text/html; charset=utf-8" },
          });
        case "/dash.js":
          return new Response(player, {
            headers: { "content-type": "text/javascript; charset=utf-8" },
          });
        case "/report":
          arrived.resolve(await request.json());
          return new Response();
      }
      return new Response("nothing here\n", { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    report: arrived.promise,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function near(got: readonly number[], wanted: readonly number[]): boolean {
  return got.every((value, at) => Math.abs(value - wanted[at]!) <= 12);
}

Deno.test("Chromium with dash.js plays the title and switches between its rates", async () => {
  const npm = Deno.env.get("ROLECALL_NPM");
  assert(npm, "ROLECALL_NPM must name a folder where dashjs is installed");
  const player = await Deno.readTextFile(join(npm, DASH_JS));
  await using origin = await startProgram(["origin", "--port", "0"]);
  const { port } = await origin.until("role.listening");
  await using site = servePage(
    `http://127.0.0.1:${port}/manifest.mpd`,
    player,
  );
  await using _ = await openPage(site.url);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no report")), REPORT_MS);
  });
  const report = await Promise.race([site.report, late]);
  clearTimeout(timer);
  assertEquals(report.errors, []);
  assertEquals(
    report.shown.map(({ width, height }) => `${width}x${height}`),
    ["640x360", "854x480", "1280x720"],
  );
  assert(report.playedSeconds > 9);
  assert(Math.abs(report.durationSeconds - 634.625) < 0.05);
  const plates = [[144, 71, 0], [0, 95, 100], [111, 50, 164]];
  const bars = [
    ...[[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0]],
    ...[[191, 0, 191], [191, 0, 0], [0, 0, 191], [0, 0, 0]],
  ];
  report.shown.forEach(({ height, colours }, rung) =>
    [...bars, plates[rung]!].forEach((wanted, at) =>
      assert(near(colours[at]!, wanted), `${height}: ${at} is ${colours[at]}`)
    )
  );
});
