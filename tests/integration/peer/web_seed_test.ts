/** Web seeds (BEP 19): files and folders from our origin and edge, and from servers that misbehave. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { assertSameFiles, writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];
const ALONE = [...LOCAL, "--dht", "off"];
const FILES: Readonly<Record<string, number>> = {
  "course/a b.bin": 3_000_000,
  "course/empty": 0,
  "course/week 1/ß": 700_001,
  "course/week 1/tiny": 3,
};

async function makeCourse(folder: string): Promise<void> {
  await writeNoise(folder, FILES, 12);
}

async function make(
  source: string,
  torrent: string,
  args: readonly string[],
): Promise<void> {
  const { code, stderr } = await runProgram([
    ...["peer", "--create", source, "-o", torrent, ...args],
  ]);
  assertEquals(code, 0, stderr);
}

async function urlOf(server: StartedProgram): Promise<string> {
  const { port } = await server.until("role.listening");
  return `http://127.0.0.1:${port}`;
}

async function leech(torrent: string, folder: string, args: string[] = []) {
  const ended = await runProgram([
    ...["peer", torrent, "--dir", folder, ...ALONE, "--json", ...args],
    ...["--exit-when-complete", "--log", "json"],
  ]);
  assertEquals(ended.code, 0, ended.stderr);
  const events = ended.stderr.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  return { result: JSON.parse(ended.stdout), events };
}

for (const format of ["v1", "v2", "hybrid"]) {
  Deno.test(`peer downloads a ${format} folder from our origin and, through it, from our edge, in few requests`, async () => {
    await using folder = await temporaryFolder();
    const seed = join(folder.path, "seed");
    await makeCourse(seed);
    await using origin = await startProgram([
      "origin",
      "--root",
      seed,
      ...LOCAL,
    ]);
    await using edge = await startProgram([
      ...["edge", "--origin", await urlOf(origin), ...LOCAL],
    ]);
    for (const server of [origin, edge]) {
      const torrent = join(folder.path, "course.torrent");
      await make(join(seed, "course"), torrent, [
        ...["--format", format, "--piece-length", "64KiB"],
        ...["--web-seed", `${await urlOf(server)}/`],
      ]);
      const leechFolder = await Deno.makeTempDir({ dir: folder.path });
      const { result, events } = await leech(torrent, leechFolder);
      await assertSameFiles(Object.keys(FILES), seed, leechFolder);
      assertEquals([result.complete, result.wastedBytes], [true, 0]);
      const fetched = events.filter(({ type }) => type === "webseed.fetched");
      // 57 pieces, two files of more than one: a first byte, and runs.
      assert(fetched.length <= 12, `${fetched.length} requests`);
    }
  });
}

/** A server of one file that answers the first requests of more than a byte as `misbehave` says. */
function serveFile(
  bytes: Uint8Array,
  misbehave: (request: number) => Response | "lie" | null,
) {
  let requests = 0;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const range = request.headers.get("range")?.match(/(\d+)-(\d+)/);
      const [from, to] = [Number(range?.[1]), Number(range?.[2])];
      const trick = from === to ? null : misbehave(requests++);
      if (trick instanceof Response) return trick;
      const body = bytes.slice(from, to + 1);
      if (trick === "lie") body[0]! ^= 1;
      return new Response(body, {
        status: 206,
        headers: { "content-range": `bytes ${from}-${to}/${bytes.length}` },
      });
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("peer bans a web seed that lies, waits for one that is busy, leaves one whose file is another, and follows redirects", async () => {
  await using folder = await temporaryFolder();
  const seed = join(folder.path, "seed");
  await makeCourse(seed);
  const file = join(seed, "course", "a b.bin");
  const bytes = await Deno.readFile(file);
  await using liar = serveFile(bytes, () => "lie");
  await using other = serveFile(bytes.slice(1), () => null);
  await using busy = serveFile(
    bytes,
    (request) =>
      request > 0 ? null : new Response("later", {
        status: 503,
        headers: { "retry-after": "1" },
      }),
  );
  await using away = serveFile(bytes, () => null);
  const redirect = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => Response.redirect(`${away.url}x`, 302),
  );
  const { port } = redirect.addr as Deno.NetAddr;
  const torrent = join(folder.path, "file.torrent");
  const run = async (urls: readonly string[]) => {
    await make(file, torrent, [
      ...["--piece-length", "64KiB"],
      ...urls.flatMap((url) => ["--web-seed", url]),
    ]);
    const target = await Deno.makeTempDir({ dir: folder.path });
    const { events } = await leech(torrent, target);
    assertEquals(await Deno.readFile(join(target, "a b.bin")), bytes);
    return events;
  };
  const events = await run([liar.url, other.url, busy.url]);
  const failed = events.filter(({ type }) => type === "webseed.failed");
  const about = (url: string) => failed.filter((event) => event.url === url);
  assertEquals(about(other.url)[0].retryMs, undefined);
  assertEquals(about(busy.url)[0].retryMs, 1000);
  const banned = events.filter(({ type }) => type === "peer.banned");
  assertEquals(banned.map(({ remote }) => remote), [liar.url]);
  await run([`http://127.0.0.1:${port}/`]);
  await redirect.shutdown();
});

Deno.test("peer keeps --download-limit with a web seed", async () => {
  await using folder = await temporaryFolder();
  const seed = join(folder.path, "seed");
  await makeCourse(seed);
  await using origin = await startProgram(["origin", "--root", seed, ...LOCAL]);
  const torrent = join(folder.path, "course.torrent");
  await make(join(seed, "course"), torrent, [
    ...["--piece-length", "64KiB", "--web-seed", await urlOf(origin)],
  ]);
  const limit = ["--download-limit", "1500KiB/s"];
  const { result } = await leech(torrent, join(folder.path, "leech"), limit);
  // 3.7 MB at 1.536 MB/s are 2.4 s; a slow machine takes longer, no machine may be faster.
  assert(result.durationMs > 2_100, `${result.durationMs} ms`);
});
