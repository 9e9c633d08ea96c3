import { assert, assertEquals } from "@std/assert";
import {
  layOut,
  type LayoutFile,
} from "../../../../lib/bittorrent/metainfo/layout.ts";
import {
  WebSeed,
  type WebSeedInput,
  type WebSeedOutput,
} from "../../../../lib/bittorrent/web_seed/web_seed.ts";
import {
  AskedBlocks,
  webRangesOf,
  type WebSeedLayout,
  webUrlOf,
} from "../../../../lib/bittorrent/web_seed/run.ts";
import { encodeHandshake } from "../../../../lib/bittorrent/wire/handshake.ts";
import {
  BLOCK_BYTES,
  type BlockRef,
  encodeMessage,
  type WireMessage,
} from "../../../../lib/bittorrent/wire/messages.ts";
import { WireDecoder } from "../../../../lib/bittorrent/wire/decoder.ts";

const PIECE = 2 * BLOCK_BYTES;
const infoHash = new Uint8Array(20).fill(1);
const peerId = new Uint8Array(20).fill(2);
const URL = "http://10.0.0.1/files/";

/** A folder: a (2.5 pieces), padding, b (1 block); or one bare file. */
function layoutOf(bare = false): WebSeedLayout {
  const files: LayoutFile[] = bare
    ? [{ path: ["movie 1"], lengthBytes: 100 * PIECE, offset: 0 }]
    : [
      { path: ["t", "a"], lengthBytes: 5 * BLOCK_BYTES, offset: 0 },
      {
        ...{ path: ["t", ".pad", "1"], lengthBytes: BLOCK_BYTES },
        ...{ offset: 5 * BLOCK_BYTES, padding: true },
      },
      { path: ["t", "sub", "b?"], lengthBytes: BLOCK_BYTES, offset: 3 * PIECE },
    ];
  const spanBytes = bare ? 100 * PIECE : 3 * PIECE + BLOCK_BYTES;
  return {
    ...layOut(files, { pieceLength: PIECE, spanBytes }),
    name: bare ? "movie 1" : "t",
    multiFile: !bare,
  };
}

function blocks(first: number, count: number): BlockRef[] {
  return Array.from({ length: count }, (_, at) => ({
    pieceIndex: Math.floor((first + at) / 2),
    begin: (first + at) % 2 * BLOCK_BYTES,
    lengthBytes: BLOCK_BYTES,
  }));
}

/** The machine with the swarm's end of its connection. */
class Bench {
  nowMs = 0;
  readonly machine: WebSeed;
  readonly said: WireMessage[] = [];
  readonly out: WebSeedOutput[] = [];
  readonly #decoder: WireDecoder;

  constructor(layout: WebSeedLayout = layoutOf(true)) {
    this.machine = new WebSeed({ layout, url: URL, infoHash, peerId });
    this.#decoder = new WireDecoder({ pieceCount: layout.pieceCount });
  }

  feed(input: WebSeedInput): void {
    for (const output of this.machine.handle(input, this.nowMs)) {
      if (output.kind !== "say") {
        this.out.push(output);
        continue;
      }
      for (const message of this.#decoder.push(output.bytes)) {
        this.said.push(
          message.kind === "piece"
            ? { ...message, block: message.block.slice() }
            : message,
        );
      }
    }
  }

  request(...asked: readonly BlockRef[]): void {
    for (const block of asked) {
      const bytes = encodeMessage({ kind: "request", ...block });
      this.feed({ kind: "received", bytes });
    }
  }

  /** The request under way. */
  get fetching() {
    const last = this.out.findLast(({ kind }) => kind === "fetch");
    assert(last?.kind === "fetch");
    return last;
  }

  answer(
    status = 206,
    fileBytes: number | null = 100 * PIECE,
    rest = {},
  ): void {
    const { id, offset } = this.fetching;
    this.feed({
      ...{ kind: "answered", id, status, fileBytes, retryAfterMs: null },
      ...{ offset: status === 206 ? offset : null, ...rest },
    });
  }

  data(length: number): void {
    const { id } = this.fetching;
    this.feed({ kind: "data", id, bytes: new Uint8Array(length).fill(7) });
  }

  advance(nowMs: number): void {
    this.nowMs = nowMs;
    this.feed({ kind: "timeout" });
  }

  /** Probes, joins, and lets the swarm in. */
  join(): this {
    this.feed({ kind: "start" });
    this.answer();
    this.data(1);
    this.greet();
    return this;
  }

  /** The swarm's handshake. */
  greet(): void {
    const bytes = encodeHandshake({ infoHash, peerId: new Uint8Array(20) });
    this.feed({ kind: "received", bytes });
  }

  kinds(): string[] {
    return this.said.splice(0).map(({ kind }) => kind);
  }
}

Deno.test("webUrlOf and webRangesOf name files as BEP 19 has them, and leave padding out", () => {
  const bare = layoutOf(true);
  assertEquals(
    webUrlOf(bare, { seed: "http://h/x", fileIndex: 0 }),
    "http://h/x",
  );
  assertEquals(
    webUrlOf(bare, { seed: "http://h/x/", fileIndex: 0 }),
    "http://h/x/movie%201",
  );
  const folder = layoutOf();
  for (const seed of ["http://h/x", "http://h/x/"]) {
    assertEquals(
      webUrlOf(folder, { seed, fileIndex: 2 }),
      "http://h/x/t/sub/b%3F",
    );
  }
  const run = [...blocks(3, 2), ...blocks(6, 1)];
  assertEquals(webRangesOf(folder, { seed: "http://h", blocks: run }), [
    {
      ...{ url: "http://h/t/a", offset: 3 * BLOCK_BYTES },
      ...{ lengthBytes: 2 * BLOCK_BYTES, fileBytes: 5 * BLOCK_BYTES },
    },
    {
      ...{ url: "http://h/t/sub/b%3F", offset: 0 },
      ...{ lengthBytes: BLOCK_BYTES, fileBytes: BLOCK_BYTES },
    },
  ]);
});

Deno.test("AskedBlocks takes runs of blocks that lie behind each other, across padding, from the oldest", () => {
  const layout = layoutOf();
  const asked = new AskedBlocks();
  for (const block of [...blocks(4, 1), ...blocks(6, 1), ...blocks(0, 2)]) {
    asked.add(block);
  }
  assertEquals(asked.bytes, 4 * BLOCK_BYTES);
  assertEquals(asked.takeRun(layout, 1e9), [...blocks(4, 1), ...blocks(6, 1)]);
  assertEquals(asked.takeRun(layout, 1), blocks(0, 1));
  assertEquals(asked.takeAll(), blocks(1, 1));
  assertEquals(asked.bytes, 0);
});

Deno.test("WebSeed probes, joins, and fetches what is asked for in one request", () => {
  const bench = new Bench();
  bench.feed({ kind: "start" });
  const probe = bench.fetching;
  assertEquals([probe.url, probe.offset, probe.lengthBytes], [
    ...["http://10.0.0.1/files/movie%201", 0, 1],
  ]);
  bench.answer();
  assertEquals(bench.said, []);
  bench.data(1);
  assertEquals(bench.out.at(-1)?.kind, "join");
  assertEquals(bench.kinds(), ["have-all", "unchoke"]);
  bench.greet();
  bench.request(...blocks(10, 64));
  const { offset, lengthBytes } = bench.fetching;
  assertEquals([offset, lengthBytes], [10 * BLOCK_BYTES, 64 * BLOCK_BYTES]);
  bench.answer();
  for (let left = 64 * BLOCK_BYTES; left > 0; left -= 40_000) {
    bench.data(Math.min(left, 40_000));
  }
  const pieces = bench.said.splice(0);
  assertEquals(pieces.length, 64);
  for (const [at, message] of pieces.entries()) {
    assert(message.kind === "piece");
    const { pieceIndex, begin } = blocks(10 + at, 1)[0]!;
    assertEquals([message.pieceIndex, message.begin], [pieceIndex, begin]);
    assert(message.block.every((byte) => byte === 7));
  }
  assertEquals(bench.machine.deadlineMs, 60_000);
});

Deno.test("WebSeed gathers what a limit lets through block by block, and forgets what is cancelled", () => {
  const bench = new Bench().join();
  const before = bench.out.length;
  bench.request(...blocks(0, 3));
  bench.feed({
    kind: "received",
    bytes: encodeMessage({ kind: "cancel", ...blocks(2, 1)[0]! }),
  });
  assertEquals(bench.out.length, before);
  bench.advance(79);
  assertEquals(bench.out.length, before);
  bench.advance(bench.machine.deadlineMs);
  assertEquals(bench.fetching.lengthBytes, 2 * BLOCK_BYTES);
});

Deno.test("WebSeed asks for no more than 100 ms of a download limit at once", () => {
  const bench = new Bench().join();
  // 1 MB/s: the swarm asks for a block every 16.384 ms.
  const perRequest: number[] = [];
  for (let at = 0; at < 200; at++) {
    const before = bench.out.length;
    bench.advance(at * BLOCK_BYTES / 1000);
    bench.request(...blocks(at, 1));
    for (const output of bench.out.slice(before)) {
      if (output.kind !== "fetch") continue;
      const { lengthBytes } = output;
      perRequest.push(lengthBytes);
      bench.answer();
      bench.data(lengthBytes);
    }
  }
  assert(perRequest.length > 30, `${perRequest.length} requests`);
  assert(Math.max(...perRequest) <= 100_000, `${Math.max(...perRequest)}`);
});

Deno.test("WebSeed hands back what it was asked when the server is busy, and comes back when it said so", () => {
  const bench = new Bench().join();
  bench.kinds();
  bench.request(...blocks(0, 70));
  bench.answer(503, null, { retryAfterMs: 7_000 });
  assertEquals(bench.out.slice(-2), [
    { kind: "abort" },
    { kind: "failed", reason: "it answers 503", retryMs: 7_000 },
  ]);
  assertEquals(bench.kinds(), ["choke", ...Array(70).fill("reject")]);
  bench.request(...blocks(0, 1));
  assertEquals(bench.kinds(), ["reject"]);
  assertEquals(bench.machine.deadlineMs, 7_000);
  bench.advance(7_000);
  assertEquals(bench.kinds(), ["unchoke"]);
  // Longer each time, until something comes again.
  const waits: number[] = [];
  for (let round = 0; round < 8; round++) {
    bench.request(...blocks(0, 70));
    bench.feed({ kind: "failed", id: bench.fetching.id, reason: "no answer" });
    const last = bench.out.at(-1)!;
    assert(last.kind === "failed");
    waits.push(last.retryMs);
    bench.advance(bench.nowMs + last.retryMs);
  }
  assertEquals(waits, [
    ...[10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000],
  ]);
});

Deno.test("WebSeed gives up a server for good whose file is another or that serves no ranges, and waits a minute for one that lacks it", () => {
  const cases: readonly [number, number | null, object, number][] = [
    [206, 5, {}, Infinity],
    [200, 5, {}, Infinity],
    [206, null, { offset: 0 }, Infinity],
    [200, 100 * PIECE, {}, Infinity],
    [404, null, {}, 60_000],
    [416, null, {}, 60_000],
    [500, null, {}, 5_000],
    [429, null, {}, 5_000],
  ];
  for (const [status, fileBytes, rest, retryMs] of cases) {
    const bench = new Bench().join();
    bench.request(...blocks(10, 70));
    bench.answer(status, fileBytes, rest);
    const last = bench.out.at(-1)!;
    assert(last.kind === "failed");
    assertEquals(last.retryMs, retryMs, `${status}`);
  }
  // From the start of the file, no range is needed.
  const bench = new Bench().join();
  bench.kinds();
  bench.request(...blocks(0, 64));
  bench.answer(200);
  bench.data(70 * BLOCK_BYTES);
  assertEquals(bench.kinds().length, 64);
  assertEquals(bench.out.at(-1)?.kind, "abort");
});

Deno.test("WebSeed notices answers that are too short or do not come, and ignores those of requests it gave up", () => {
  const bench = new Bench().join();
  bench.request(...blocks(0, 64));
  bench.answer();
  bench.data(BLOCK_BYTES + 5);
  const { id } = bench.fetching;
  bench.feed({ kind: "ended", id });
  assertEquals(bench.out.at(-1)?.kind, "failed");
  const [piece, ...rest] = bench.said.slice(2);
  assertEquals([piece?.kind, rest.length], ["piece", 1 + 63]);
  bench.feed({ kind: "data", id, bytes: new Uint8Array(9) });
  bench.feed({ kind: "ended", id });
  bench.advance(5_000);
  bench.kinds();
  bench.request(...blocks(1, 64));
  bench.nowMs = 24_000;
  bench.data(100);
  bench.advance(26_000);
  assertEquals(bench.out.at(-1)?.kind, "fetch");
  bench.advance(44_000);
  assertEquals(bench.out.at(-1)?.kind, "failed");
});

Deno.test("WebSeed leaves the server alone while peers give as much, until they give less than half", () => {
  const bench = new Bench().join();
  bench.kinds();
  const tell = (peersBytesPerSecond: number) => {
    bench.feed({ kind: "rates", peersBytesPerSecond });
    return bench.kinds();
  };
  // It has given nothing yet: nobody knows what it can do.
  assertEquals(tell(1e9), []);
  bench.request(...blocks(0, 64));
  bench.answer();
  bench.nowMs = 1_000;
  bench.data(64 * BLOCK_BYTES);
  bench.kinds();
  const own = bench.machine.bytesPerSecond;
  assert(own > 100_000);
  assertEquals(tell(own * 0.9), []);
  assertEquals(tell(own), ["choke"]);
  assertEquals(tell(own * 0.6), []);
  assertEquals(tell(own * 0.4), ["unchoke"]);
});
