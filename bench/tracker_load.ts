// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The load of bench/tracker.ts: announces over UDP from one socket, in a process of its own so that it can be pinned to
 * another core. It sends and receives 64 datagrams a system call (sendmmsg, recvmmsg through FFI, Linux on 64 bits), which
 * costs it about 3 µs an announce, less than any tracker takes. 96 are under way at any time, whose answers fit the receive buffer; what is not answered in
 * 200 ms counts as lost.
 *
 *     deno run -A bench/tracker_load.ts PORT PEERS TORRENTS SECONDS
 *
 * First every peer announces once; then, after a line on stdin, random peers do for SECONDS. One JSON line for each.
 */
import { infoHashOf, scramble } from "./tracker_hashes.ts";

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
  },
}).symbols;

const [port = 6969, peers = 100_000, torrents = 1000, seconds = 3] = Deno.args
  .map(Number);
const BATCH = 64;
const SLOT_BYTES = 2048;
const WINDOW = 96;
const ANNOUNCE_BYTES = 98;
const MSG_WAITFORONE = 0x10000;

/** Room for a batch: the datagrams, and what the system calls want to know of them (struct mmsghdr, struct iovec). */
function batch(length: number) {
  const bytes = new Uint8Array(BATCH * SLOT_BYTES);
  const vectors = new BigUint64Array(2 * BATCH);
  const heads = new BigUint64Array(8 * BATCH);
  const addressOf = (array: Uint8Array | BigUint64Array) =>
    BigInt(
      Deno.UnsafePointer.value(
        Deno.UnsafePointer.of(array as Uint8Array<ArrayBuffer>),
      ),
    );
  for (let at = 0; at < BATCH; at++) {
    vectors[2 * at] = addressOf(bytes) + BigInt(at * SLOT_BYTES);
    vectors[2 * at + 1] = BigInt(length);
    heads[8 * at + 2] = addressOf(vectors) + BigInt(16 * at);
    heads[8 * at + 3] = 1n;
  }
  return {
    bytes,
    vectors,
    heads: new Uint8Array(heads.buffer),
    view: new DataView(bytes.buffer),
  };
}

const socket = libc.socket(2, 2, 0);
const address = Uint8Array.of(
  2,
  0,
  port >> 8,
  port & 255,
  127,
  0,
  0,
  1,
  ...new Array(8).fill(0),
);
if (libc.connect(socket, address, 16) !== 0) throw new Error("connect");
libc.setsockopt(
  socket,
  1,
  20,
  new Uint8Array(BigInt64Array.of(0n, 200_000n).buffer),
  16,
);
const sending = batch(ANNOUNCE_BYTES);
const receiving = batch(SLOT_BYTES);

function connect(): bigint {
  sending.vectors[1] = 16n;
  sending.view.setBigUint64(0, 0x41727101980n);
  for (let attempt = 0; attempt < 50; attempt++) {
    libc.sendmmsg(socket, sending.heads, 1, 0);
    if (libc.recvmmsg(socket, receiving.heads, 1, 0, null) === 1) {
      sending.vectors[1] = BigInt(ANNOUNCE_BYTES);
      return receiving.view.getBigUint64(8);
    }
  }
  throw new Error("no answer to connect");
}

const connectionId = connect();
const hashes = Array.from({ length: torrents }, (_, at) => infoHashOf(at));

function writeAnnounce(slot: number, peer: number): void {
  const at = slot * SLOT_BYTES;
  const { view, bytes } = sending;
  view.setBigUint64(at, connectionId);
  view.setUint32(at + 8, 1);
  view.setUint32(at + 12, peer);
  bytes.set(hashes[peer % torrents]!, at + 16);
  view.setUint32(at + 48, scramble(peer));
  view.setUint32(at + 52, peer);
  // Every third has all.
  view.setUint32(at + 68, peer % 3 === 0 ? 0 : 1000);
  view.setInt32(at + 92, 50);
  view.setUint16(at + 96, 1024 + Math.floor(peer / torrents));
}

/** Announces until `next` returns -1. */
function announce(next: () => number) {
  const startedAt = performance.now();
  let underWay = 0;
  let answered = 0;
  let lost = 0;
  let peer = next();
  while (peer >= 0 || underWay > 0) {
    while (underWay < WINDOW && peer >= 0) {
      let filled = 0;
      for (; filled < BATCH && peer >= 0; filled++, peer = next()) {
        writeAnnounce(filled, peer);
      }
      underWay += Math.max(0, libc.sendmmsg(socket, sending.heads, filled, 0));
    }
    const received = libc.recvmmsg(
      socket,
      receiving.heads,
      BATCH,
      MSG_WAITFORONE,
      null,
    );
    if (received > 0) {
      if (receiving.view.getUint32(0) !== 1) {
        throw new Error(
          `refused: ${
            new TextDecoder().decode(receiving.bytes.subarray(8, 80))
          }`,
        );
      }
      answered += received;
      underWay -= received;
    } else {
      lost += underWay;
      underWay = 0;
    }
  }
  const elapsedMs = performance.now() - startedAt;
  console.log(
    JSON.stringify({
      answered,
      lost,
      perSecond: Math.round(answered / elapsedMs * 1000),
    }),
  );
}

let filled = 0;
announce(() => filled < peers ? filled++ : -1);
for await (const _ of Deno.stdin.readable) {
  const endsAt = performance.now() + 1000 * seconds;
  let drawn = 0;
  announce(() => performance.now() < endsAt ? scramble(drawn++) % peers : -1);
}
