// deno-lint-ignore-file no-console -- tells that a player tries again
/**
 * dash.js and shaka in Chromium play an ingested movie through origin and edge over a wire that `tc tbf` makes narrow and
 * wide again: they go down to a lower rate and up again by themselves. Needs root.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { openPage } from "../support/browser.ts";
import { makeHosts } from "../support/namespaces.ts";
import { type PlayerName, servePlayerPages } from "../support/player_pages.ts";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** Longest wait for a change of rate. */
const SWITCH_MS = 60_000;
const NET = 93;
const WIDE_KBITS = 6000;
/** Between the rates of the middle rung and the lowest. */
const NARROW_KBITS = 330;

async function mustRun(tool: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runTool(tool, args);
  assertEquals(code, 0, stderr);
}

function shape(namespace: string, kbits: number): Promise<void> {
  return mustRun("tc", [
    ...["-n", namespace, "qdisc", "replace", "dev", "eth0", "root", "tbf"],
    ...["rate", `${kbits}kbit`, "burst", "16kb", "latency", "200ms"],
  ]);
}

/** A hundred seconds, three rates, in the folder `title`. */
async function ingest(folder: string): Promise<string> {
  const movie = join(folder, "movie.mp4");
  await mustRun("ffmpeg", [
    ..."-v error -f lavfi -i testsrc2=size=640x360:rate=12 -f lavfi -i sine -t 100 -c:v libx264 -preset ultrafast"
      .split(" "),
    ...["-c:a", "aac", movie],
  ]);
  const title = join(folder, "title");
  const run = await runProgram([
    ..."origin --ladder 144p@100k,240p@350k,360p@1000k --segment 1s --audio --ingest"
      .split(" "),
    ...[movie, "--root", title],
  ], { timeoutMs: 180_000 });
  assertEquals(run.code, 0, run.stderr);
  return title;
}

Deno.test("dash.js and shaka play an ingested movie through an edge, and follow a wire that becomes narrow and wide again", async () => {
  await using folder = await temporaryFolder();
  const title = await ingest(folder.path);
  const players: readonly PlayerName[] = ["dash.js", "shaka"];
  await using world = await makeHosts(players.length, { id: "pw", net: NET });
  // The browsers stay outside: they reach the hosts by the bridge.
  const own = ["addr", "add", `198.18.${NET}.254/24`, "dev", "rc-pw-br"];
  await mustRun("ip", own);
  await using pages = servePlayerPages({ bufferSeconds: 4 });

  async function follows(player: PlayerName, at: number): Promise<void> {
    const { name, address, inside } = world.hosts[at]!;
    await shape(name, WIDE_KBITS);
    await using origin = await startProgram([
      ..."origin --host 127.0.0.1 --port 8080 --root".split(" "),
      title,
    ], { inside });
    await origin.until("role.listening");
    await using edge = await startProgram([
      ..."edge --port 8081 --origin http://127.0.0.1:8080/".split(" "),
    ], { inside });
    await edge.until("role.listening");
    await using page = await openPage(
      pages.url(player, `http://${address}:8081/manifest.mpd`),
    );
    const shows = (what: string) =>
      page.until(
        `typeof seen === "object" && (${what} || seen.errors.length > 0)`,
        {
          withinMs: SWITCH_MS,
          account:
            `typeof seen === "object" && ({ ...seen, player: "${player}", height: video.videoHeight, at: video.currentTime })`,
        },
      );
    // Past what a player begins with.
    await shows("video.videoHeight === 360 && video.currentTime > 6");
    await shape(name, NARROW_KBITS);
    await shows("video.videoHeight < 360");
    const pictures = Deno.env.get("ROLECALL_PICTURES");
    if (pictures !== undefined) {
      const file = join(pictures, `${player}-narrow.png`);
      await Deno.writeFile(file, await page.screenshot());
    }
    await shape(name, WIDE_KBITS);
    await shows("video.videoHeight === 360");
    assertEquals(await page.evaluate("seen.errors"), []);
    assert(
      await page.evaluate<number>("video.webkitAudioDecodedByteCount") > 0,
    );
    // All sound up to here, from the right segments.
    const asked = new Set(
      edge.events.flatMap((event) =>
        event.type === "edge.answered" ? [event.path] : []
      ),
    );
    const played = Math.floor(await page.evaluate<number>("video.currentTime"));
    const sound = Array.from(
      { length: played },
      (_, at) => `/audio_${at + 1}.m4s`,
    );
    assertEquals(sound.filter((path) => !asked.has(path)), []);
  }

  // On a very busy machine a player was seen to stand still for good, once in twenty; each may try again.
  await Promise.all(
    players.map((player, at) =>
      follows(player, at).catch((error) => {
        console.log(`${player}, once more: ${error}`);
        return follows(player, at);
      })
    ),
  );
});
