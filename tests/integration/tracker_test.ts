import { assert, assertEquals } from "@std/assert";
import {
  announceUrlOf,
  decodeAnnounceReply,
  decodeScrapeReply,
} from "../../lib/bittorrent/tracker/http/client.ts";
import type {
  AnnounceReply,
  AnnounceRequest,
} from "../../lib/bittorrent/tracker/messages.ts";
import { UdpTrackerClient } from "../../lib/bittorrent/tracker/udp/client.ts";
import { familyOf } from "../../lib/core/address.ts";
import { toHex, utf8 } from "../../lib/core/bytes.ts";
import { seededRng } from "../../lib/core/rng.ts";
import { announceOf } from "../support/announce.ts";
import {
  portOf,
  runProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

const HASH = Uint8Array.from({ length: 20 }, (_, at) => 255 - at * 11);

function request(change: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return announceOf({ infoHash: HASH, leftBytes: 0, ...change });
}

async function startTracker(...flags: string[]) {
  const program = await startProgram(["tracker", "--port", "0", ...flags]);
  const port = await portOf(program, "http");
  return { program, port, udpPort: await portOf(program, "udp") };
}

async function get(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  assertEquals(response.status, 200);
  return new Uint8Array(await response.arrayBuffer());
}

async function announce(
  host: string,
  port: number,
  change: Partial<AnnounceRequest> = {},
): Promise<AnnounceReply> {
  const url = announceUrlOf(`http://${host}:${port}/announce`, request(change));
  return decodeAnnounceReply(await get(url));
}

/** A UDP socket of Deno's own that is closed at the end of its block. */
function bindUdp(hostname: string) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  return { socket, [Symbol.dispose]: () => socket.close() };
}

/** Announces over UDP from `host` with the client machine and a socket of Deno's. */
async function announceOverUdp(
  host: string,
  port: number,
  change: Partial<AnnounceRequest>,
): Promise<AnnounceReply> {
  using bound = bindUdp(host);
  const { socket } = bound;
  const family = familyOf(host);
  const machine = new UdpTrackerClient({ rng: seededRng(1), family });
  let outputs = machine.handle(
    { kind: "announce", request: request(change) },
    0,
  );
  for (;;) {
    const output = outputs[0];
    if (output?.kind === "announced") return output.reply;
    assert(output?.kind === "send", output?.kind);
    await socket.send(output.bytes, { transport: "udp", hostname: host, port });
    const [bytes] = await socket.receive();
    outputs = machine.handle({ kind: "datagram", bytes }, 0);
  }
}

Deno.test("tracker serves HTTP and UDP, IPv4 and IPv6, on one port", async () => {
  const { program, port, udpPort } = await startTracker("--interval", "30s");
  await using _program = program;
  assertEquals(udpPort, port);
  const first = await announce("127.0.0.1", port);
  assertEquals([first.intervalSeconds, first.peers.length], [30, 0]);
  const second = await announceOverUdp("127.0.0.1", port, {
    peerId: utf8("-RC0001-over udp v4-"),
    port: 7001,
    leftBytes: 9,
  });
  assertEquals(second.peers, [{ host: "127.0.0.1", port: 6881, peerId: null }]);
  const third = await announceOverUdp("::1", port, {
    peerId: utf8("-RC0001-over udp v6-"),
    port: 7002,
  });
  assertEquals([third.seeders, third.leechers, third.peers], [2, 1, []]);
  const fourth = await announce("[::1]", port, {
    peerId: utf8("-RC0001-over http v6"),
    port: 7003,
  });
  // Of its own family only, as long as it does not say that it has both.
  assertEquals(
    fourth.peers.map((peer) => `${peer.host} ${peer.port}`),
    ["::1 7002"],
  );
  const scrape = decodeScrapeReply(
    await get(`http://127.0.0.1:${port}/scrape`),
  );
  assertEquals(scrape.map((entry) => entry.seeders), [3]);
  const page = new TextDecoder().decode(await get(`http://127.0.0.1:${port}/`));
  assert(page.includes(toHex(HASH)) && page.includes("127.0.0.1:7001"));
  assertEquals((await program.stop()).code, 0);
});

Deno.test("tracker stays up whatever comes in at either door", async () => {
  const { program, port } = await startTracker("--host", "127.0.0.1");
  await using _program = program;
  const garbage = [
    "GET /announce?info_hash=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /announce?\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://[::bad/announce HTTP/1.1\r\nHost: [\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n",
    "POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345",
    "\x13BitTorrent protocol\0\0\0\0\0\0\0\0",
    "\0".repeat(1000),
    "",
  ];
  for (const text of garbage) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
    );
    await connection.closeWrite();
    const buffer = new Uint8Array(65_536);
    // A reset is an answer as well.
    await connection.read(buffer).catch(() => null);
  }
  using bound = bindUdp("127.0.0.1");
  const { socket } = bound;
  const rng = seededRng(4);
  for (let length = 0; length < 200; length += 3) {
    await socket.send(
      Uint8Array.from({ length }, () => rng() * 256),
      { transport: "udp", hostname: "127.0.0.1", port },
    );
  }
  await announceOverUdp("127.0.0.1", port, { port: 1 });
  const reply = await announce("127.0.0.1", port, {
    peerId: utf8("-RC0001-still there?"),
  });
  assertEquals(reply.peers.map((peer) => peer.port), [1]);
});

Deno.test("tracker forgets a peer that is silent for --forget-after", async () => {
  const { program, port } = await startTracker(
    ...["--interval", "1s", "--forget-after", "2s"],
  );
  await using _program = program;
  await announce("127.0.0.1", port);
  const expired = await program.until("tracker.expired");
  assertEquals([expired.infoHash, expired.peers], [toHex(HASH), 1]);
});

Deno.test("tracker takes --udp-port, --max-peers and --allow", async () => {
  await using folder = await temporaryFolder();
  const list = `${folder.path}/torrents.txt`;
  await Deno.writeTextFile(list, `${toHex(HASH)} The movie\n`);
  const { program, port, udpPort } = await startTracker(
    ...["--udp-port", "0", "--max-peers", "2", "--allow", list],
  );
  await using _program = program;
  for (let at = 0; at < 4; at++) {
    const change = {
      peerId: utf8(`-RC0001-peer no ${at}---`),
      port: 7000 + at,
    };
    const reply = await announceOverUdp("127.0.0.1", udpPort, change);
    assertEquals(reply.peers.length, Math.min(at, 2));
  }
  const refused = await get(
    announceUrlOf(
      `http://127.0.0.1:${port}/announce`,
      request({ infoHash: new Uint8Array(20) }),
    ),
  );
  assert(new TextDecoder().decode(refused).startsWith("d14:failure reason"));
  const event = await program.until("tracker.refused");
  assertEquals(event.code, "torrent-not-allowed");
});

Deno.test("tracker --state-interval saves what a tracker that is killed knew, and tells what cannot be saved", async () => {
  await using folder = await temporaryFolder();
  const state = `${folder.path}/swarms`;
  const start = () =>
    startTracker(
      ...["--host", "127.0.0.1", "--udp-port", "0"],
      ...["--state", state, "--state-interval", "1s"],
    );
  {
    const { program, port } = await start();
    await using _program = program;
    await announce("127.0.0.1", port, { leftBytes: 1 });
    await program.until("state.saved", ({ peers }) => peers === 1);
    Deno.kill(program.pid, "SIGKILL");
    await program.exited;
  }
  const { program, port } = await start();
  await using _program = program;
  assertEquals((await program.until("state.restored")).peers, 1);
  await Deno.remove(state);
  await Deno.mkdir(state);
  await announce("127.0.0.1", port, { leftBytes: 1 });
  const failed = await program.until("state.failed");
  assertEquals(failed.path, state);
  assert(failed.reason.startsWith("Cannot write"), failed.reason);
  await Deno.remove(state);
  await program.until("state.saved");
});

Deno.test("tracker keeps its swarms over a restart, and begins anew with a damaged file", async () => {
  await using folder = await temporaryFolder();
  const state = `${folder.path}/kept/tracker.swarms`;
  const start = () =>
    startTracker("--host", "127.0.0.1", "--udp-port", "0", "--state", state);
  {
    const { program, port } = await start();
    await using _program = program;
    // Whether it can be written shows at the start.
    await program.until("state.saved");
    const second = await runProgram([
      ...["tracker", "--host", "127.0.0.1", "--port", "0", "--state", state],
    ]);
    assertEquals([second.code, second.stderr], [
      2,
      `rolecall: Cannot use --state ${state}: another tracker has it, give each its own\n`,
    ]);
    await announce("127.0.0.1", port, { event: "completed" });
    assertEquals((await program.stop()).code, 0);
    const saved = program.events.findLast((e) => e.type === "state.saved");
    assertEquals([saved?.swarms, saved?.peers], [1, 1]);
    const kept = await Array.fromAsync(Deno.readDir(`${folder.path}/kept`));
    assertEquals(kept.map(({ name }) => name), ["tracker.swarms"]);
  }
  {
    const { program, port } = await start();
    await using _program = program;
    const restored = await program.until("state.restored");
    assertEquals([restored.swarms, restored.peers], [1, 1]);
    const reply = await announce("127.0.0.1", port, {
      peerId: utf8("-RC0001-new start---"),
      port: 7000,
      leftBytes: 1,
    });
    assertEquals(reply.peers.map((peer) => peer.port), [6881]);
    const scrape = decodeScrapeReply(
      await get(`http://127.0.0.1:${port}/scrape`),
    );
    assertEquals(scrape.map((entry) => entry.completed), [1]);
  }
  const bytes = await Deno.readFile(state);
  bytes[bytes.length >> 1]! ^= 1;
  await Deno.writeFile(state, bytes);
  const { program, port } = await start();
  await using _program = program;
  await program.until("state.rejected");
  assertEquals(await Deno.readFile(`${state}.damaged`), bytes);
  assertEquals((await announce("127.0.0.1", port)).peers, []);
});

Deno.test("tracker reads the list of --allow again when it changes", async () => {
  await using folder = await temporaryFolder();
  const list = `${folder.path}/torrents.txt`;
  await Deno.writeTextFile(list, "# nothing yet\n");
  const { program, port } = await startTracker("--allow", list);
  await using _program = program;
  const url = announceUrlOf(`http://127.0.0.1:${port}/announce`, request());
  const isRefused = async () =>
    new TextDecoder().decode(await get(url)).includes("failure reason");
  assert(await isRefused());
  await Deno.writeTextFile(list, "no hash at all\n");
  await program.until("allowlist.rejected");
  assert(await isRefused());
  await Deno.writeTextFile(list, `${toHex(HASH)} The movie\n`);
  const event = await program.until("allowlist.reloaded");
  assertEquals(event.torrents, 1);
  assert(!await isRefused());
});

Deno.test("tracker --query prints a scrape over HTTP and over UDP", async () => {
  const { program, port } = await startTracker("--host", "127.0.0.1");
  await using _program = program;
  await announce("127.0.0.1", port, { event: "completed" });
  const torrents = [
    { infoHash: toHex(HASH), seeders: 1, leechers: 0, completed: 1 },
  ];
  for (
    const args of [
      ["--query", `http://127.0.0.1:${port}/announce`],
      ["--query", `udp://127.0.0.1:${port}`, "--info-hash", toHex(HASH)],
    ]
  ) {
    const json = await runProgram(["tracker", ...args, "--json"]);
    assertEquals([json.code, json.stderr], [0, ""]);
    assertEquals(JSON.parse(json.stdout).torrents, torrents);
    const text = await runProgram(["tracker", ...args]);
    assert(text.stdout.includes(toHex(HASH)), text.stdout);
  }
});

Deno.test("tracker --query says in one line what failed", async () => {
  const nobody = bindUdp("127.0.0.1");
  const { port } = nobody.socket.addr as Deno.NetAddr;
  const hash = ["--info-hash", toHex(HASH), "--timeout", "700ms"];
  const cases: readonly (readonly [number, readonly string[]])[] = [
    [1, [`http://127.0.0.1:${port}/announce`]],
    [1, [`udp://127.0.0.1:${port}`, ...hash]],
    [2, [`udp://127.0.0.1:${port}`]],
    [2, [`http://127.0.0.1:${port}/x`]],
    [2, ["tracker.example"]],
    [2, [`http://127.0.0.1:${port}/announce`, "--info-hash", "xyz"]],
  ];
  for (const [code, args] of cases) {
    const ended = await runProgram(["tracker", "--query", ...args]);
    assertEquals([ended.code, args], [code, args]);
    assertEquals(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  }
  nobody[Symbol.dispose]();
});

Deno.test("tracker says what is wrong with its flags, and exits with the contract's codes", async () => {
  await using folder = await temporaryFolder();
  const list = `${folder.path}/torrents.txt`;
  await Deno.writeTextFile(list, "not a hash\n");
  const bad = [
    ["--interval", "10ms"],
    ["--interval", "10s", "--forget-after", "9s"],
    ["--max-peers", "0"],
    ["--allow", list],
    ["--allow", `${folder.path}/nothing`],
    ["--state", folder.path],
    ["--state", `${list}/under-a-file`],
  ];
  for (const flags of bad) {
    const { code, stderr } = await runProgram(
      ["tracker", "--port", "0", ...flags],
    );
    assertEquals([code, flags], [2, flags]);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
  const { program, port } = await startTracker("--host", "127.0.0.1");
  await using _program = program;
  const second = await runProgram(
    ["tracker", "--host", "127.0.0.1", "--port", String(port)],
  );
  assertEquals(second.code, 1);
});

Deno.test("tracker --engine batch answers over UDP, many at a time or with one warning", async () => {
  const { program, udpPort } = await startTracker("--engine", "batch");
  for (const host of ["127.0.0.2", "127.0.0.3"]) {
    const peerId = utf8(`-RC0001-at-${host}`);
    const { peers } = await announceOverUdp(host, udpPort, { peerId });
    assertEquals(peers.length, host === "127.0.0.2" ? 0 : 1);
  }
  assertEquals((await program.stop()).code, 0);
  const warnings = program.events.filter(({ type }) =>
    type === "engine.rejected"
  );
  assertEquals(warnings.length, Deno.build.os === "linux" ? 0 : 1);
});
