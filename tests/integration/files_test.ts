import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { RunError } from "../../lib/core/errors.ts";
import { denoFiles } from "../../lib/io/deno/files.ts";
import { temporaryFolder } from "../support/program.ts";

Deno.test("writeAtomic leaves one whole file of several writers at once, and nothing beside it", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "made", "state");
  const bytes = (value: number) => new Uint8Array(200_000).fill(value);
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map((value) =>
      denoFiles.writeAtomic(path, bytes(value), bytes(value))
    ),
  );
  const written = await Deno.readFile(path);
  assertEquals(written.length, 400_000);
  assertEquals(new Set(written).size, 1);
  // A folder stands where the file is to be.
  const taken = join(folder.path, "taken");
  await Deno.mkdir(join(taken, "inside"), { recursive: true });
  await assertRejects(() => denoFiles.writeAtomic(taken, bytes(7)), RunError);
  const names = await Array.fromAsync(
    Deno.readDir(folder.path),
    ({ name }) => name,
  );
  assertEquals(names.sort(), ["made", "taken"]);
  const beside = await Array.fromAsync(Deno.readDir(join(folder.path, "made")));
  assertEquals(beside.map(({ name }) => name), ["state"]);
});

Deno.test("writeAtomic removes what a killed writer left, and nothing of one that lives or of somebody else", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const ours = (lot: string) => `state.${lot.padEnd(16, "0")}.rolecall.tmp`;
  const [left, young, held] = [ours("a"), ours("b"), ours("c")];
  const foreign = ["notes.tmp", "state.1234.tmp", "state.rolecall.tmp"];
  for (const name of [left, young, held, ...foreign]) {
    await Deno.writeTextFile(path(name), "x");
    const longAgo = new Date(Date.now() - 60_000);
    if (name !== young) await Deno.utime(path(name), longAgo, longAgo);
  }
  const names = async () =>
    (await denoFiles.list(folder.path)).map(({ name }) => name);
  {
    using _lock = await denoFiles.lock(path(held));
    await denoFiles.writeAtomic(path("state"), new Uint8Array(1));
  }
  assertEquals(await names(), [...foreign, young, held, "state"].sort());
});
