/**
 * A peer among strangers who mean harm: each of them costs a little memory for a while, and its own connection. An honest
 * download from the same peer runs all the while, and ends with the right file.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { concat, fromHex } from "../../../lib/core/bytes.ts";
import { encodeHandshake } from "../../../lib/bittorrent/wire/handshake.ts";
import {
  encodeMessage,
  PIECE_HEADER_BYTES,
  writePieceHeader,
} from "../../../lib/bittorrent/wire/messages.ts";
import { eventually } from "../../support/eventually.ts";
import { noise } from "../../support/noise.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { message, Stranger } from "../../support/stranger.ts";

const HOST = "127.0.0.1";
const LOCAL = ["--host", HOST, "--port", "0"];
const FILE_BYTES = 4_000_000;
/** Longest wait for the other side to end a connection: it ends it at once. */
const LIMIT_MS = 60_000;
/** More than noise, less than any flood sends. */
const MAX_GROWTH_MIB = 120;
/** Connections in all, and at a time: no more than the queue of a listener holds, or they wait for a second. */
const CROWD = 10_000;
const CROWD_AT_ONCE = 40; // 3 n + 1
/** `--max-connections`, and what a program has beside. */
const MAX_SOCKETS = 80 + 20;

/** What a stranger does with its connection; it is closed when this is over. */
type Attack = (stranger: Stranger, victim: Victim) => Promise<void>;

function block(pieceIndex: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_HEADER_BYTES + 16_384);
  writePieceHeader(bytes, 0, { pieceIndex, begin: 0, lengthBytes: 16_384 });
  return bytes;
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return concat(...Array<Uint8Array>(times).fill(bytes));
}

const NO_SUCH_PIECE = encodeMessage({ kind: "have", pieceIndex: 1_000_000 });
const INTERESTED = encodeMessage({ kind: "interested" });

/** Sends the same until the other side has had enough; fails if it takes it all. */
function flood(bytes: Uint8Array, times: number): Attack {
  return async (stranger) => {
    await stranger.offer(stranger.hello);
    const draining = stranger.drain(LIMIT_MS);
    for (let count = 0; count < times; count++) {
      if (!await stranger.offer(bytes)) break;
    }
    assert(await draining, "it took the whole flood");
  };
}

/** Sends the same again and again, which is allowed, and a word that is not at last: when that is answered, all was taken. */
function patience(bytes: Uint8Array, times: number): Attack {
  return async (stranger) => {
    await stranger.offer(stranger.hello);
    const draining = stranger.drain(LIMIT_MS);
    for (let count = 0; count < times; count++) {
      assert(await stranger.offer(bytes), "it did not take what is allowed");
    }
    await stranger.offer(NO_SUCH_PIECE);
    assert(await draining);
  };
}

/** What strangers do, and what they are told the door for. */
const ATTACKS: Readonly<
  Record<string, { readonly code: string; readonly attack: Attack }>
> = {
  "random bytes": {
    code: "handshake-not-bittorrent",
    attack: async (stranger) => {
      await stranger.offer(noise(5_000, 51));
      assert(await stranger.drain(LIMIT_MS));
    },
  },
  "random bytes after a handshake": {
    code: "wire-too-long",
    attack: async (stranger) => {
      await stranger.offer(stranger.hello, noise(500_000, 52));
      assert(await stranger.drain(LIMIT_MS));
    },
  },
  "lengths without end": {
    code: "wire-too-long",
    attack: async (stranger) => {
      const endless = [0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0x0100_0000];
      for (const [at, length] of endless.entries()) {
        const id = [7, 5, 20, 99][at]!;
        await stranger.offer(
          at === 0 ? stranger.hello : new Uint8Array(),
          message(id, noise(100, 53), length),
        );
      }
      assert(await stranger.drain(LIMIT_MS));
    },
  },
  "requests, and nothing read": {
    code: "request-flood",
    attack: async (stranger, { program }) => {
      await stranger.offer(stranger.hello, INTERESTED);
      const { port } = stranger.stream.localAddr as Deno.NetAddr;
      await program.until(
        "peer.unchoked",
        ({ remote }) => remote === `${HOST}:${port}`,
      );
      // Some are served until the socket is full; then they pile up, to an end.
      const request = encodeMessage({
        kind: "request",
        ...{ pieceIndex: 0, begin: 0, lengthBytes: 16_384 },
      });
      for (let count = 0; count < 300; count++) {
        if (!await stranger.offer(repeated(request, 100))) return;
      }
      assert(await stranger.drain(LIMIT_MS), "30,000 requests were kept");
    },
  },
  "requests of 4 GiB": {
    code: "request-out-of-range",
    attack: flood(
      encodeMessage({
        kind: "request",
        ...{ pieceIndex: 0, begin: 0, lengthBytes: 0xffff_ffff },
      }),
      1,
    ),
  },
  "blocks nobody asked for": {
    code: "block-unasked",
    attack: flood(block(0), 3_000),
  },
  "haves of pieces that are not": {
    code: "have-out-of-range",
    attack: flood(NO_SUCH_PIECE, 1),
  },
  "the same haves": {
    code: "message-flood",
    attack: flood(
      repeated(encodeMessage({ kind: "have", pieceIndex: 0 }), 10_000),
      20,
    ),
  },
  "interested and not, without end": {
    code: "message-flood",
    attack: flood(
      repeated(
        concat(INTERESTED, encodeMessage({ kind: "not-interested" })),
        2_000,
      ),
      20,
    ),
  },
  "the same haves, as often as is allowed": {
    code: "have-out-of-range",
    attack: patience(
      repeated(encodeMessage({ kind: "have", pieceIndex: 0 }), 1_000),
      15,
    ),
  },
  "cancels, keep-alives and ports": {
    code: "message-flood",
    attack: flood(
      repeated(
        concat(
          encodeMessage({ kind: "keep-alive" }),
          encodeMessage({ kind: "port", port: 1 }),
          encodeMessage({
            kind: "cancel",
            ...{ pieceIndex: 0, begin: 0, lengthBytes: 16_384 },
          }),
        ),
        2_000,
      ),
      20,
    ),
  },
  "extended messages of rubbish": {
    code: "have-out-of-range",
    attack: patience(message(20, noise(60_000, 54)), 300),
  },
  "extended handshakes": {
    code: "message-flood",
    attack: flood(
      message(20, concat(Uint8Array.of(0), new TextEncoder().encode("de"))),
      3_000,
    ),
  },
  "an extended handshake that nests without end": {
    code: "extended-malformed",
    attack: flood(
      message(20, concat(Uint8Array.of(0), new Uint8Array(50_000).fill(0x6c))),
      10,
    ),
  },
  "unknown messages": {
    code: "have-out-of-range",
    attack: patience(message(200, noise(60_000, 55)), 300),
  },
};

interface Victim {
  readonly program: StartedProgram;
  readonly port: number;
  readonly hello: Uint8Array;
}

async function connect({ port, hello }: Victim): Promise<Stranger> {
  return new Stranger(
    await Deno.connect({ hostname: HOST, port }),
    hello,
  );
}

async function residentMib({ program }: Victim): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${program.pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

async function sockets({ program }: Victim): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`/proc/${program.pid}/fd`)) {
    const link = await Deno.readLink(`/proc/${program.pid}/fd/${name}`)
      .catch(() => "");
    if (link.startsWith("socket:")) count += 1;
  }
  return count;
}

/** A seed whose honest leech is at work and takes some more seconds. */
async function setUp(secondsToGo: number) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const content = noise(FILE_BYTES, 50);
  await Deno.writeFile(join(path, "file"), content);
  const torrent = join(path, "file.torrent");
  await runProgram(["peer", "--create", join(path, "file"), "-o", torrent]);
  const program = stack.use(
    await startProgram(["peer", torrent, "--dir", path, ...LOCAL]),
  );
  const { port } = await program.until("role.listening");
  const { infoHash } = await program.until("torrent.checked");
  const reserved = new Uint8Array(8);
  reserved[5] = 0x10; // Extensions (BEP 10).
  reserved[7] = 0x04; // Fast (BEP 6).
  const dir = join(path, "leech");
  const leech = stack.use(
    await startProgram([
      ...["peer", torrent, "--dir", dir, ...LOCAL],
      ...["--peer", `${HOST}:${port}`, "--exit-when-complete"],
      ...["--download-limit", `${Math.ceil(FILE_BYTES / secondsToGo)}B/s`],
    ]),
  );
  await leech.until("piece.verified");
  let strangers = 0;
  const victim = {
    program,
    port,
    get hello() {
      strangers += 1;
      const peerId = new Uint8Array(20).fill(1);
      new DataView(peerId.buffer).setUint32(8, strangers);
      return concat(
        encodeHandshake({ infoHash: fromHex(infoHash), peerId, reserved }),
        message(15, new Uint8Array()), // "have none"
      );
    },
  } satisfies Victim;
  const moved = stack.move();
  return {
    victim,
    /** Waits for the honest leech, and stops the victim: both end well. */
    async endsWell() {
      assertEquals((await leech.exited).code, 0);
      assertEquals(await Deno.readFile(join(dir, "file")), content);
      const { code, stderr } = await program.stop();
      assertEquals(code, 0);
      const strange = stderr.split("\n").filter((line) =>
        line !== "" && !line.startsWith("{")
      );
      assertEquals(strange, []);
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

Deno.test({
  name:
    "peer serves an honest leech while strangers flood it, and keeps nothing of what they send",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    await using setting = await setUp(5);
    const { victim } = setting;
    const before = await residentMib(victim);
    // Half a handshake, and no more, as long as the rest takes.
    const slow: Stranger[] = [];
    for (let count = 0; count < 40; count++) {
      const stranger = await connect(victim);
      slow.push(stranger);
      await stranger.offer(stranger.hello.subarray(0, count));
    }
    const told = () =>
      victim.program.events.flatMap((event) =>
        event.type === "protocol.violated" ? [event.code] : []
      );
    for (const [what, { code, attack }] of Object.entries(ATTACKS)) {
      await t.step(what, async () => {
        const count = told().length;
        const stranger = await connect(victim);
        try {
          await attack(stranger, victim);
        } finally {
          stranger.close();
        }
        await victim.program.until(
          "protocol.violated",
          () => told().length > count,
        );
        assertEquals(told().slice(count), [code]);
      });
    }
    for (const stranger of slow) stranger.close();
    const grown = await residentMib(victim) - before;
    assert(grown < MAX_GROWTH_MIB, `${grown} MiB more`);
    await setting.endsWell();
  },
});

Deno.test({
  name: "peer serves an honest leech while 10,000 connections come and go",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using setting = await setUp(5);
    const { victim } = setting;
    const before = await residentMib(victim);
    let crowd: Stranger[] = [];
    let held: Stranger[] = [];
    for (let done = 0; done < CROWD; done += CROWD_AT_ONCE) {
      for (const stranger of held) stranger.close();
      held = crowd;
      crowd = await Promise.all(
        Array.from({ length: CROWD_AT_ONCE }, () => connect(victim)),
      );
      // A third says nothing, a third half of something, a third comes in, and so does the last.
      await Promise.all(
        crowd.map((stranger, at) =>
          stranger.offer(stranger.hello.subarray(0, [70, 0, 30][at % 3]!))
        ),
      );
      // It is answered or shut out when all before it were taken from the queue.
      await crowd.at(-1)!.stream.read(new Uint8Array(1)).catch(() => null);
    }
    // The last ones still hold on; it does not hold on to all of them.
    let open = 0;
    await eventually(async () => {
      open = await sockets(victim);
      return open <= MAX_SOCKETS;
    }, { account: () => `${open} sockets` });
    const grown = await residentMib(victim) - before;
    assert(grown < MAX_GROWTH_MIB, `${grown} MiB more`);
    for (const stranger of [...crowd, ...held]) stranger.close();
    await setting.endsWell();
  },
});
