// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The load of bench/dns.ts over UDP: queries for one name with client subnets of 4096 networks at random, from one socket,
 * in a process of its own so that it can be pinned to another core; it costs about 1.5 µs a query.
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
import { BATCH, UdpBatches } from "./udp_batches.ts";

const [port = 5300, seconds = 3, perSecond = 0] = Deno.args.map(Number);
const WINDOW = 64;
const SLOT_BYTES = 1024;

const socket = new UdpBatches(port, { slotBytes: SLOT_BYTES, patienceMs: 500 });
const { sending, receiving } = socket;
const queries = Array.from({ length: NETWORKS }, (_, at) =>
  encodeQuery({
    id: 0,
    name: parseName(GEO_NAME),
    type: 1,
    recursionDesired: false,
    clientSubnet: parseCidr(networkOf(at)),
  }));
let drawn = 1;

/** Writes the next query to a slot; its id is `id`. */
function write(slot: number, id: number): void {
  drawn = Math.imul(drawn, 1664525) + 1013904223 >>> 0;
  const query = queries[drawn >>> 20]!;
  const at = slot * SLOT_BYTES;
  sending.bytes.set(query, at);
  sending.bytes[at] = id >> 8;
  sending.bytes[at + 1] = id;
  sending.setLength(slot, query.length);
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
      underWay += socket.send(count);
    }
    const received = socket.receive();
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
      socket.send(1);
      sent += 1;
    }
    const received = socket.receiveNow();
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
