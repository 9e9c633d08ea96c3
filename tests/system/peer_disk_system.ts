/** A peer on a disk that is full, and on one that is read-only: small file systems in memory. Needs root. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { seededRng } from "../../lib/core/rng.ts";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];

async function mount(...args: string[]): Promise<void> {
  const { code, stderr } = await runTool("mount", args);
  assertEquals(code, 0, stderr);
}

Deno.test("peer on a full disk and on a read-only one ends with one line and exit code 1, and goes on when there is room", async () => {
  await using folder = await temporaryFolder();
  const rng = seededRng(41);
  const bytes = Uint8Array.from({ length: 3_000_000 }, () => rng() * 256);
  await Deno.writeFile(join(folder.path, "file"), bytes);
  const torrent = join(folder.path, "file.torrent");
  await runProgram([
    ...["peer", "--create", join(folder.path, "file"), "-o", torrent],
  ]);
  await using seed = await startProgram(
    ["peer", torrent, "--dir", folder.path, ...LOCAL],
  );
  const { host, port } = await seed.until("role.listening");
  const disk = join(folder.path, "disk");
  await Deno.mkdir(disk);
  await mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
  try {
    const download = () =>
      runProgram([
        ...["peer", torrent, "--dir", disk, ...LOCAL, "--log", "json"],
        ...["--peer", `${host}:${port}`, "--exit-when-complete", "--json"],
      ]);
    const fails = async (expected: RegExp) => {
      const { code, stdout, stderr } = await download();
      assertEquals([code, stdout], [1, ""], stderr);
      const lines = stderr.trim().split("\n");
      const { type, exitCode, error } = JSON.parse(lines.at(-1)!);
      assertEquals([type, exitCode], ["role.finished", 1]);
      assertMatch(error, expected);
    };
    await fails(/^Cannot write .*file: the disk is full$/);
    const { size } = await Deno.stat(join(disk, "file"));
    assert(size > 0);
    await mount("-o", "remount,ro", disk);
    await fails(/^Cannot open .*file: .*[Rr]ead-only/);
    await mount("-o", "remount,rw,size=8m", disk);
    const { code, stdout, stderr } = await download();
    assertEquals(code, 0, stderr);
    // What was written before the disk was full is not fetched again.
    assert(JSON.parse(stdout).downloadedBytes < 2_800_000, stdout);
    assertEquals(await Deno.readFile(join(disk, "file")), bytes);

    // A read-only folder can be seeded from; it takes no record.
    for await (const { name } of Deno.readDir(disk)) {
      if (name.endsWith(".resume")) await Deno.remove(join(disk, name));
    }
    await mount("-o", "remount,ro", disk);
    await using other = await startProgram(
      ["peer", torrent, "--dir", disk, ...LOCAL],
    );
    const { havePieces, pieceCount } = await other.until("torrent.checked");
    assertEquals(havePieces, pieceCount);
    assertEquals((await other.stop()).code, 0);
  } finally {
    await runTool("umount", [disk]);
  }
});
