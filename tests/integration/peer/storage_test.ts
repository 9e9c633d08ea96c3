import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { seededRng } from "../../../lib/core/rng.ts";
import { writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];
const PIECE_BYTES = 16_384;

interface Setting extends AsyncDisposable {
  readonly folder: string;
  readonly torrent: string;
  /** A seed of it, as `--peer` takes it. */
  readonly seed: StartedProgram;
  readonly address: string;
  /** The contents, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** A torrent of the folder "lab" with files of these lengths, and a seed of it. */
async function setUp(
  lengths: Readonly<Record<string, number>>,
  seedFlags: readonly string[] = [],
): Promise<Setting> {
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder());
  const shared = join(folder, "seed", "lab");
  const contents = await writeNoise(shared, lengths, 31);
  const torrent = join(folder, "lab.torrent");
  const made = await runProgram([
    ...["peer", "--create", shared, "-o", torrent],
    ...["--piece-length", "16KiB"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const seed = stack.use(
    await startProgram([
      ...["peer", torrent, "--dir", join(folder, "seed"), ...LOCAL],
      ...seedFlags,
    ]),
  );
  const { host, port } = await seed.until("role.listening");
  await seed.until("torrent.checked");
  const all = stack.move();
  return {
    ...{ folder, torrent, seed, address: `${host}:${port}`, contents },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function leech(
  { torrent, address }: Setting,
  dir: string,
  ...flags: string[]
): Promise<StartedProgram> {
  return startProgram([
    ...["peer", torrent, "--dir", dir, ...LOCAL, "--peer", address],
    ...["--exit-when-complete", "--json", ...flags],
  ]);
}

async function isRight(setting: Setting, dir: string): Promise<void> {
  for (const [name, bytes] of setting.contents) {
    assertEquals(await Deno.readFile(join(dir, "lab", name)), bytes, name);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

/** How a program that failed says so, in its last event. */
async function complaint(program: StartedProgram): Promise<string> {
  const { stderr } = await program.exited;
  assertEquals(stderr, "", "nothing but events");
  const last = program.events.at(-1)!;
  assert(last.type === "role.finished" && last.error !== undefined);
  return last.error;
}

Deno.test("peer ends with the right files after 20 times kill -9, and fetches no verified piece twice", async () => {
  await using setting = await setUp({
    "a": 700_000,
    "b/c": 1_500_000,
    "b/d": 5,
    "empty": 0,
  });
  const dir = join(setting.folder, "leech");
  const rng = seededRng(32);
  let had = 0;
  let fetched = 0;
  for (let run = 0; run < 20; run++) {
    const program = await leech(setting, dir, "--download-limit", "600KiB/s");
    const { havePieces } = await program.until("torrent.checked");
    // What was verified and written was found again; a piece that was just being written may be more.
    assert(havePieces >= had, `run ${run}: ${havePieces}, before ${had}`);
    const wanted = havePieces + 1 + Math.floor(rng() * 5);
    await program.until(
      "piece.verified",
      (event) => event.havePieces >= wanted,
    );
    // In the middle of something.
    Deno.kill(program.pid, "SIGKILL");
    await program.exited;
    fetched += program.events.filter(({ type }) => type === "piece.verified")
      .length;
    had = havePieces;
  }
  const last = await leech(setting, dir);
  const { havePieces, pieceCount } = await last.until("torrent.checked");
  const { code, stdout, stderr } = await last.exited;
  assertEquals(code, 0, stderr);
  await isRight(setting, dir);
  const result = JSON.parse(stdout);
  assertEquals(result.complete, true);
  assertEquals(
    Math.ceil(result.downloadedBytes / PIECE_BYTES),
    pieceCount - havePieces,
  );
  // Verified in memory and not yet written when it was killed: one piece each time, on a busy machine a few.
  assert(fetched - havePieces <= 20 * 3, `${fetched} fetched, ${havePieces}`);
});

Deno.test("peer takes the last run's word for files nobody touched, hashes the others, and all with --check", async () => {
  await using setting = await setUp({ "a": 400_000, "b": 400_000 });
  const dir = join(setting.folder, "leech");
  await (await leech(setting, dir)).exited;
  const again = async (...flags: string[]) => {
    const program = await leech(setting, dir, ...flags);
    const { code } = await program.exited;
    assertEquals(code, 0);
    const { havePieces, hashedPieces, pieceCount } = await program.until(
      "torrent.checked",
    );
    return { missing: pieceCount - havePieces, hashedPieces, pieceCount };
  };
  const { pieceCount, ...first } = await again();
  assertEquals(first, { missing: 0, hashedPieces: 0 });
  assertEquals((await again("--check")).hashedPieces, pieceCount);

  // A byte of b, with its size as before: only b is looked at, and one piece of it fetched.
  const b = join(dir, "lab", "b");
  {
    using file = await Deno.open(b, { write: true });
    await file.seek(100_000, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(1, 2, 3, 4));
  }
  const touched = await again();
  assertEquals(touched.missing, 1);
  assert(touched.hashedPieces < 0.6 * pieceCount, `${touched.hashedPieces}`);
  await isRight(setting, dir);

  // The same with the old time put back: only --check finds it.
  const { mtime } = await Deno.stat(b);
  {
    using file = await Deno.open(b, { write: true });
    await file.write(Uint8Array.of(1, 2, 3, 4));
  }
  await Deno.utime(b, mtime!, mtime!);
  assertEquals((await again()).missing, 0);
  assertEquals((await again("--check")).missing, 1);
  await isRight(setting, dir);

  // A record that is damaged, or of another machine's life, is none.
  const record = (await namesIn(dir)).find((name) => name.endsWith(".resume"));
  const path = join(dir, record!);
  const text = await Deno.readTextFile(path);
  for (
    const broken of [
      "",
      "{",
      "null",
      "[]",
      text.slice(0, text.length / 2),
      text.replace(/"pieces":"../, '"pieces":"'),
      text.replace(/"pieces":"../, '"pieces":"zz'),
      text.replace(/"savedAtMs":\d+/, '"savedAtMs":1'),
    ]
  ) {
    await Deno.writeTextFile(path, broken);
    assertEquals(await again(), {
      missing: 0,
      hashedPieces: pieceCount,
      pieceCount,
    });
  }
});

Deno.test("peer says in one line what is in its way, loses nothing, and goes on when it is gone", async () => {
  await using setting = await setUp({ "a": 400_000, "b/c": 400_000 });
  const dir = join(setting.folder, "leech");
  const fails = async (what: string, expected: RegExp, code = 1) => {
    const program = await leech(setting, dir);
    const finished = await program.exited;
    assertEquals(finished.code, code, `${what}: ${finished.stderr}`);
    assertMatch(await complaint(program), expected);
    assertEquals(finished.stdout, "", what);
  };
  // A folder is where a file belongs, and a file where a folder does.
  await Deno.mkdir(join(dir, "lab", "a", "deep"), { recursive: true });
  await fails("folder", /lab\/a: it is a folder, and the torrent has a file/);
  await Deno.remove(join(dir, "lab", "a"), { recursive: true });
  await Deno.writeTextFile(join(dir, "lab", "b"), "mine");
  await fails(
    "file",
    /folder of .*lab\/b\/c: a file of that name is in the way/,
  );
  assertEquals(await Deno.readTextFile(join(dir, "lab", "b")), "mine");
  await Deno.remove(join(dir, "lab", "b"));
  await Deno.remove(dir, { recursive: true });
  await Deno.writeTextFile(dir, "mine");
  await fails("file for --dir", /--dir must be a folder/, 2);
  await Deno.remove(dir);

  const { code, stderr } = await (await leech(setting, dir)).exited;
  assertEquals(code, 0, stderr);
  await isRight(setting, dir);
});

Deno.test({
  name:
    "peer notices that a file was removed or made shorter while it downloaded, and mends it at the next start",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using setting = await setUp({ "a": 600_000, "b": 600_000 });
    for (
      const [what, harm] of [
        ["removed it", (path: string) => Deno.remove(path)],
        ["made it shorter", (path: string) => Deno.truncate(path, 0)],
      ] as const
    ) {
      const dir = join(setting.folder, what);
      const program = await leech(
        setting,
        dir,
        // The harm is done some seconds before the end.
        ...["--download-limit", "300KiB/s", "--picker", "sequential"],
      );
      await program.until("piece.verified", (event) => event.havePieces > 20);
      await harm(join(dir, "lab", "a"));
      const finished = await program.exited;
      assertEquals(finished.code, 1, finished.stderr);
      assertMatch(
        await complaint(program),
        new RegExp(`lab/a: somebody ${what}`),
      );
      // No record tells of what is gone.
      assertEquals(await namesIn(dir), ["lab"]);
      const next = await (await leech(setting, dir)).exited;
      assertEquals(next.code, 0, next.stderr);
      assert(JSON.parse(next.stdout).downloadedBytes < 1_000_000);
      await isRight(setting, dir);
    }
  },
});

Deno.test("peer that seeds goes on when a file was only touched, and ends before it sends a piece that somebody wrote to", async () => {
  for (const isWritten of [false, true]) {
    await using setting = await setUp({ "a": 600_000 });
    const file = join(setting.folder, "seed", "lab", "a");
    // In place, with its length as before.
    if (isWritten) await Deno.writeFile(file, new Uint8Array(600_000));
    await Deno.utime(file, new Date(), new Date(1e12));
    const dir = join(setting.folder, "leech");
    await using program = await leech(setting, dir);
    if (!isWritten) {
      assertEquals((await program.exited).code, 0);
      await isRight(setting, dir);
      continue;
    }
    assertEquals((await setting.seed.exited).code, 1);
    assertMatch(await complaint(setting.seed), /lab\/a: somebody wrote to it/);
    await program.stop();
    const got = program.events.filter(({ type }) => type.startsWith("piece."));
    assertEquals(got, []);
  }
});
