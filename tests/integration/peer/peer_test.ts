import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { concat, fromHex } from "../../../lib/core/bytes.ts";
import { encodeHandshake } from "../../../lib/bittorrent/wire/handshake.ts";
import { noise } from "../../support/noise.ts";
import {
  portOf,
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];

/** Writes a file and makes a torrent of it (or of its folder). */
async function makeTorrent(
  folder: string,
  source: string,
  announce: readonly string[] = [],
): Promise<string> {
  const torrent = join(folder, "made.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(folder, source), "-o", torrent],
    ...announce.flatMap((url) => ["--announce", url]),
  ]);
  assertEquals(made.code, 0, made.stderr);
  return torrent;
}

async function addressOf(program: StartedProgram): Promise<string> {
  const { host, port } = await program.until("role.listening");
  return `${host}:${port}`;
}

Deno.test("peer downloads from peers the tracker names and serves while it downloads", async () => {
  await using folder = await temporaryFolder();
  const content = noise(3_000_000, 1);
  await Deno.mkdir(join(folder.path, "seed"));
  await Deno.writeFile(join(folder.path, "seed", "movie"), content);
  await using tracker = await startProgram(["tracker", ...LOCAL]);
  const port = await portOf(tracker, "http");
  const announce = `http://127.0.0.1:${port}/announce`;
  const torrent = await makeTorrent(folder.path, "seed/movie", [announce]);
  await using seed = await startProgram([
    ...["peer", torrent, "--dir", join(folder.path, "seed"), ...LOCAL],
    ...["--upload-limit", "2MiB/s"],
  ]);
  await seed.until("announce.answered");
  const leeches = ["a", "b"].map((name) => join(folder.path, name));
  await using first = await startProgram([
    "peer",
    torrent,
    "--dir",
    leeches[0]!,
    ...LOCAL,
  ]);
  await using second = await startProgram([
    "peer",
    torrent,
    "--dir",
    leeches[1]!,
    ...LOCAL,
  ]);
  for (const leech of [first, second]) await leech.until("torrent.completed");
  for (const leech of leeches) {
    assertEquals(await Deno.readFile(join(leech, "movie")), content);
  }
  await tracker.until(
    "tracker.announced",
    (event) => event.announceEvent === "completed",
  );
  const { code, stdout } = await first.stop();
  assertEquals(code, 0);
  assert(stdout.includes("complete"));
  const progress = first.events.filter((event) =>
    event.type === "peer.progressed"
  );
  assert(progress.length >= 1);
});

Deno.test("peer resumes a folder torrent: keeps what is right, fetches what is not, and ends when complete", async () => {
  await using folder = await temporaryFolder();
  const course = join(folder.path, "seed", "course");
  await Deno.mkdir(join(course, "week 1"), { recursive: true });
  const big = noise(700_000, 2);
  await Deno.writeFile(join(course, "week 1", "slides"), big);
  await Deno.writeFile(join(course, "empty"), new Uint8Array());
  await Deno.writeFile(join(course, "notes"), noise(100_000, 3));
  const torrent = await makeTorrent(folder.path, "seed/course");
  await using seed = await startProgram([
    "peer",
    torrent,
    "--dir",
    join(folder.path, "seed"),
    ...LOCAL,
  ]);
  const address = await addressOf(seed);
  const there = join(folder.path, "leech", "course", "week 1");
  await Deno.mkdir(there, { recursive: true });
  const damaged = concat(big, Uint8Array.of(1, 2, 3));
  damaged[600_000] = damaged[600_000]! ^ 1;
  await Deno.writeFile(join(there, "slides"), damaged);
  const { code, stdout, stderr } = await runProgram([
    ...["peer", torrent, "--dir", join(folder.path, "leech"), ...LOCAL],
    ...["--peer", address, "--exit-when-complete", "--json"],
  ]);
  assertEquals(code, 0, stderr);
  const result = JSON.parse(stdout);
  assertEquals([result.complete, result.pieceCount], [true, 4]);
  assert(result.downloadedBytes < 600_000, `${result.downloadedBytes}`);
  assertEquals(await Deno.readFile(join(there, "slides")), big);
  assertEquals(
    await Deno.readFile(join(there, "..", "notes")),
    noise(100_000, 3),
  );
  assertEquals((await Deno.stat(join(there, "..", "empty"))).size, 0);
});

Deno.test("peer serves on while strangers send noise, lengths without end, other torrents, and nothing", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeFile(join(folder.path, "file"), noise(400_000, 4));
  const torrent = await makeTorrent(folder.path, "file");
  await using seed = await startProgram([
    "peer",
    torrent,
    "--dir",
    folder.path,
    ...LOCAL,
  ]);
  const { port } = await seed.until("role.listening");
  const { infoHash } = await seed.until("torrent.checked");
  const peerId = new Uint8Array(20).fill(1);
  const hello = encodeHandshake({ infoHash: fromHex(infoHash), peerId });
  const attacks: readonly Uint8Array[] = [
    noise(100, 5),
    concat(hello, Uint8Array.of(255, 255, 255, 255, 7)),
    encodeHandshake({ infoHash: new Uint8Array(20), peerId }),
  ];
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const attack of attacks) {
    using attacker = await Deno.connect({ hostname: "127.0.0.1", port });
    await attacker.write(attack);
    // It answers a handshake at most, then closes.
    let received = 0;
    const buffer = new Uint8Array(1000);
    for (;;) {
      const count = await attacker.read(buffer).catch(() => null);
      if (count === null) break;
      received += count;
    }
    assert(received < 100);
  }
  for (
    const code of [
      "handshake-not-bittorrent",
      "wire-too-long",
      "handshake-other-torrent",
    ]
  ) {
    await seed.until("protocol.violated", (event) => event.code === code);
  }
  const leech = await runProgram([
    ...["peer", torrent, "--dir", join(folder.path, "leech"), ...LOCAL],
    ...["--peer", `127.0.0.1:${port}`, "--exit-when-complete"],
  ]);
  assertEquals(leech.code, 0, leech.stderr);
});

Deno.test("peer announces to a UDP tracker", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeFile(join(folder.path, "file"), noise(100_000, 6));
  await using tracker = await startProgram([
    "tracker",
    ...LOCAL,
    "--udp-port",
    "0",
  ]);
  const port = await portOf(tracker, "udp");
  const torrent = await makeTorrent(folder.path, "file", [
    `udp://127.0.0.1:${port}/announce`,
  ]);
  await using seed = await startProgram([
    "peer",
    torrent,
    "--dir",
    folder.path,
    ...LOCAL,
  ]);
  const answered = await seed.until("announce.answered");
  assertEquals(answered.event, "started");
  const stopped = await seed.stop();
  assertEquals(stopped.code, 0, stopped.stderr);
  await tracker.until(
    "tracker.announced",
    (event) => event.announceEvent === "stopped",
  );
});

Deno.test("peer says in one line what is wrong: no torrent, no file, a magnet, a bad flag (2), an unreachable tracker (1)", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "file");
  await Deno.writeFile(file, noise(1000, 7));
  const cases: readonly [number, readonly string[]][] = [
    [2, [file]],
    [2, [join(folder.path, "nowhere.torrent")]],
    [2, ["magnet:?xt=urn:btih:00"]],
    [2, ["--inspect", file]],
    [2, ["--create", join(folder.path, "nowhere")]],
    [2, ["--create", file, "--announce", "tracker"]],
    [2, ["--create", file, "--piece-length", "1000"]],
    [2, [await makeTorrent(folder.path, "file"), "--max-connections", "0"]],
  ];
  for (const [code, args] of cases) {
    const ended = await runProgram(["peer", ...args]);
    assertEquals(ended.code, code, args.join(" "));
    assertEquals(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  }
  // Port 9 of this machine: nobody listens there.
  const torrent = await makeTorrent(folder.path, "file", [
    "http://127.0.0.1:9/announce",
  ]);
  const lost = await runProgram([
    ...["peer", torrent, "--dir", join(folder.path, "leech"), ...LOCAL],
    ...["--give-up-after", "4s", "--log", "json"],
  ]);
  assertEquals(lost.code, 1);
  const lines = lost.stderr.trim().split("\n");
  assertEquals(
    lines.filter((line) => line.includes('"announce.failed"')).length,
    1,
  );
  assertEquals(
    lines.filter((line) => JSON.parse(line).error !== undefined).length,
    1,
    lost.stderr,
  );
});

Deno.test("peer --inspect prints what --create wrote, and --create gives the same torrent each time", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeFile(join(folder.path, "file"), noise(600_000, 8));
  const announce = ["http://10.0.0.1:6969/announce", "udp://10.0.0.2:6969"];
  const torrent = await makeTorrent(folder.path, "file", announce);
  const bytes = await Deno.readFile(torrent);
  await makeTorrent(folder.path, "file", announce);
  assertEquals(await Deno.readFile(torrent), bytes);
  const { stdout } = await runProgram(["peer", "--inspect", torrent, "--json"]);
  const shown = JSON.parse(stdout);
  assertEquals([
    shown.torrent,
    shown.bytes,
    shown.pieceLength,
    shown.pieceCount,
  ], ["file", 600_000, 262_144, 3]);
  assertEquals(shown.announceList, announce.map((url) => [url]));
  const noded = join(folder.path, "noded.torrent");
  await runProgram([
    ...["peer", "--create", join(folder.path, "file"), "-o", noded],
    ...["--dht-node", "[::1]:7"],
  ]);
  const table = await runProgram(["peer", "--inspect", noded]);
  assert(/^DHT nodes +\[::1\]:7$/m.test(table.stdout), table.stdout);
});
