/** Peers on loopback that find each other without a tracker, and what is said when nobody is found. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { fromHex } from "../../../lib/core/bytes.ts";
import { sharedBits } from "../../../lib/bittorrent/dht/id.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const HERE = ["--host", "127.0.0.1", "--port", "0"] as const;

/** A file nobody else shares at this moment, and a torrent of it, made with `flags`. */
async function makeTorrent(...flags: readonly string[]) {
  const folder = await temporaryFolder();
  const seed = join(folder.path, "seed");
  await Deno.mkdir(seed);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(join(seed, "lecture.bin"), bytes);
  const torrent = join(folder.path, "lecture.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(seed, "lecture.bin"), "-o", torrent],
    ...flags,
  ]);
  assertEquals(made.code, 0, made.stderr);
  return {
    ...{ seed, torrent, bytes, path: folder.path },
    leech: join(folder.path, "leech"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("peer: two peers find each other through a node that their torrent names, and that shares nothing", async () => {
  await using node = await startProgram(["peer", "--dht-only", ...HERE]);
  const { port } = await node.until("role.listening");
  await using setting = await makeTorrent("--dht-node", `127.0.0.1:${port}`);
  const { seed, leech, torrent, bytes } = setting;
  const flags = [...HERE, "--lsd", "off"];
  await using seeding = await startProgram([
    ...["peer", torrent, "--dir", seed, ...flags],
  ]);
  await seeding.until("dht.announced", ({ nodes }) => nodes === 1);
  await using leeching = await startProgram([
    ...["peer", torrent, "--dir", leech, ...flags, "--exit-when-complete"],
  ]);
  const { code, stderr } = await leeching.exited;
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readFile(join(leech, "lecture.bin")), bytes);
  const step = await leeching.until("dht.answered", ({ peers }) => peers > 0);
  assertEquals(
    step.sharedBits,
    sharedBits(fromHex(step.infoHash), fromHex(step.node)),
  );
  await node.until("dht.stored");
  assertEquals((await node.stop()).code, 0);
  assertEquals((await seeding.stop()).code, 0);
});

Deno.test("peer tells a peer its DHT node, which is then joined through (BEP 5, port)", async () => {
  await using setting = await makeTorrent();
  const { seed, leech, torrent } = setting;
  const flags = [...HERE, "--lsd", "off"];
  await using seeding = await startProgram([
    ...["peer", torrent, "--dir", seed, ...flags],
  ]);
  const { port } = await seeding.until("role.listening");
  await using leeching = await startProgram([
    ...["peer", torrent, "--dir", leech, ...flags],
    ...["--peer", `127.0.0.1:${port}`],
  ]);
  const { nodeId } = await leeching.until("dht.joined");
  const met = await seeding.until("dht.met");
  assertEquals(met.node, nodeId);
});

Deno.test("peer --lsd: two peers on one address find each other by multicast", async () => {
  await using setting = await makeTorrent();
  const { seed, leech, torrent } = setting;
  const flags = [...HERE, "--dht", "off"];
  await using seeding = await startProgram([
    ...["peer", torrent, "--dir", seed, ...flags],
  ]);
  await seeding.until("lsd.announced");
  await using leeching = await startProgram([
    ...["peer", torrent, "--dir", leech, ...flags, "--exit-when-complete"],
  ]);
  const { code, stderr } = await leeching.exited;
  assertEquals(code, 0, stderr);
  await seeding.until("lsd.heard");
});

Deno.test("peer says all it tried when it reached nobody", async () => {
  await using setting = await makeTorrent(
    ...["--announce", "http://127.0.0.1:9/announce"],
  );
  const { leech, torrent } = setting;
  const { code, stderr } = await runProgram([
    ...["peer", torrent, "--dir", leech, ...HERE, "--give-up-after", "8s"],
    ...["--peer", "127.0.0.1:7", "--dht-node", "127.0.0.1:5"],
  ]);
  assertEquals(code, 1, stderr);
  const line = stderr.trim().split("\n").at(-1)!;
  assertMatch(line, /^rolecall: Cannot download "lecture.bin": nobody/);
  assertMatch(line, /Cannot connect to 127\.0\.0\.1:7: /);
  assertMatch(line, /127\.0\.0\.1:9/);
  assertMatch(line, /no DHT node answers at 127\.0\.0\.1:5/);
});

Deno.test("peer refuses a --dir that is a file before it opens anything", async () => {
  await using setting = await makeTorrent();
  const { torrent } = setting;
  const { code, stderr } = await runProgram([
    ...["peer", torrent, "--dir", torrent, ...HERE],
  ]);
  assertEquals(code, 2, stderr);
  assert(stderr.includes("--dir must be a folder"), stderr);
  assertEquals(stderr.trim().split("\n").length, 1);
});

Deno.test("peer --create refuses to put DHT nodes into a private torrent", async () => {
  const { code, stderr } = await runProgram([
    ...["peer", "--create", "x", "--private", "--dht-node", "127.0.0.1:1"],
    ...["--announce", "http://127.0.0.1/announce"],
  ]);
  assertEquals(code, 2, stderr);
  assert(stderr.includes("exclude each other"), stderr);
});
