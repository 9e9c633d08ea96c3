import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { encodeExtendedHandshake } from "../../../lib/bittorrent/wire/extended.ts";
import {
  encodeFeatures,
  encodeHandshake,
} from "../../../lib/bittorrent/wire/handshake.ts";
import { parseMagnet } from "../../../lib/bittorrent/metainfo/magnet.ts";
import { encodeMetadataMessage } from "../../../lib/bittorrent/wire/ut_metadata.ts";
import { encodeMessage } from "../../../lib/bittorrent/wire/messages.ts";
import { noise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0", "--lsd", "off"];

/** A folder with a seed's file, its torrent and its magnet link. */
async function makeSeed() {
  const folder = await temporaryFolder();
  const content = noise(3_000_000, 12);
  const torrent = join(folder.path, "movie.torrent");
  await Deno.writeFile(join(folder.path, "movie"), content);
  await runProgram([
    ...["peer", "--create", join(folder.path, "movie"), "-o", torrent],
    // Hashes of 1500 pieces: two blocks of metadata.
    ...["--piece-length", "16KiB"],
  ]);
  const { stdout } = await runProgram(["peer", "--inspect", torrent, "--json"]);
  const magnet = `magnet:?xt=urn:btih:${JSON.parse(stdout).infoHash}`;
  return { folder, content, torrent, magnet };
}

async function addressOf(program: StartedProgram): Promise<string> {
  const { host, port } = await program.until("role.listening");
  return `${host}:${port}`;
}

Deno.test("peer downloads by a magnet link alone, on the connections that brought the metadata, and gives it on", async () => {
  const { folder, content, torrent, magnet } = await makeSeed();
  await using _folder = folder;
  await using seed = await startProgram([
    ...["peer", torrent, "--dir", folder.path, ...LOCAL],
  ]);
  const saved = join(folder.path, "saved.torrent");
  await using first = await startProgram([
    ...["peer", `${magnet}&x.pe=${await addressOf(seed)}`, ...LOCAL],
    ...["--dir", join(folder.path, "first"), "--save-torrent", saved],
  ]);
  const fetched = await first.until("metadata.fetched");
  assertEquals([fetched.torrent, fetched.pieceCount], ["movie", 184]);
  assert(fetched.metadataBytes > 3_000);
  await first.until("torrent.completed");
  // The seed leaves; what the first has got by the magnet link it gives to others in turn.
  await seed.stop();
  const second = await runProgram([
    ...["peer", magnet, "--peer", await addressOf(first), ...LOCAL],
    ...["--dir", join(folder.path, "second"), "--exit-when-complete", "--json"],
  ]);
  assertEquals(second.code, 0, second.stderr);
  const result = JSON.parse(second.stdout);
  assertEquals([result.complete, result.peers.length], [true, 1]);
  for (const leech of ["first", "second"]) {
    assertEquals(
      await Deno.readFile(join(folder.path, leech, "movie")),
      content,
    );
  }
  const shown = (path: string) =>
    runProgram(["peer", "--inspect", path, "--json"]).then(({ stdout }) =>
      JSON.parse(stdout)
    );
  assertEquals((await shown(saved)).infoHash, (await shown(torrent)).infoHash);
  const ended = await first.stop();
  assertEquals(ended.code, 0, ended.stderr);
  assertEquals(
    first.events.filter((event) =>
      event.type === "peer.connected" && !event.incoming
    ).length,
    1,
  );
});

Deno.test("peer bans one that gives false metadata and takes it from another", async () => {
  const { folder, torrent, magnet } = await makeSeed();
  await using _folder = folder;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lying = lie(listener, parseMagnet(magnet).infoHash);
  await using leech = await startProgram([
    ...["peer", magnet, "--peer", `127.0.0.1:${listener.addr.port}`, ...LOCAL],
    ...["--dir", join(folder.path, "leech")],
  ]);
  const banned = await leech.until("peer.banned");
  assertEquals(banned.remote, `127.0.0.1:${listener.addr.port}`);
  await lying;
  // It is told of the honest one by a connection.
  const address = await addressOf(leech);
  await using honest = await startProgram([
    ...["peer", torrent, "--dir", folder.path, ...LOCAL, "--peer", address],
  ]);
  await honest.until("peer.connected");
  await leech.until("torrent.completed");
});

/** Accepts one connection and answers with metadata of its own making. */
async function lie(
  listener: Deno.TcpListener,
  infoHash: Uint8Array,
): Promise<void> {
  using connection = await listener.accept();
  const bytes = new Uint8Array(500).fill(7);
  const say = [
    encodeHandshake({
      infoHash,
      peerId: new Uint8Array(20).fill(66),
      reserved: encodeFeatures({ extended: true }),
    }),
    encodeMessage({
      kind: "extended",
      id: 0,
      payload: encodeExtendedHandshake({ metadataBytes: bytes.length }),
    }),
    encodeMessage({
      kind: "extended",
      id: 2,
      payload: encodeMetadataMessage({
        ...{ kind: "data", block: 0, totalBytes: bytes.length, bytes },
      }),
    }),
  ];
  const buffer = new Uint8Array(10_000);
  await connection.read(buffer);
  await connection.write(say[0]!);
  await connection.write(say[1]!);
  // Until its request has come.
  await connection.read(buffer);
  await connection.write(say[2]!);
  while (await connection.read(buffer).catch(() => null) !== null);
}

Deno.test("peer says in one line what is wrong with a magnet link, and what it leads to not", async () => {
  await using folder = await temporaryFolder();
  const hash = "0123456789abcdef0123456789abcdef01234567";
  const cases: readonly [number, readonly string[]][] = [
    [2, ["magnet:?dn=x"]],
    [2, ["magnet:?xt=urn:btih:zz"]],
    [2, ["--inspect", "magnet:?xt=urn:sha1:00"]],
    [2, ["a.torrent", "--save-torrent", "b.torrent"]],
    [1, [
      ...[`magnet:?xt=urn:btih:${hash}`, "--give-up-after", "200ms", ...LOCAL],
      ...["--log", "json"],
    ]],
  ];
  for (const [code, args] of cases) {
    const ended = await runProgram(["peer", ...args], { cwd: folder.path });
    assertEquals(ended.code, code, args.join(" "));
    const lines = ended.stderr.trim().split("\n");
    const told = lines.filter((line) =>
      !line.startsWith("{") || JSON.parse(line).error !== undefined
    );
    assertEquals(told.length, 1, ended.stderr);
  }
  const { stdout } = await runProgram([
    ...["peer", "--inspect", `magnet:?xt=urn:btih:${hash}&dn=a&x.pe=h:1`],
    "--json",
  ]);
  assertEquals(JSON.parse(stdout), {
    ...{ torrent: "a", infoHash: hash, infoHashV2: null },
    ...{ trackers: [], webSeeds: [], peers: ["h:1"] },
  });
});
