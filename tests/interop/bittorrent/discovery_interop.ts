/**
 * Torrents without a tracker, between our peer and libtorrent, aria2 and Transmission: found by the DHT only (BEP 5), in
 * which we are the node to join through, or they are; and by multicast on the LAN only (BEP 14). Each program is in a
 * network namespace of its own, because libtorrent puts no loopback address into its routing table. Needs root.
 */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { equalBytes } from "../../../lib/core/bytes.ts";
import { eventually } from "../../support/eventually.ts";
import { type Host, makeHosts } from "../../support/namespaces.ts";
import { noise } from "../../support/noise.ts";
import {
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { startTool } from "../../support/tools.ts";
import { startTransmission } from "../../support/transmission.ts";

const SIZE = 2_000_000;
const LIBTORRENT = fromFileUrl(
  new URL("../../testdata/python/libtorrent_peer.py", import.meta.url),
);
/** Longest wait for another program to get the file. */
const COMPLETE_MS = 120_000;

type Client = "libtorrent" | "aria2" | "Transmission";

/** How a client is to find others. */
interface ClientOptions {
  readonly means: "dht" | "lsd";
  /** The DHT node to join through. */
  readonly node?: string;
  /** None makes libtorrent a DHT node only. */
  readonly torrent?: string;
  readonly folder: string;
  readonly seed?: boolean;
}

async function startClient(
  client: Client,
  host: Host,
  options: ClientOptions,
): Promise<AsyncDisposable> {
  const { means, node = "-", torrent = "-", folder, seed = false } = options;
  switch (client) {
    case "libtorrent":
      return startTool([
        ...[...host.inside, "/usr/bin/python3", LIBTORRENT],
        ...[host.address, "6881", means, node, torrent, folder],
      ]);
    case "aria2":
      return startTool([
        ...[...host.inside, "aria2c", "--no-conf", "--enable-dht6=false"],
        ...[`--enable-dht=${means === "dht"}`, "--dht-listen-port=6881"],
        ...(node === "-" ? [] : [`--dht-entry-point=${node}`]),
        `--dht-file-path=${join(folder, "..", `${host.name}.dht`)}`,
        ...[`--bt-enable-lpd=${means === "lsd"}`, "--listen-port=6881"],
        ...[`--bt-lpd-interface=${host.address}`],
        ...["--enable-peer-exchange=false", "--file-allocation=none"],
        ...(seed
          ? ["--check-integrity=true", "--seed-ratio=0.0"]
          : ["--seed-time=0"]),
        ...[`--dir=${folder}`, torrent],
      ]);
    case "Transmission":
      return await shareByTransmission(host, { means, torrent, folder });
  }
}

async function shareByTransmission(
  host: Host,
  { means, torrent, folder }: Required<
    Pick<ClientOptions, "means" | "torrent" | "folder">
  >,
): Promise<AsyncDisposable> {
  // It leaves the interface for multicast to the routing table, which has no default route here.
  const route = ["route", "add", "224.0.0.0/4", "dev", "eth0"];
  await runTool("ip", ["-n", host.name, ...route]);
  return await startTransmission(host, {
    ...{ torrent, folder },
    config: join(folder, "..", `${host.name}-transmission`),
    settings: {
      "dht-enabled": means === "dht",
      "lpd-enabled": means === "lsd",
      "peer-port": 6881,
    },
  });
}

/** Hosts, a folder with the file, an empty folder for each that has none, and a torrent that names no tracker. */
async function makeSetting(count: number, id: string, net: number) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const { hosts } = stack.use(await makeHosts(count, { id, net }));
  const folders = hosts.map(({ name }) => join(path, name));
  const seed = join(path, "seed");
  for (const folder of [seed, ...folders]) await Deno.mkdir(folder);
  const bytes = noise(SIZE, net);
  await Deno.writeFile(join(seed, "lecture.mp4"), bytes);
  const torrent = join(path, "lecture.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(seed, "lecture.mp4"), "-o", torrent, "--json"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  return {
    ...{ hosts, folders, seed, torrent },
    magnet: `magnet:?xt=urn:btih:${JSON.parse(made.stdout).infoHash}`,
    /** Waits until a folder has the file. */
    async untilComplete(folder: string): Promise<void> {
      const file = join(folder, "lecture.mp4");
      await eventually(async () => {
        const read = await Deno.readFile(file).catch(() => new Uint8Array());
        return equalBytes(read, bytes);
      }, {
        account: () => `${file} is not complete`,
        ...{ limitMs: COMPLETE_MS, pauseMs: 200 },
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

for (const [at, client] of (["libtorrent", "aria2"] as const).entries()) {
  Deno.test(`DHT: ${client} seeds and joins through our node, our peer finds it with nothing but an info-hash`, async () => {
    await using setting = await makeSetting(3, `d${6 + at}`, 66 + at);
    const { hosts, folders, seed, torrent, magnet } = setting;
    const [first, second, third] = hosts as [Host, Host, Host];
    await using node = await startProgram(["peer", "--dht-only"], {
      inside: first.inside,
    });
    await node.until("role.listening");
    const entry = `${first.address}:6881`;
    await using _seed = await startClient(client, second, {
      ...{ means: "dht", node: entry, torrent, folder: seed, seed: true },
    });
    await node.until(
      "dht.stored",
      ({ remote }) => remote === `${second.address}:6881`,
    );
    await using ours = await startProgram([
      ...["peer", magnet, "--dir", folders[2]!, "--dht-node", entry],
      ...["--lsd", "off", "--exit-when-complete", "--json"],
    ], { inside: third.inside });
    const { code, stdout, stderr } = await ours.exited;
    assertEquals(code, 0, stderr);
    await setting.untilComplete(folders[2]!);
    assertEquals(JSON.parse(stdout).peers[0].remote, `${second.address}:6881`);
  });
}

Deno.test("DHT: our peer seeds and joins through libtorrent, libtorrent and aria2 find it", async () => {
  await using setting = await makeSetting(4, "d2", 62);
  const { hosts, folders, seed, torrent } = setting;
  const [first, second, third, fourth] = hosts as [Host, Host, Host, Host];
  await using _node = await startClient("libtorrent", first, {
    ...{ means: "dht", folder: folders[0]! },
  });
  const node = `${first.address}:6881`;
  await using ours = await startProgram(
    ["peer", torrent, "--dir", seed, "--dht-node", node, "--lsd", "off"],
    { inside: second.inside },
  );
  await ours.until("dht.announced");
  await using _libtorrent = await startClient("libtorrent", third, {
    ...{ means: "dht", node, torrent, folder: folders[2]! },
  });
  await using _aria2 = await startClient("aria2", fourth, {
    ...{ means: "dht", node, torrent, folder: folders[3]! },
  });
  await setting.untilComplete(folders[2]!);
  await setting.untilComplete(folders[3]!);
  const { code, stderr } = await ours.stop();
  assertEquals(code, 0, stderr);
});

Deno.test("LAN: libtorrent, aria2 and Transmission find our seed by multicast", async () => {
  await using setting = await makeSetting(4, "d3", 63);
  const { hosts, folders, seed, torrent } = setting;
  await using ours = await startProgram(
    ["peer", torrent, "--dir", seed, "--dht", "off"],
    { inside: hosts[0]!.inside },
  );
  await ours.until("lsd.announced");
  const start = (client: Client, at: number) =>
    startClient(client, hosts[at]!, {
      ...{ means: "lsd", torrent, folder: folders[at]! },
    });
  await using _libtorrent = await start("libtorrent", 1);
  await using _aria2 = await start("aria2", 2);
  await using _transmission = await start("Transmission", 3);
  for (const folder of folders.slice(1)) await setting.untilComplete(folder);
  for (const { address } of hosts.slice(1)) {
    await ours.until("lsd.heard", ({ remote }) => remote === `${address}:6881`);
  }
  const { code, stderr } = await ours.stop();
  assertEquals(code, 0, stderr);
});

for (
  const [at, client] of (["libtorrent", "aria2", "Transmission"] as const)
    .entries()
) {
  Deno.test(`LAN: our peer finds a seed that is ${client} by multicast`, async () => {
    await using setting = await makeSetting(2, `e${at}`, 68 + at);
    const { hosts, folders, seed, torrent } = setting;
    const [first, second] = hosts as [Host, Host];
    await using _seed = await startClient(client, first, {
      ...{ means: "lsd", torrent, folder: seed, seed: true },
    });
    await using ours = await startProgram([
      ...["peer", torrent, "--dir", folders[1]!, "--dht", "off"],
      ...["--exit-when-complete", "--give-up-after", "0"],
    ], { inside: second.inside });
    const { code, stderr } = await ours.exited;
    assertEquals(code, 0, stderr);
    await setting.untilComplete(folders[1]!);
  });
}
