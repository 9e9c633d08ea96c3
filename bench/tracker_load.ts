// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The load of bench/tracker.ts: announces over UDP from one socket, in a process of its own so that it can be pinned to
 * another core; it costs about 3 µs an announce. 96 are under way at any time, whose answers fit the receive buffer; what is
 * not answered in 200 ms counts as lost.
 *
 *     deno run -A bench/tracker_load.ts PORT PEERS TORRENTS SECONDS
 *
 * First every peer announces once; then, after a line on stdin, random peers do for SECONDS. One JSON line for each.
 */
import { infoHashOf, scramble } from "./tracker_hashes.ts";
import { BATCH, UdpBatches } from "./udp_batches.ts";

const [port = 6969, peers = 100_000, torrents = 1000, seconds = 3] = Deno.args
  .map(Number);
const SLOT_BYTES = 2048;
const WINDOW = 96;
const ANNOUNCE_BYTES = 98;

const socket = new UdpBatches(port, { slotBytes: SLOT_BYTES, patienceMs: 200 });
const { sending, receiving } = socket;

function connect(): bigint {
  sending.setLength(0, 16);
  sending.view.setBigUint64(0, 0x41727101980n);
  sending.view.setBigUint64(8, 0n);
  for (let attempt = 0; attempt < 50; attempt++) {
    socket.send(1);
    const came = socket.receive() > 0;
    // Not a late answer to an announce.
    if (came && receiving.view.getUint32(0) === 0) {
      return receiving.view.getBigUint64(8);
    }
  }
  throw new Error("no answer to connect");
}

/** An id is good for two minutes (BEP 15): on a busy machine the first announces of a million take longer. */
const CONNECTED_MS = 60_000;
let connectionId = connect();
let connectedAt = performance.now();
const hashes = Array.from({ length: torrents }, (_, at) => infoHashOf(at));

function writeAnnounce(slot: number, peer: number): void {
  const at = slot * SLOT_BYTES;
  const { view, bytes } = sending;
  sending.setLength(slot, ANNOUNCE_BYTES);
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
    const connected = performance.now() - connectedAt < CONNECTED_MS;
    if (!connected && underWay === 0) {
      connectionId = connect();
      connectedAt = performance.now();
    }
    while (connected && underWay < WINDOW && peer >= 0) {
      let filled = 0;
      for (; filled < BATCH && peer >= 0; filled++, peer = next()) {
        writeAnnounce(filled, peer);
      }
      underWay += socket.send(filled);
    }
    const received = socket.receive();
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
