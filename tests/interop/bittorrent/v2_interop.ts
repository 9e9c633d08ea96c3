/**
 * BitTorrent v2 and hybrids (BEP 52) with libtorrent, both ways: it seeds and we leech, we seed and it leeches, with the
 * .torrent and by a magnet link with the hash of v2 only, for which the hashes of the pieces come from peers.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { startLibtorrent } from "../../support/libtorrent.ts";
import { assertSameFiles, writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0", "--dht", "off"];
const FILES: Readonly<Record<string, number>> = {
  // 672 pieces of 16 KiB: more hashes than one request may ask for.
  "course/big": 11_000_001,
  "course/empty": 0,
  "course/sub/piece": 16_384,
  "course/sub/tiny": 3,
  "course/two": 20_000,
};

/** A folder with a torrent of it. */
async function makeSetting(format: string) {
  const folder = await temporaryFolder();
  const seed = join(folder.path, "seed");
  const leech = join(folder.path, "leech");
  await Deno.mkdir(leech);
  await writeNoise(seed, FILES, 8);
  const torrent = join(folder.path, "course.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(seed, "course"), "-o", torrent],
    ...["--format", format, "--piece-length", "16KiB"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const { stdout } = await runProgram(["peer", "--inspect", torrent, "--json"]);
  const shown = JSON.parse(stdout);
  return {
    ...{ seed, leech, torrent },
    magnet: `magnet:?xt=urn:btmh:1220${shown.infoHashV2}`,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function violations(program: StartedProgram) {
  return program.events.filter((event) => event.type === "protocol.violated");
}

for (const format of ["v2", "hybrid"]) {
  Deno.test(`peer downloads a ${format} torrent from libtorrent, by its .torrent and by its v2 hash alone`, async () => {
    await using setting = await makeSetting(format);
    const { seed, leech } = setting;
    await using theirs = await startLibtorrent({
      ...{ torrent: setting.torrent, folder: seed, seed: true },
    });
    for (const torrent of [setting.torrent, setting.magnet]) {
      const folder = join(
        leech,
        torrent === setting.magnet ? "magnet" : "file",
      );
      await using ours = await startProgram([
        ...["peer", torrent, "--dir", folder, ...LOCAL, "--lsd", "off"],
        ...["--exit-when-complete", "--peer", `127.0.0.1:${theirs.port}`],
      ]);
      const { code, stderr } = await ours.exited;
      assertEquals(code, 0, stderr);
      await assertSameFiles(Object.keys(FILES), seed, folder);
      assertEquals(violations(ours), []);
    }
  });

  Deno.test(`libtorrent downloads a ${format} torrent from peer, by its .torrent and by its v2 hash alone`, async () => {
    await using setting = await makeSetting(format);
    const { seed, leech } = setting;
    await using ours = await startProgram([
      ...["peer", setting.torrent, "--dir", seed, ...LOCAL],
    ]);
    const { port } = await ours.until("role.listening");
    for (const torrent of [setting.torrent, setting.magnet]) {
      const folder = join(
        leech,
        torrent === setting.magnet ? "magnet" : "file",
      );
      await Deno.mkdir(folder);
      await using theirs = await startLibtorrent({
        ...{ torrent, folder, seed: false, peers: [port] },
      });
      const late = setTimeout(() => theirs[Symbol.asyncDispose](), 60_000);
      const { code, log } = await theirs.ended;
      clearTimeout(late);
      assertEquals(code, 0, log.slice(-4000));
      await assertSameFiles(Object.keys(FILES), seed, folder);
    }
    assertEquals(violations(ours), []);
  });
}
