/** Torrents of v1, v2 and both, with padding and links, from --create to a finished download, between our own peers. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];
const FILES: Readonly<Record<string, number>> = {
  "course/a.bin": 200_000,
  "course/empty": 0,
  "course/week 1/slides": 65_536,
  "course/week 1/tiny": 3,
};

async function makeCourse(folder: string): Promise<void> {
  await writeNoise(folder, FILES, 5);
  await Deno.writeTextFile(join(folder, "course", ".hidden"), "h");
  await Deno.symlink("week 1/tiny", join(folder, "course", "link"));
}

for (const format of ["v1", "v2", "hybrid"]) {
  Deno.test(`peer shares a folder as ${format}, with links and without padding on the disk`, async () => {
    await using folder = await temporaryFolder();
    const seedFolder = join(folder.path, "seed");
    const leechFolder = join(folder.path, "leech");
    const torrent = join(folder.path, "course.torrent");
    await makeCourse(seedFolder);
    const made = await runProgram([
      ...["peer", "--create", join(seedFolder, "course"), "-o", torrent],
      ...["--format", format, "--piece-length", "64KiB", "--links", "keep"],
    ]);
    assertEquals(made.code, 0, made.stderr);
    await using seed = await startProgram([
      ...["peer", torrent, "--dir", seedFolder, ...LOCAL],
    ]);
    const { port } = await seed.until("role.listening");
    const checked = await seed.until("torrent.checked");
    assertEquals(checked.havePieces, checked.pieceCount);
    const { code, stdout, stderr } = await runProgram([
      ...["peer", torrent, "--dir", leechFolder, ...LOCAL, "--json"],
      ...["--peer", `127.0.0.1:${port}`, "--exit-when-complete"],
    ]);
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout).downloadedBytes, 265_539);
    for (const name of Object.keys(FILES)) {
      assertEquals(
        await Deno.readFile(join(leechFolder, name)),
        await Deno.readFile(join(seedFolder, name)),
        name,
      );
    }
    const course = join(leechFolder, "course");
    assertEquals(await Deno.readLink(join(course, "link")), "week 1/tiny");
    const names: string[] = [];
    for await (const { name } of Deno.readDir(course)) names.push(name);
    assertEquals(names.sort(), ["a.bin", "empty", "link", "week 1"]);
  });
}

Deno.test("peer --create puts in hidden files and what links point to when asked, and refuses links that lead outside", async () => {
  await using folder = await temporaryFolder();
  await makeCourse(folder.path);
  const course = join(folder.path, "course");
  const torrent = join(folder.path, "c.torrent");
  const create = (...args: readonly string[]) =>
    runProgram(["peer", "--create", course, "-o", torrent, ...args]);
  const listed = async () => {
    const { stdout } = await runProgram([
      "peer",
      "--inspect",
      torrent,
      "--json",
    ]);
    return JSON.parse(stdout);
  };
  const names = ["course/a.bin", "course/empty"];
  const below = ["course/week 1/slides", "course/week 1/tiny"];
  const pathsOf = (shown: { files: { path: string }[] }) =>
    shown.files.map(({ path }) => path);
  await create();
  assertEquals(pathsOf(await listed()), [...names, ...below]);
  await create("--hidden", "--links", "follow");
  assertEquals(pathsOf(await listed()), [
    ...["course/.hidden", ...names, "course/link", ...below],
  ]);
  await create(
    ...[
      "--announce",
      "http://10.0.0.1/announce,udp://10.0.0.2:1",
      "--announce",
    ],
    ...["http://10.0.0.3/announce", "--web-seed", "http://10.0.0.4/files/"],
    ...["--source", "class", "--comment", "hello", "--private"],
  );
  const shown = await listed();
  assertEquals(shown.announceList, [
    ["http://10.0.0.1/announce", "udp://10.0.0.2:1"],
    ["http://10.0.0.3/announce"],
  ]);
  assertEquals([shown.webSeeds, shown.source, shown.comment, shown.private], [
    ...[["http://10.0.0.4/files/"], "class", "hello", true],
  ]);
  await Deno.symlink("../..", join(course, "out"));
  const refused = await create("--links", "keep");
  assertEquals(refused.code, 2);
  assertEquals(refused.stderr.trim().split("\n").length, 1, refused.stderr);
  const around = await create("--links", "follow");
  assertEquals(around.code, 2, around.stderr);
  const badSeed = await create("--web-seed", "ftp://10.0.0.4/");
  assertEquals(badSeed.code, 2);
});
