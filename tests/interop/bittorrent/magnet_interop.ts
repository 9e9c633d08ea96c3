/**
 * Magnet links (BEP 9, 10), the fast extension (BEP 6) and peer exchange (BEP 11) with libtorrent, aria2, Transmission and
 * webtorrent: each gives us the metadata and the files, and gets both from us; a third peer is found through a second one
 * only. No tracker, no DHT. Each program is in a network namespace of its own (Transmission takes no peers on 127/8), so it
 * needs root. webtorrent comes from the folder `ROLECALL_NPM`, which holds a `node_modules`.
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { equalBytes } from "../../../lib/core/bytes.ts";
import { eventually } from "../../support/eventually.ts";
import { type Host, makeHosts } from "../../support/namespaces.ts";
import { writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import {
  type HeardTool,
  startHeardTool,
  untilSaid,
} from "../../support/tools.ts";

const FOLDER_FILES: Readonly<Record<string, number>> = {
  "course/slides.pdf": 1_000_000,
  "course/video/lecture 1.mp4": 2_000_001,
  "course/readme": 10,
};
const SINGLE_FILE = { movie: 3_000_003 };
const PORT = 6881;
/** Transmission says its first word after 12 s. */
const COMPLETE_MS = 120_000;
const NO_SEARCH = ["--dht", "off", "--lsd", "off"];

const CLIENTS = ["libtorrent", "aria2", "Transmission", "webtorrent"] as const;

type Client = (typeof CLIENTS)[number];

/** How a client is to share. `source` is a torrent or a magnet link; only libtorrent and webtorrent can be told `peers`. */
interface Sharing {
  readonly source: string;
  readonly folder: string;
  readonly seed: boolean;
  readonly peers?: readonly string[];
}

async function startClient(
  client: Client,
  host: Host,
  { source, folder, seed, peers = [] }: Sharing,
): Promise<HeardTool> {
  switch (client) {
    case "libtorrent":
      return startHeardTool([
        ...[...host.inside, "/usr/bin/python3"],
        testdata("python/libtorrent_share.py"),
        ...[host.address, `${PORT}`, source, folder, ...peers],
      ]);
    case "webtorrent": {
      const npm = Deno.env.get("ROLECALL_NPM");
      assert(npm, "ROLECALL_NPM must name a folder with webtorrent in it");
      return startHeardTool([
        ...[...host.inside, "node", testdata("node/webtorrent_share.mjs")],
        ...[join(npm, "node_modules"), `${PORT}`, source, folder],
        ...[seed ? "seed" : "leech", ...peers],
      ]);
    }
    case "aria2":
      return startHeardTool([
        ...[...host.inside, "aria2c", "--no-conf", `--listen-port=${PORT}`],
        ...["--enable-dht=false", "--enable-dht6=false"],
        ...["--bt-enable-lpd=false", "--file-allocation=none"],
        ...["--seed-ratio=0.0", "--check-integrity=true"],
        ...[`--dir=${folder}`, source],
      ]);
    case "Transmission": {
      const config = join(folder, "..", `${host.name}-config`);
      await Deno.mkdir(config);
      const settings = {
        ...{ "dht-enabled": false, "lpd-enabled": false },
        ...{ "utp-enabled": false, encryption: 0, "peer-port": PORT },
        ...{ "peer-port-random-on-start": false },
        ...{ "port-forwarding-enabled": false },
      };
      await Deno.writeTextFile(
        join(config, "settings.json"),
        JSON.stringify(settings),
      );
      return startHeardTool([
        ...[...host.inside, "transmission-cli", "--config-dir", config],
        ...["--download-dir", folder, "--no-portmap", source],
      ], { env: { HOME: config } });
    }
  }
}

function testdata(path: string): string {
  return fromFileUrl(new URL(`../../testdata/${path}`, import.meta.url));
}

/** Hosts, a seed's folder, an empty one for each host, the torrent of it and its magnet link. */
async function makeSetting(
  files: Readonly<Record<string, number>>,
  { count, id, net }: {
    readonly count: number;
    readonly id: string;
    readonly net: number;
  },
) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const { hosts } = stack.use(await makeHosts(count, { id, net }));
  const seed = join(path, "seed");
  const folders = hosts.map(({ name }) => join(path, name));
  for (const folder of folders) await Deno.mkdir(folder);
  const contents = await writeNoise(seed, files, net);
  const top = Object.keys(files)[0]!.split("/")[0]!;
  const torrent = join(path, "made.torrent");
  // Small pieces, so that the metadata is long, and some are allowed fast.
  const made = await runProgram([
    ...["peer", "--create", join(seed, top), "-o", torrent],
    ...["--piece-length", "16KiB", "--json"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const magnet = `magnet:?xt=urn:btih:${
    JSON.parse(made.stdout).infoHash
  }&dn=${top}`;
  return {
    ...{ hosts, folders, seed, torrent, magnet },
    /** Waits until a folder has every file. */
    untilComplete: (folder: string, tool?: HeardTool) =>
      untilSame(folder, contents, tool),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function untilSame(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array>,
  tool?: HeardTool,
): Promise<void> {
  for (const [name, bytes] of contents) {
    await eventually(async () => {
      const read = await Deno.readFile(join(folder, name))
        .catch(() => new Uint8Array());
      return equalBytes(read, bytes);
    }, {
      account: () =>
        `${name} did not come to ${folder}: ${tool?.said().slice(-2000)}`,
      ...{ limitMs: COMPLETE_MS, pauseMs: 100 },
    });
  }
}

for (const [at, client] of CLIENTS.entries()) {
  const [first, second] = at % 2 === 0
    ? [FOLDER_FILES, SINGLE_FILE]
    : [SINGLE_FILE, FOLDER_FILES];

  const fromThem = async () => {
    await using setting = await makeSetting(first, {
      ...{ count: 2, id: `m${at}`, net: 141 + at },
    });
    const { hosts: [theirs, ours], folders, seed, torrent, magnet } = setting;
    await using tool = await startClient(client, theirs!, {
      ...{ source: torrent, folder: seed, seed: true },
    });
    await using peer = await startProgram([
      ...["peer", `${magnet}&x.pe=${theirs!.address}:${PORT}`],
      ...["--dir", folders[1]!, "--exit-when-complete", "--json", ...NO_SEARCH],
    ], { inside: ours!.inside });
    const late = setTimeout(() => peer.stop(), COMPLETE_MS);
    const { code, stdout, stderr } = await peer.exited;
    clearTimeout(late);
    assertEquals(code, 0, stderr + tool.said());
    await setting.untilComplete(folders[1]!);
    const { peers, wastedBytes } = JSON.parse(stdout);
    assertEquals([peers.length, wastedBytes], [1, 0]);
    if (client === "libtorrent") {
      await untilSaid(tool, "heard HAVE_NONE");
      await untilSaid(tool, "said HAVE_ALL");
    }
  };

  const fromUs = async () => {
    await using setting = await makeSetting(second, {
      ...{ count: 2, id: `n${at}`, net: 151 + at },
    });
    const { hosts: [theirs, ours], folders, seed, torrent, magnet } = setting;
    await using tool = await startClient(client, theirs!, {
      ...{ source: magnet, folder: folders[0]!, seed: false },
      peers: [`${ours!.address}:${PORT}`],
    });
    await using peer = await startProgram([
      ...["peer", torrent, "--dir", seed, ...NO_SEARCH],
      ...["--peer", `${theirs!.address}:${PORT}`],
    ], { inside: ours!.inside });
    await setting.untilComplete(folders[0]!, tool);
    const introduced = await peer.until(
      "peer.introduced",
      ({ extensions }) => extensions.includes("ut_metadata"),
    );
    assert(introduced.remote.includes(theirs!.address));
    const connected = await peer.until(
      "peer.connected",
      ({ features }) => features.includes("extended"),
    );
    assert(connected.features.includes("fast"), connected.features);
    const { code, stderr } = await peer.stop();
    assertEquals(code, 0, stderr);
    // aria2 and webtorrent try an encrypted connection first, and come again without.
    assertEquals(
      peer.events.filter((event) =>
        event.type === "protocol.violated" &&
        event.code !== "handshake-not-bittorrent"
      ),
      [],
    );
    if (client === "libtorrent") {
      for (const message of ["HAVE_ALL", "ALLOWED_FAST", "EXTENDED"]) {
        await untilSaid(tool, `heard ${message}`);
      }
    }
  };

  // Side by side: Transmission takes its time.
  Deno.test(`peer and ${client} get metadata and files of a magnet link from each other`, async () => {
    await Promise.all([fromThem(), fromUs()]);
  });
}

Deno.test("peer finds a third peer through libtorrent only, by peer exchange", async () => {
  await using setting = await makeSetting(SINGLE_FILE, {
    ...{ count: 3, id: "x1", net: 161 },
  });
  const { hosts, folders, seed, torrent } = setting;
  const [third, between, ours] = hosts as [Host, Host, Host];
  await using far = await startProgram([
    ...["peer", torrent, "--dir", seed, "--upload-limit", "80KiB/s"],
    ...NO_SEARCH,
  ], { inside: third.inside });
  await far.until("role.listening");
  await using tool = await startClient("libtorrent", between, {
    ...{ source: torrent, folder: folders[1]!, seed: false },
    peers: [`${third.address}:${PORT}`],
  });
  // libtorrent tells whom it knows once, some seconds after a handshake, and then once a minute.
  await far.until("peer.connected").catch((error) => {
    throw new Error(tool.said(), { cause: error });
  });
  await using peer = await startProgram([
    ...["peer", torrent, "--dir", folders[2]!, ...NO_SEARCH],
    ...["--peer", `${between.address}:${PORT}`],
  ], { inside: ours.inside });
  await peer.until(
    "peer.connected",
    // Both ends are told of each other: whoever hears it first dials.
    ({ remote }) => remote.includes(third.address),
  ).catch((error) => {
    throw new Error(tool.said(), { cause: error });
  });
});

Deno.test("libtorrent finds a third peer through ours only, by peer exchange", async () => {
  await using setting = await makeSetting(SINGLE_FILE, {
    ...{ count: 3, id: "x2", net: 162 },
  });
  const { hosts, folders, seed, torrent } = setting;
  const [third, between, theirs] = hosts as [Host, Host, Host];
  await using far = await startProgram([
    ...["peer", torrent, "--dir", seed, "--upload-limit", "80KiB/s"],
    ...NO_SEARCH,
  ], { inside: third.inside });
  await far.until("role.listening");
  await using peer = await startProgram([
    ...["peer", torrent, "--dir", folders[1]!, ...NO_SEARCH],
    ...["--peer", `${third.address}:${PORT}`],
  ], { inside: between.inside });
  await peer.until("peer.connected");
  await using tool = await startClient("libtorrent", theirs, {
    ...{ source: torrent, folder: folders[2]!, seed: false },
    peers: [`${between.address}:${PORT}`],
  });
  await far.until(
    "peer.connected",
    ({ remote }) => remote.includes(theirs.address),
  ).catch((error) => {
    throw new Error(tool.said(), { cause: error });
  });
  await untilSaid(tool, "heard PEX");
});
