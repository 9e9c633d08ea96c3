/**
 * Lesson 3, BitTorrent: a peer that downloads. The tests are its tracker and its seeds, and start it themselves:
 *
 *     ROLECALL_COMMAND='python3 peer.py {torrent} {folder}' deno test -A tests/grading/03_leech_test.ts
 *
 * The words of the command are those between spaces; `{torrent}` becomes the path of the torrent, `{folder}` that of
 * the empty folder in which `grading.bin` is due. It may go on when it has the file: it is stopped then.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { programCommand, temporaryFolder } from "../support/program.ts";
import { givenCommand, type RunningCommand, startCommand } from "./_command.ts";
import { latin1 } from "./_bencode.ts";
import {
  type RunningSeed,
  type RunningTracker,
  startSeed,
  startTracker,
} from "./_seed_host.ts";
import {
  CONTENT,
  FILE_BYTES,
  FILE_NAME,
  INFO_HASH,
  sha1,
  torrentOf,
} from "./_shared_file.ts";
import { graded } from "./_target.ts";

/** Longest time for a download. */
const DOWNLOAD_MS = 60_000;
const LOOK_MS = 100;

/** Starts the program under test; its end is no fault if it has the file by then. */
function startLeech(torrent: string, folder: string) {
  const ours = [
    ...["peer", torrent, "--dir", folder, "--host", "127.0.0.1", "--port", "0"],
    ...["--dht", "off", "--lsd", "off", "--unlisted", "--exit-when-complete"],
  ];
  const leech = startCommand(
    givenCommand({ torrent, folder }) ?? [...programCommand(), ...ours],
  );
  return { leech, [Symbol.asyncDispose]: () => leech.stop() };
}

function missed({ code, said }: RunningCommand): string {
  return `the program has ended with exit code ${code}, and not all that was asked for is done; it said:\n${said()}`;
}

/** Whether the file is there and has the right bytes. */
async function isRight(folder: string): Promise<boolean> {
  try {
    const bytes = await Deno.readFile(join(folder, FILE_NAME));
    return latin1(sha1(bytes)) === latin1(sha1(CONTENT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * A second host: some leeches connect to an address once, or ban all of an address for one bad piece. Where
 * 127.0.0.2 is no address of this machine (macOS), it is the first.
 */
function otherHost(): string {
  try {
    Deno.listen({ hostname: "127.0.0.2", port: 0 }).close();
    return "127.0.0.2";
  } catch {
    return "127.0.0.1";
  }
}

/** The address of a seed that has left. */
function goneSeed(): RunningSeed {
  const seed = startSeed({ hostname: otherHost() });
  seed[Symbol.dispose]();
  return { ...seed, [Symbol.dispose]: () => undefined };
}

/** One point: starts the leech with these seeds and waits until `isDone`. */
function point(
  name: string,
  seedsOf: () => readonly RunningSeed[],
  { isDone = () => true, check, extra = false }: {
    /** What has to be so beside the file. */
    readonly isDone?: (tracker: RunningTracker) => boolean;
    readonly check?: (tracker: RunningTracker) => void;
    readonly extra?: boolean;
  } = {},
): void {
  graded(`leech: ${name}`, async (signal) => {
    await using path = await temporaryFolder();
    const folder = join(path.path, "downloads");
    await Deno.mkdir(folder);
    using stack = new DisposableStack();
    const seeds = seedsOf().map((seed) => stack.use(seed));
    await using tracker = startTracker(seeds.map(({ address }) => address));
    const torrent = join(path.path, "grading.torrent");
    await Deno.writeFile(torrent, torrentOf(tracker.announceUrl));
    await using program = startLeech(torrent, folder);
    const { leech } = program;
    for (;;) {
      const { code } = leech; // Before the file is looked at: it may be whole by then.
      if (isDone(tracker) && await isRight(folder)) break;
      if (code !== undefined) throw new Error(missed(leech));
      signal.throwIfAborted();
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
    check?.(tracker);
  }, { extra, limitMs: DOWNLOAD_MS });
}

/** A field of a query; undefined if it is not there. */
function fieldOf(query: string, name: string): string | undefined {
  return query.split("&").find((field) => field.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** The bytes that a field of a query stands for, a character each. */
function unescaped(field: string | undefined): string | undefined {
  return field?.replace(
    /%([0-9a-f]{2})/gi,
    (_, digits) => String.fromCharCode(parseInt(digits, 16)),
  );
}

point("the file comes out right", () => [startSeed()]);

point("it tells the tracker what it wants and where it is", () => [
  startSeed(),
], {
  check({ queries }) {
    const first = queries[0]!;
    const field = (name: string) => fieldOf(first, name);
    assertEquals(unescaped(field("info_hash")), latin1(INFO_HASH), "info_hash");
    assertEquals(unescaped(field("peer_id"))?.length, 20, "bytes of peer_id");
    assertEquals(field("left"), `${FILE_BYTES}`, "left: bytes that it wants");
    assertEquals(field("event"), "started", "event of the first announce");
    assert(Number(field("port")) > 0, "a port");
  },
});

point("of two seeds with half the pieces each, it asks both", () => [
  startSeed({ pieces: [0, 2, 4] }),
  startSeed({ hostname: otherHost(), pieces: [1, 3, 5] }),
]);

point("a seed that is not there does not keep it from the other", () => [
  goneSeed(),
  startSeed(),
]);

/** One whose blocks are wrong, and one that is right but waits until the other has given some. */
function badAndGood(): RunningSeed[] {
  const bad = startSeed({ isBad: true });
  // Who has one connection at a time may have the good one first.
  const late = new Promise<void>((resolve) => setTimeout(resolve, 5000));
  const opens = Promise.race([bad.hasGiven, late]);
  return [bad, startSeed({ hostname: otherHost(), opens })];
}

point(
  "bad pieces of one seed are not kept, but had from another",
  badAndGood,
  { extra: true },
);

point("it tells the tracker that it has completed", () => [startSeed()], {
  isDone: ({ queries }) =>
    queries.some((query) => fieldOf(query, "event") === "completed"),
  extra: true,
});
