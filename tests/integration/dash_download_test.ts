import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { startProgram, temporaryFolder } from "../support/program.ts";

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
