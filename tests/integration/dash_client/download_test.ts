import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

Deno.test("dash-client --download-only that is told to stop keeps whole segments and says what it has", async () => {
  await using folder = await temporaryFolder();
  const saved = join(folder.path, "title.mp4");
  await using origin = await startProgram(
    "origin --host 127.0.0.1 --port 0 --limit-rate 500KiB/s".split(" "),
  );
  const { port } = await origin.until("role.listening");
  await using client = await startProgram([
    ...["dash-client", `http://127.0.0.1:${port}/manifest.mpd`],
    ..."--download-only --quality lowest --json --save".split(" "),
    saved,
  ]);
  const first = await client.until("segment.downloaded");
  const { code, stdout, stderr } = await client.stop();
  assertEquals([code, stderr], [0, ""]);
  const { complete, segments, bytes } = JSON.parse(stdout);
  assertEquals(complete, false);
  assert(segments.length >= 1 && segments[0].bytes === first.bytes);
  assertEquals((await Deno.stat(saved)).size, bytes);
});

Deno.test("dash-client takes an initialization segment that stands in the manifest itself (RFC 2397)", async () => {
  const mpd = (data: string) =>
    `<MPD mediaPresentationDuration="PT4S" minBufferTime="PT2S"><Period><AdaptationSet mimeType="video/mp4">
<SegmentTemplate initialization="data:video/mp4;base64,${data}" media="$Number$.m4s" duration="2"/>
<Representation id="v" bandwidth="1000" codecs="avc3.64001f"/></AdaptationSet></Period></MPD>`;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/good.mpd") return new Response(mpd(btoa("moov")));
      if (pathname === "/bad.mpd") return new Response(mpd("AAAA...."));
      return new Response(`<${pathname}>`);
    },
  );
  await using folder = await temporaryFolder();
  const saved = join(folder.path, "title.mp4");
  const run = (name: string) =>
    runProgram([
      ...["dash-client", `http://127.0.0.1:${server.addr.port}/${name}.mpd`],
      ...["--download-only", "--save", saved],
    ]);
  const good = await run("good");
  assertEquals(good.code, 0, good.stderr);
  assertEquals(await Deno.readTextFile(saved), "moov</1.m4s></2.m4s>");
  const bad = await run("bad");
  assertEquals(bad.code, 1);
  assertStringIncludes(
    bad.stderr,
    "what stands in its data: URL cannot be read",
  );
});

Deno.test("dash-client refuses what the title does not have in one line, before it tells of the title", async () => {
  await using origin = await startProgram(
    "origin --host 127.0.0.1 --port 0 --duration 8s".split(" "),
  );
  const { port } = await origin.until("role.listening");
  const refused = async (flags: string) => {
    const { code, stdout, stderr } = await runProgram([
      ...["dash-client", `http://127.0.0.1:${port}/manifest.mpd`],
      ...flags.split(" "),
    ]);
    assertEquals([code, stdout], [2, ""], flags);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    return stderr;
  };
  for (
    const flags of [
      "--abr fixed --quality 99p",
      "--quality 99p --download-only",
    ]
  ) {
    assertStringIncludes(await refused(flags), "one of 360p, 480p, 720p");
  }
});

Deno.test("dash-client refuses --live-delay, sound and a --seek that there is not for a title that is whole", async () => {
  await using origin = await startProgram(
    "origin --host 127.0.0.1 --port 0 --duration 8s".split(" "),
  );
  const { port } = await origin.until("role.listening");
  const url = `http://127.0.0.1:${port}/manifest.mpd`;
  const run = await runProgram(["dash-client", url, "--live-delay", "3s"]);
  assertEquals([run.code, run.stdout], [2, ""]);
  assertStringIncludes(run.stderr, "this one is whole");
  const mute = await runProgram(["dash-client", url, "--tracks", "audio"]);
  assertEquals([mute.code, mute.stdout], [2, ""]);
  assertStringIncludes(mute.stderr, "this title has no sound");
  const late = await runProgram(["dash-client", url, "--seek", "9s:1s"]);
  assertEquals([late.code, late.stdout], [2, ""]);
  assertStringIncludes(late.stderr, "--seek must be in what is played");
});
