/**
 * Other trackers serve our peers and our `tracker --query`: Debian's opentracker and npm's bittorrent-tracker; ours serves
 * libtorrent and npm's client. Over HTTP and UDP, on loopback. `ROLECALL_NPM` has node_modules with bittorrent-tracker.
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join, resolve } from "@std/path";
import { toHex } from "../../../lib/core/bytes.ts";
import { parseMetainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import { sha1, sha256 } from "../../../lib/io/hash.ts";
import { untilListening } from "../../support/eventually.ts";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { freePort, startTool } from "../../support/tools.ts";

const NPM = fromFileUrl(
  new URL("../../testdata/bittorrent_tracker.mjs", import.meta.url),
);
const LIBTORRENT = fromFileUrl(
  new URL("../../testdata/python/libtorrent_peer.py", import.meta.url),
);
const SCHEMES = ["http", "udp"] as const;

function npmModules(): string {
  const npm = Deno.env.get("ROLECALL_NPM");
  assert(npm, "ROLECALL_NPM must name a folder with bittorrent-tracker");
  return join(resolve(npm), "node_modules");
}

/** A file in `folder/seed`, its torrent, and where it is to be downloaded to. */
async function makeTorrent(folder: string, announce: string) {
  const seed = join(folder, "seed");
  const leech = join(folder, "leech");
  const torrent = join(folder, "shared.torrent");
  await Deno.mkdir(seed);
  await Deno.mkdir(leech);
  const content = Uint8Array.from({ length: 600_000 }, (_, at) => at * at >> 7);
  await Deno.writeFile(join(seed, "shared.bin"), content);
  const made = await runProgram([
    ...["peer", "--create", join(seed, "shared.bin")],
    ...["--announce", announce, "-o", torrent],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const { infoHash } = parseMetainfo(await Deno.readFile(torrent), {
    sha1,
    sha256,
  });
  return { seed, leech, torrent, content, infoHash: toHex(infoHash) };
}

type Torrent = Awaited<ReturnType<typeof makeTorrent>>;

/** Our peer's flags: no way to find others but the tracker. */
function peerFlags(torrent: string, folder: string): string[] {
  return [
    // Not --host: npm's tracker misreads the address that it makes the peer name.
    ...["peer", torrent, "--dir", folder, "--port", "0"],
    ...["--dht", "off", "--lsd", "off"],
  ];
}

async function isWhole({ leech, content }: Torrent): Promise<boolean> {
  const got = await Deno.readFile(join(leech, "shared.bin"));
  return toHex(sha1(got)) === toHex(sha1(content));
}

for (const tracker of ["opentracker", "bittorrent-tracker"] as const) {
  for (const scheme of SCHEMES) {
    Deno.test(`${tracker} brings our peers together over ${scheme}, and answers our query`, async () => {
      await using folder = await temporaryFolder();
      const port = freePort();
      const announce = `${scheme}://127.0.0.1:${port}/announce`;
      const made = await makeTorrent(folder.path, announce);
      const list = join(folder.path, "list.txt");
      await Deno.writeTextFile(list, `${made.infoHash}\n`);
      // opentracker reads it as the user nobody.
      await Deno.chmod(folder.path, 0o755);
      await using _tracker = startTool(
        tracker === "opentracker"
          ? [
            ...["opentracker", "-i", "127.0.0.1", "-w", list],
            ...["-p", `${port}`, "-P", `${port}`],
          ]
          : ["node", NPM, npmModules(), "server", `${port}`],
      );
      await untilListening(port);
      await using seed = await startProgram(
        peerFlags(made.torrent, made.seed),
      );
      await seed.until("announce.answered");
      const got = await runProgram([
        ...peerFlags(made.torrent, made.leech),
        "--exit-when-complete",
      ]);
      assertEquals(got.code, 0, got.stderr);
      assert(await isWhole(made));
      const query = await runProgram([
        ...["tracker", "--query", announce, "--json"],
        ...["--info-hash", made.infoHash],
      ]);
      assertEquals(query.code, 0, query.stderr);
      const [swarm] = JSON.parse(query.stdout).torrents;
      assertEquals([swarm.infoHash, swarm.seeders], [made.infoHash, 1]);
      assertEquals(swarm.completed, 1);
    });
  }
}

for (const scheme of SCHEMES) {
  Deno.test(`tracker brings libtorrent's seed and our peer together over ${scheme}`, async () => {
    await using folder = await temporaryFolder();
    await using tracker = await startProgram([
      ...["tracker", "--host", "127.0.0.1", "--port", "0"],
    ]);
    const { port } = await tracker.until("role.listening");
    const made = await makeTorrent(
      folder.path,
      `${scheme}://127.0.0.1:${port}/announce?pass=key`,
    );
    await using _libtorrent = startTool([
      ...["/usr/bin/python3", LIBTORRENT, "127.0.0.1", `${freePort()}`],
      ...["tracker", "-", made.torrent, made.seed],
    ]);
    const met = await tracker.until(
      "tracker.announced",
      (event) => event.leftBytes === 0,
    );
    assertEquals([met.transport, met.infoHash], [scheme, made.infoHash]);
    // libtorrent sends what BEP 41 has for a URL with a query.
    if (scheme === "udp") assertEquals(met.urlData, "/announce?pass=key");
    const got = await runProgram([
      ...peerFlags(made.torrent, made.leech),
      "--exit-when-complete",
    ]);
    assertEquals(got.code, 0, got.stderr);
    assert(await isWhole(made));
    const refused = tracker.events.filter((event) =>
      event.type === "tracker.refused"
    );
    assertEquals(refused, []);
  });

  Deno.test(`tracker serves the client of npm's bittorrent-tracker over ${scheme}`, async () => {
    await using tracker = await startProgram([
      ...["tracker", "--host", "127.0.0.1", "--port", "0"],
    ]);
    const { port } = await tracker.until("role.listening");
    const ask = async (from: number) => {
      const { code, stdout, stderr } = await runTool("node", [
        ...[NPM, npmModules(), "client"],
        ...[
          `${scheme}://127.0.0.1:${port}/announce`,
          "ab".repeat(20),
          `${from}`,
        ],
      ]);
      assertEquals(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const first = await ask(7001);
    assertEquals(first.update, { complete: 0, incomplete: 1 });
    assertEquals(first.scrape, { complete: 0, incomplete: 1, downloaded: 0 });
    // It has the same id as the first, and so is not told of it; but it has said goodbye anyway.
    const stopped = await tracker.until(
      "tracker.announced",
      (event) => event.announceEvent === "stopped",
    );
    assertEquals([stopped.transport, stopped.port], [scheme, 7001]);
    assertEquals((await ask(7002)).update, { complete: 0, incomplete: 1 });
  });
}
