/** "Pure P2P": three hosts and no tracker. Two downloads find the seed, and each other, by the DHT alone, then by the LAN alone. Needs root and ROLECALL_BIN. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { seededRng } from "../../lib/core/rng.ts";
import { type Host, makeHosts } from "../support/namespaces.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** A seed on the first host, leeches on the two others, all with `flags`; ends when both have the file and have met. */
async function share(
  hosts: readonly Host[],
  flags: readonly string[],
  check: (peers: readonly StartedProgram[]) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const rng = seededRng(4);
  const bytes = Uint8Array.from({ length: 3_000_001 }, () => rng() * 256);
  const folders = hosts.map(({ name }) => join(folder.path, name));
  for (const path of folders) await Deno.mkdir(path);
  await Deno.writeFile(join(folders[0]!, "lecture.bin"), bytes);
  const torrent = join(folder.path, "lecture.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(folders[0]!, "lecture.bin"), "-o", torrent],
  ]);
  assertEquals(made.code, 0, made.stderr);
  await using stack = new AsyncDisposableStack();
  const start = async (at: number) =>
    stack.use(
      await startProgram(
        ["peer", torrent, "--dir", folders[at]!, ...flags],
        { inside: hosts[at]!.inside },
      ),
    );
  // A limit, so that the leeches have something to give each other.
  const seed = stack.use(
    await startProgram([
      ...["peer", torrent, "--dir", folders[0]!],
      ...[...flags, "--upload-limit", "512KiB/s"],
    ], { inside: hosts[0]!.inside }),
  );
  await seed.until("torrent.checked");
  const leeches = await Promise.all([start(1), start(2)]);
  for (const leech of leeches) await leech.until("torrent.completed");
  await check([seed, ...leeches]);
  for (const at of [1, 2]) {
    const got = await Deno.readFile(join(folders[at]!, "lecture.bin"));
    assertEquals(got, bytes);
  }
  for (const peer of [seed, ...leeches]) {
    const { code, stderr } = await peer.stop();
    assertEquals(code, 0, stderr);
  }
}

/** Each leech was connected with the other, not with the seed only. */
function assertMet(peers: readonly StartedProgram[]): void {
  for (const peer of peers) {
    const met = new Set(
      peer.events.filter((event) => event.type === "peer.connected").map((
        event,
      ) => event.peerId),
    );
    assert(met.size >= 2, `${met.size} others met`);
  }
}

Deno.test("three hosts without a tracker share a torrent by the DHT alone", async () => {
  await using network = await makeHosts(3, { id: "t1", net: 71 });
  const { hosts } = network;
  await using node = await startProgram(
    ["peer", "--dht-only", "--port", "6999"],
    { inside: hosts[0]!.inside },
  );
  await node.until("role.listening");
  const flags = ["--dht-node", `${hosts[0]!.address}:6999`, "--lsd", "off"];
  await share(hosts, flags, async (peers) => {
    for (const peer of peers) {
      await peer.until("dht.joined");
      await peer.until("dht.searched", (event) => event.peers > 0);
      await peer.until("dht.announced", (event) => event.nodes > 0);
    }
    await node.until("dht.stored");
    assertMet(peers);
  });
  assertEquals((await node.stop()).code, 0);
});

Deno.test("three hosts without a tracker share a torrent by the LAN alone, and nothing has to be named", async () => {
  await using network = await makeHosts(3, { id: "t2", net: 72 });
  await share(network.hosts, [], async (peers) => {
    await peers[0]!.until("lsd.heard");
    assertMet(peers);
  });
});

Deno.test("a private torrent is kept out of the DHT and off the LAN", async () => {
  await using network = await makeHosts(2, { id: "t3", net: 73 });
  const [first, second] = network.hosts as [Host, Host];
  await using folder = await temporaryFolder();
  const file = join(folder.path, "secret.bin");
  await Deno.writeFile(file, new Uint8Array(100_000));
  const torrent = join(folder.path, "secret.torrent");
  const announce = `http://${first.address}:6969/announce`;
  const made = await runProgram([
    ...["peer", "--create", file, "--private", "--announce", announce],
    ...["-o", torrent],
  ]);
  assertEquals(made.code, 0, made.stderr);
  await using node = await startProgram(["peer", "--dht-only"], {
    inside: first.inside,
  });
  await node.until("role.listening");
  await using seed = await startProgram([
    ...["peer", torrent, "--dir", folder.path, "--lsd", "on"],
    ...["--dht-node", `${first.address}:6881`],
  ], { inside: second.inside });
  await seed.until("announce.failed");
  assertEquals((await seed.stop()).code, 0);
  const said = [...seed.events, ...node.events].map(({ type }) => type);
  assertEquals(said.filter((type) => /^(dht|lsd)\./.test(type)), []);
});
