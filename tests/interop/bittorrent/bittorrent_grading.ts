/** The grading tests of lesson 3: what programs of others have of the points, and what careless ones do not have. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { toHex } from "../../../lib/core/bytes.ts";
import { FILE_NAME, writeShared } from "../../grading/_shared_file.ts";
import { allBytes, SWARMS } from "../../grading/_swarms.ts";
import { untilListening } from "../../support/eventually.ts";
import { failuresOf } from "../../support/grading.ts";
import { temporaryFolder } from "../../support/program.ts";
import { freePort, startTool } from "../../support/tools.ts";

const ARIA2 = [
  ...["aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false"],
  ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
  ...["--file-allocation=none", "--summary-interval=0"],
];

function python(file: string): string[] {
  const path = new URL(`../../testdata/python/${file}`, import.meta.url);
  return ["/usr/bin/python3", fromFileUrl(path)];
}

Deno.test("grading 03: opentracker has all points but two extra ones", async () => {
  await using folder = await temporaryFolder();
  // It reads the list of those it serves as the user nobody.
  await Deno.chmod(folder.path, 0o755);
  const list = join(folder.path, "list.txt");
  const hashes = [...Object.values(SWARMS), ...allBytes()].map(toHex);
  await Deno.writeTextFile(list, `${hashes.join("\n")}\n`);
  const port = freePort();
  await using _tracker = startTool([
    ...["opentracker", "-i", "127.0.0.1", "-w", list],
    ...["-p", `${port}`, "-P", `${port}`],
  ]);
  await untilListening(port);
  const failed = await failuresOf("03_tracker", {
    ROLECALL_TARGET: `http://127.0.0.1:${port}/announce`,
  });
  assertEquals(failed, [
    "tracker: compact=0: a list of dictionaries with ip and port (extra)",
    "tracker: nobody is told of itself (extra)",
  ]);
  const failedOverUdp = await failuresOf("03_tracker_udp", {
    ROLECALL_TARGET: `udp://127.0.0.1:${port}`,
  });
  assertEquals(failedOverUdp, []);
});

Deno.test("grading 03: a tracker with the mistakes of a first try lacks the points for them", async () => {
  const port = freePort();
  await using _tracker = startTool([
    ...[...python("bad_tracker.py"), "127.0.0.1", `${port}`],
  ]);
  await untilListening(port);
  const failed = await failuresOf("03_tracker", {
    ROLECALL_TARGET: `http://127.0.0.1:${port}/announce`,
  });
  assertEquals(failed, [
    "tracker: a refusal has a failure reason",
    "tracker: a scrape counts who has all (left=0) and who has not (extra)",
    "tracker: an announce without info_hash is refused",
    "tracker: an info_hash of 19 bytes is refused",
    "tracker: compact=0: a list of dictionaries with ip and port (extra)",
    "tracker: event=stopped leaves the swarm",
    "tracker: info_hash is bytes: all 256 are read right",
    "tracker: nobody is told of itself (extra)",
    "tracker: numwant=1 gives one peer (extra)",
  ]);
});

Deno.test("grading 03: aria2 has all points of a seed", async () => {
  await using folder = await temporaryFolder();
  const { torrent } = await writeShared(
    ...[folder.path, "http://127.0.0.1:1/announce"] as const,
  );
  const port = freePort();
  await using _seed = startTool([
    ...[...ARIA2, "--check-integrity=true", "--seed-ratio=0.0"],
    ...[`--listen-port=${port}`, `--dir=${folder.path}`, torrent],
  ]);
  await untilListening(port);
  const failed = await failuresOf("03_peer", {
    ROLECALL_TARGET: `127.0.0.1:${port}`,
  });
  assertEquals(failed, []);
});

Deno.test("grading 03: a seed with mistakes lacks the points for them", async () => {
  await using folder = await temporaryFolder();
  await writeShared(folder.path);
  const port = freePort();
  await using _seed = startTool([
    ...[...python("bad_seed.py"), "127.0.0.1", `${port}`],
    join(folder.path, FILE_NAME),
  ]);
  await untilListening(port);
  const failed = await failuresOf("03_peer", {
    ROLECALL_TARGET: `127.0.0.1:${port}`,
  });
  assertEquals(failed, [
    "seed: a block of 16 KiB is what was asked for",
    "seed: a torrent that it does not have: it closes",
    "seed: every piece has the SHA-1 of the torrent",
    "seed: nothing is sent to who is choked (extra)",
  ]);
});

Deno.test("grading 03: aria2 has all points of a leech", async () => {
  const command = [...ARIA2, "--dir={folder}", "{torrent}"];
  const failed = await failuresOf("03_leech", {
    ROLECALL_COMMAND: command.join(" "),
  });
  assertEquals(failed, []);
});

Deno.test("grading 03: a leech that compares no SHA-1 lacks the point for it", async () => {
  const command = [...python("bad_leech.py"), "{torrent}", "{folder}"];
  const failed = await failuresOf("03_leech", {
    ROLECALL_COMMAND: command.join(" "),
  });
  assertEquals(failed, [
    "leech: bad pieces of one seed are not kept, but had from another (extra)",
    "leech: it tells the tracker that it has completed (extra)",
  ]);
});
