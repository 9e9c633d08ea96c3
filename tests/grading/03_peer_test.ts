/**
 * Lesson 3, BitTorrent: a peer that has the whole file, by the protocol of BEP 3.
 *
 *     deno run -A tests/grading/make_torrent.ts share
 *     python3 seed.py share/grading.torrent share &
 *     ROLECALL_TARGET=127.0.0.1:6881 deno test -A tests/grading/03_peer_test.ts
 */
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/program.ts";
import { latin1 } from "./_bencode.ts";
import { graded, type Target, target } from "./_target.ts";
import {
  BLOCK_BYTES,
  FILE_BYTES,
  INFO_HASH,
  PIECE_BYTES,
  pieceOf,
  PIECES,
  repeatableBytes,
  sha1,
  writeShared,
} from "./_shared_file.ts";
import {
  type Block,
  blocksOf,
  handshake,
  HANDSHAKE_BYTES,
  MESSAGE,
  readHandshake,
  readPiece,
  Wire,
} from "./_wire.ts";

/** A peer decides every 10 s whom it serves, and every 30 s on one by lot. */
const UNCHOKE_MS = 35_000;
/** Time for a seed to read what it owes no answer. */
const HEARD_MS = 2000;

/** A seed under test. */
interface Seed {
  readonly target: Target;
  /** Opens a connection that the end of the test closes. */
  connect(): Promise<Wire>;
}

let leeches = 0;

/** An id that no connection had before: some peers refuse a second one. */
function nextPeerId(): string {
  leeches++;
  return `-GR0100-${`${leeches}`.padStart(12, "0")}`;
}

/** One point, with the seed; ours shares a folder of its own. */
function point(
  name: string,
  run: (seed: Seed) => Promise<void>,
  options: { readonly extra?: boolean; readonly limitMs?: number } = {},
): void {
  graded(`seed: ${name}`, async (signal) => {
    await using folder = await temporaryFolder();
    // The tracker of ours is at a port where nobody is.
    const { torrent } = await writeShared(
      folder.path,
      "http://127.0.0.1:1/announce",
    );
    await using server = await target([
      ...["peer", torrent, "--dir", folder.path],
      ...["--dht", "off", "--lsd", "off"],
    ]);
    const { host, port } = server;
    const wires: Wire[] = [];
    // A test that is late ends by its connections.
    const close = () => wires.forEach((wire) => wire[Symbol.dispose]());
    signal.addEventListener("abort", close);
    try {
      await run({
        target: server,
        async connect() {
          const wire = new Wire(await Deno.connect({ hostname: host, port }));
          wires.push(wire);
          return wire;
        },
      });
    } finally {
      close();
    }
  }, options);
}

/** A point for which the seed has to serve us, and perhaps another connection after that. */
function served(
  name: string,
  run: (seed: Seed) => Promise<void>,
  options: { readonly extra?: boolean } = {},
): void {
  point(name, run, { ...options, limitMs: 2 * UNCHOKE_MS + 10_000 });
}

/** Connects, and exchanges handshakes. */
async function greet(seed: Seed): Promise<Wire> {
  const wire = await seed.connect();
  await wire.sendBytes(handshake(nextPeerId()));
  const answer = await wire.bytes(HANDSHAKE_BYTES);
  assert(answer, "the seed closes instead of answering the handshake");
  assert(readHandshake(answer), "the answer is no handshake");
  return wire;
}

/** Says that we are interested, and waits to be unchoked. */
async function untilUnchoked(wire: Wire): Promise<void> {
  await wire.send(MESSAGE.interested);
  for (;;) {
    const message = await wire.message();
    assert(message, "the seed closes instead of unchoking");
    if (message.id === MESSAGE.unchoke) return;
  }
}

/** Asks for a block and returns its bytes. */
async function askFor(wire: Wire, block: Block): Promise<Uint8Array> {
  await wire.sendBlock(MESSAGE.request, block);
  return (await nextPiece(wire, block)).bytes;
}

/** The next `piece`, which must be of the block that is due. */
async function nextPiece(wire: Wire, { pieceIndex, begin, length }: Block) {
  for (;;) {
    const message = await wire.message();
    const what = `piece ${pieceIndex} from byte ${begin}`;
    assert(message, `the seed closes instead of sending ${what}`);
    if (message.id !== MESSAGE.piece) continue;
    const piece = readPiece(message);
    assertEquals(
      [piece.pieceIndex, piece.begin, piece.bytes.length],
      [pieceIndex, begin, length],
      `${length} bytes of ${what} were asked for`,
    );
    return piece;
  }
}

/** Downloads a piece and compares its SHA-1. */
async function download(wire: Wire, pieceIndex: number): Promise<void> {
  const right = pieceOf(pieceIndex);
  const got: number[] = [];
  for (const block of blocksOf(pieceIndex, right.length)) {
    got.push(...await askFor(wire, block));
  }
  const isRight = latin1(sha1(Uint8Array.from(got))) === latin1(sha1(right));
  assert(isRight, `the SHA-1 of piece ${pieceIndex} is not the torrent's`);
}

async function untilPiece(wire: Wire): Promise<void> {
  for (;;) {
    const message = await wire.message();
    if (message === null || message.id === MESSAGE.piece) return;
  }
}

async function untilClosed(wire: Wire): Promise<void> {
  while (await wire.bytes(1) !== null);
}

/** Leaves when the seed has heard what was sent, or shows nothing of it. */
async function leaveAfter(wire: Wire, heard: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, HEARD_MS);
  try {
    await Promise.race([heard, late]);
  } finally {
    clearTimeout(timer);
    wire[Symbol.dispose]();
  }
}

/** Whether the seed still serves who comes now. */
async function assertServes(seed: Seed): Promise<void> {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  await download(wire, PIECES - 1);
}

point("a handshake is answered by one for the same torrent", async (seed) => {
  const wire = await seed.connect();
  await wire.sendBytes(handshake(nextPeerId()));
  const answer = await wire.bytes(HANDSHAKE_BYTES);
  assert(answer, "the seed closes instead of answering");
  const said = readHandshake(answer);
  assert(said, "it begins with the byte 19 and 'BitTorrent protocol'");
  assertEquals(latin1(said.infoHash), latin1(INFO_HASH));
  assertEquals(said.peerId.length, 20);
});

point("a handshake that comes in two pieces is answered", async (seed) => {
  const wire = await seed.connect();
  const bytes = handshake(nextPeerId());
  await wire.sendBytes(bytes.subarray(0, 30));
  await new Promise((wake) => setTimeout(wake, 200));
  await wire.sendBytes(bytes.subarray(30));
  assert(await wire.bytes(HANDSHAKE_BYTES), "the seed closes");
});

point("a torrent that it does not have: it closes", async (seed) => {
  const wire = await seed.connect();
  const other = sha1(new TextEncoder().encode("another torrent"));
  await wire.sendBytes(handshake(nextPeerId(), other));
  // Some answer before they look; in the end all close.
  await untilClosed(wire);
});

point("it says that it has all pieces (bitfield or have)", async (seed) => {
  const wire = await greet(seed);
  const has = new Set<number>();
  while (has.size < PIECES) {
    const message = await wire.message();
    assert(message, `the seed closes; it has said ${[...has]}`);
    const { id, payload } = message;
    if (id === MESSAGE.have) {
      has.add(new DataView(payload.buffer).getUint32(0));
    } else if (id === MESSAGE.bitfield) {
      assertEquals(payload.length, 1, "6 pieces are 6 bits: one byte");
      assertEquals(payload[0]! & 0b11, 0, "bits behind the last piece are 0");
      for (let index = 0; index < PIECES; index++) {
        if ((payload[0]! & (0x80 >> index)) !== 0) has.add(index);
      }
    }
  }
});

point("who is interested is unchoked within 35 s", async (seed) => {
  await untilUnchoked(await greet(seed));
}, { limitMs: UNCHOKE_MS });

served("a block of 16 KiB is what was asked for", async (seed) => {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  const block = { pieceIndex: 1, begin: BLOCK_BYTES, length: BLOCK_BYTES };
  const right = pieceOf(1).subarray(BLOCK_BYTES, 2 * BLOCK_BYTES);
  assert(latin1(await askFor(wire, block)) === latin1(right), "wrong bytes");
});

served("every piece has the SHA-1 of the torrent", async (seed) => {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  for (let index = 0; index < PIECES; index++) await download(wire, index);
});

served("several requests at once are all answered", async (seed) => {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  const wanted = blocksOf(2, PIECE_BYTES);
  for (const block of wanted) await wire.sendBlock(MESSAGE.request, block);
  const begins = new Set<number>();
  while (begins.size < wanted.length) {
    const message = await wire.message();
    assert(message, "the seed closes");
    if (message.id !== MESSAGE.piece) continue;
    const { pieceIndex, begin, bytes } = readPiece(message);
    const right = pieceOf(pieceIndex).subarray(begin, begin + bytes.length);
    assert(pieceIndex === 2 && latin1(bytes) === latin1(right));
    begins.add(begin);
  }
});

served("keep-alives are no messages", async (seed) => {
  const wire = await greet(seed);
  await wire.sendBytes(new Uint8Array(12));
  await untilUnchoked(wire);
  await wire.sendBytes(new Uint8Array(4));
  await download(wire, PIECES - 1);
});

served("two leeches are served at once", async (seed) => {
  const first = await greet(seed);
  const second = await greet(seed);
  await Promise.all([untilUnchoked(first), untilUnchoked(second)]);
  const blocks = blocksOf(3, PIECE_BYTES);
  for (const block of blocks) {
    // In turn, on two open connections.
    await askFor(first, block);
    await askFor(second, block);
  }
});

/** The seed may close or pay no heed to it, but goes on with the others. */
function survives(name: string, block: Block): void {
  served(`${name} does not end it`, async (seed) => {
    const wire = await greet(seed);
    await untilUnchoked(wire);
    await wire.sendBlock(MESSAGE.request, block);
    // The answer to a good request, or an end of the connection: then the first was read.
    await wire.sendBlock(MESSAGE.request, blocksOf(0, PIECE_BYTES)[0]!);
    await leaveAfter(wire, untilPiece(wire));
    await assertServes(seed);
  });
}

const last = PIECES - 1;
survives("a request for a piece that there is not", {
  ...{ pieceIndex: 1000, begin: 0, length: BLOCK_BYTES },
});
survives("a request beyond the end of the file", {
  pieceIndex: last,
  begin: FILE_BYTES - last * PIECE_BYTES - 1,
  length: BLOCK_BYTES,
});
survives("a request for 1 MiB", {
  ...{ pieceIndex: 0, begin: 0, length: 1 << 20 },
});

served("bytes that are no handshake do not end it", async (seed) => {
  const wire = await seed.connect();
  await wire.sendBytes(repeatableBytes(200, 5));
  await leaveAfter(wire, untilClosed(wire));
  await assertServes(seed);
});

served("a leech that leaves in the middle does not end it", async (seed) => {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  for (const block of blocksOf(0, PIECE_BYTES)) {
    await wire.sendBlock(MESSAGE.request, block);
  }
  wire[Symbol.dispose]();
  await assertServes(seed);
});

served("a message that claims 4 GiB does not end it", async (seed) => {
  const wire = await greet(seed);
  await wire.sendBytes(Uint8Array.of(255, 255, 255, 255, MESSAGE.piece, 1, 2));
  await leaveAfter(wire, untilClosed(wire));
  await assertServes(seed);
}, { extra: true });

served("nothing is sent to who is choked", async (seed) => {
  const wire = await greet(seed);
  const [first] = blocksOf(0, PIECE_BYTES);
  await wire.sendBlock(MESSAGE.request, first!);
  await wire.send(MESSAGE.interested);
  for (;;) {
    const message = await wire.message();
    assert(message, "the seed closes");
    assert(message.id !== MESSAGE.piece, "a piece came before unchoke");
    if (message.id === MESSAGE.unchoke) return;
  }
}, { extra: true });

served("after a cancel the next request is answered", async (seed) => {
  const wire = await greet(seed);
  await untilUnchoked(wire);
  const [first, second] = blocksOf(0, PIECE_BYTES) as [Block, Block];
  await wire.sendBlock(MESSAGE.request, first);
  await wire.sendBlock(MESSAGE.cancel, first);
  await wire.sendBlock(MESSAGE.request, second);
  // The first may have been on its way.
  for (;;) {
    const message = await wire.message();
    assert(message, "the seed closes");
    if (message.id !== MESSAGE.piece) continue;
    if (readPiece(message).begin === second.begin) return;
  }
}, { extra: true });
