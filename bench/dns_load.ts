// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The load of bench/dns.ts over UDP: queries for one name with client subnets of 4096 networks at random, from one socket,
 * in a process of its own so that it can be pinned to another core. Up to 64 datagrams a system call (sendmmsg, recvmmsg
 * through FFI, Linux on 64 bits): about 1.5 µs a query, less than any server takes.
 *
 *     deno run -A bench/dns_load.ts PORT SECONDS PER_SECOND
 *
 * PER_SECOND 0: 64 queries are under way at any time; what is not answered in 500 ms counts as lost. Else one query is
 * sent at each tick, whatever became of those before, and the time to its answer is measured. One JSON line.
 */
import { parseCidr } from "../lib/core/address.ts";
import { parseName } from "../lib/dns/name.ts";
import { encodeQuery } from "../lib/dns/stub_query.ts";
import { GEO_NAME, networkOf, NETWORKS } from "./dns_networks.ts";

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

const [port = 5300, seconds = 3, perSecond = 0] = Deno.args.map(Number);
const BATCH = 64;
const WINDOW = 64;
const SLOT_BYTES = 1024;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/** Room for a batch: the datagrams, and what the system calls want to know of them (struct mmsghdr, struct iovec). */
function batch() {
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
    vectors[2 * at + 1] = BigInt(SLOT_BYTES);
    heads[8 * at + 2] = addressOf(vectors) + BigInt(16 * at);
    heads[8 * at + 3] = 1n;
  }
  return {
    bytes,
    lengths: new Uint32Array(vectors.buffer),
    heads: new Uint8Array(heads.buffer),
  };
}

const socket = libc.socket(2, 2, 0);
const address = new Uint8Array(16);
address.set([2, 0, port >> 8, port & 255, 127, 0, 0, 1]);
if (libc.connect(socket, address, 16) !== 0) throw new Error("connect");
const timeout = new Uint8Array(BigInt64Array.of(0n, 500_000n).buffer);
libc.setsockopt(socket, 1, 20, timeout, 16);

const queries = Array.from({ length: NETWORKS }, (_, at) =>
  encodeQuery({
    id: 0,
    name: parseName(GEO_NAME),
    type: 1,
    recursionDesired: false,
    clientSubnet: parseCidr(networkOf(at)),
  }));
const sending = batch();
const receiving = batch();
let drawn = 1;

/** Writes the next query to a slot; its id is `id`. */
function write(slot: number, id: number): void {
  drawn = Math.imul(drawn, 1664525) + 1013904223 >>> 0;
  const query = queries[drawn >>> 20]!;
  const at = slot * SLOT_BYTES;
  sending.bytes.set(query, at);
  sending.bytes[at] = id >> 8;
  sending.bytes[at + 1] = id;
  sending.lengths[4 * slot + 2] = query.length;
}

/** An answer that is none would make the fastest server. */
function check(slot: number): void {
  const at = slot * SLOT_BYTES;
  const isAnswer = (receiving.bytes[at + 3]! & 15) === 0 &&
    receiving.bytes[at + 7] === 1;
  if (!isAnswer) throw new Error("a reply without an answer");
}

function closedLoop() {
  const startedAt = performance.now();
  const endsAt = startedAt + 1000 * seconds;
  let underWay = 0;
  let answered = 0;
  let lost = 0;
  let id = 0;
  for (;;) {
    const isOver = performance.now() >= endsAt;
    if (isOver && underWay === 0) break;
    if (!isOver && underWay < WINDOW) {
      const count = Math.min(BATCH, WINDOW - underWay);
      for (let slot = 0; slot < count; slot++) write(slot, ++id & 0xffff);
      const sent = libc.sendmmsg(socket, sending.heads, count, 0);
      underWay += Math.max(0, sent);
    }
    const received = libc.recvmmsg(
      socket,
      receiving.heads,
      BATCH,
      MSG_WAITFORONE,
      null,
    );
    if (received > 0) {
      check(0);
      answered += received;
      underWay = Math.max(0, underWay - received);
    } else {
      lost += underWay;
      underWay = 0;
    }
  }
  const elapsedMs = performance.now() - startedAt;
  return { answered, lost, perSecond: answered / elapsedMs * 1000 };
}

function openLoop() {
  const sentAt = new Float64Array(65536);
  const total = Math.floor(perSecond * seconds);
  const micros = new Float64Array(total);
  const startedAt = performance.now();
  let sent = 0;
  let answered = 0;
  for (;;) {
    const now = performance.now();
    const due = Math.min(
      total,
      Math.floor((now - startedAt) * perSecond / 1000),
    );
    // all that are due: being late for one must not thin out the load
    while (sent < due) {
      write(0, sent & 0xffff);
      sentAt[sent & 0xffff] = performance.now();
      libc.sendmmsg(socket, sending.heads, 1, 0);
      sent += 1;
    }
    const received = libc.recvmmsg(
      socket,
      receiving.heads,
      BATCH,
      MSG_DONTWAIT,
      null,
    );
    const at = performance.now();
    for (let slot = 0; slot < received; slot++) {
      const head = slot * SLOT_BYTES;
      const id = receiving.bytes[head]! << 8 | receiving.bytes[head + 1]!;
      micros[answered++] = 1000 * (at - sentAt[id]!);
    }
    const isOver = at - startedAt > 1000 * seconds + 500;
    if (answered === total || isOver) break;
  }
  const sorted = micros.subarray(0, answered).toSorted();
  const share = (part: number) =>
    sorted[Math.min(answered - 1, Math.floor(part * answered))] ?? NaN;
  return {
    answered,
    lost: total - answered,
    perSecond: answered / seconds,
    p50Micros: share(0.5),
    p99Micros: share(0.99),
  };
}

console.log(JSON.stringify(perSecond > 0 ? openLoop() : closedLoop()));
