/**
 * Our peer and real clients: it downloads from an aria2 and from a Transmission seed, and each of them downloads from it,
 * a folder of three files, byte by byte. All find each other through our tracker, each in a network namespace of its own
 * (Transmission takes no peers on 127/8). Needs root.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type Host, makeHosts } from "../../support/namespaces.ts";
import { assertSameFiles, writeNoise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { type HeardTool, startHeardTool } from "../../support/tools.ts";
import { startTransmission } from "../../support/transmission.ts";

const FILES: Readonly<Record<string, number>> = {
  "course/slides.pdf": 3_000_000,
  "course/video/lecture 1.mp4": 5_000_001,
  "course/readme": 10,
};
const CLIENTS = ["aria2", "Transmission"] as const;

type Client = (typeof CLIENTS)[number];

/** Starts the client, sharing the torrent in `folder` by the tracker only. aria2 gives up seeding when it is stopped, and leaves as a leech when it has all. */
async function startClient(
  client: Client,
  host: Host,
  options: {
    readonly folder: string;
    readonly torrent: string;
    readonly seed: boolean;
  },
): Promise<HeardTool> {
  const { folder, torrent, seed } = options;
  if (client === "aria2") {
    return startHeardTool([
      ...host.inside,
      ...["aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false"],
      ...["--bt-enable-lpd=false", "--enable-peer-exchange=false"],
      ...["--file-allocation=none", "--summary-interval=0"],
      ...(seed
        ? ["--check-integrity=true", "--seed-ratio=0.0"]
        : ["--seed-time=0"]),
      ...[`--dir=${folder}`, torrent],
    ], { stop: "SIGTERM" });
  }
  const config = join(folder, "..", "transmission");
  return await startTransmission(host, { torrent, folder, config });
}

/** Three hosts, a tracker on the first, a torrent of a folder. */
async function makeSetting(id: string, net: number) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const [first, second, third] = stack.use(await makeHosts(3, { id, net }))
    .hosts as [Host, Host, Host];
  const seed = join(path, "seed");
  const leech = join(path, "leech");
  await Deno.mkdir(leech);
  await writeNoise(seed, FILES, 9);
  const torrent = join(path, "course.torrent");
  const made = await runProgram([
    ...["peer", "--create", join(seed, "course"), "-o", torrent],
    ...["--announce", `http://${first.address}:6969/announce`],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const tracker = stack.use(
    await startProgram(["tracker", "--interval", "5s"], {
      inside: first.inside,
    }),
  );
  await tracker.until("role.listening", (event) => event.transport !== "udp");
  return {
    ...{ seed, leech, torrent, tracker, second, third },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** aria2 tries an encrypted connection first, and comes again without. */
function violations(program: StartedProgram) {
  return program.events.filter((event) =>
    event.type === "protocol.violated" &&
    event.code !== "handshake-not-bittorrent"
  );
}

/** Waits twice as long as usual: Transmission sends its first byte after 12 s. */
async function untilCompleted(
  program: StartedProgram,
  matches: (
    event: { readonly host: string; readonly announceEvent: string },
  ) => boolean,
): Promise<void> {
  const wait = () => program.until("tracker.announced", matches);
  await wait().catch(wait);
}

for (const [at, client] of CLIENTS.entries()) {
  Deno.test(`peer downloads from ${client}`, async () => {
    await using setting = await makeSetting(`p${at}`, 31 + at);
    const { seed, leech, torrent, tracker, second, third } = setting;
    await using _seed = await startClient(client, second, {
      ...{ folder: seed, torrent, seed: true },
    });
    await tracker.until(
      "tracker.announced",
      (event) => event.host === second.address,
    );
    await using ours = await startProgram(
      ["peer", torrent, "--dir", leech, "--exit-when-complete", "--json"],
      { inside: third.inside },
    );
    await ours.until("peer.connected");
    const { code, stdout, stderr } = await ours.exited;
    assertEquals(code, 0, stderr);
    await assertSameFiles(Object.keys(FILES), seed, leech);
    const { peers, wastedBytes } = JSON.parse(stdout);
    assertEquals([peers.length, wastedBytes], [1, 0]);
    assertEquals(violations(ours), []);
  });

  Deno.test(`${client} downloads from peer`, async () => {
    await using setting = await makeSetting(`q${at}`, 41 + at);
    const { seed, leech, torrent, tracker, second, third } = setting;
    await using ours = await startProgram(
      ["peer", torrent, "--dir", seed],
      { inside: second.inside },
    );
    await tracker.until(
      "tracker.announced",
      (event) => event.host === second.address,
    );
    await using leechClient = await startClient(client, third, {
      ...{ folder: leech, torrent, seed: false },
    });
    // aria2 ends when it has all, without a word to the tracker; Transmission goes on.
    if (client === "aria2") await leechClient.ended;
    else {
      await untilCompleted(
        tracker,
        (event) =>
          event.host === third.address && event.announceEvent === "completed",
      );
    }
    await ours.until(
      "peer.disconnected",
      (event) => event.uploadedBytes >= 8_000_011,
    );
    await assertSameFiles(Object.keys(FILES), seed, leech);
    const { code, stderr } = await ours.stop();
    assertEquals(code, 0, stderr);
    assertEquals(violations(ours), []);
  });
}
