/** Rate limits over whole transfers, in virtual time: every window of what really went out, and who got it. */
import { assert } from "@std/assert";
import { seededRng } from "../../lib/core/rng.ts";
import type { RateLimiter } from "../../lib/bittorrent/swarm/options.ts";
import { TokenBucket } from "../../lib/model/token_bucket.ts";
import { type Host, layoutOf, SwarmWorld } from "../support/swarm_world.ts";

const KIB = 1024;
const SECONDS = 13;

interface Sent {
  readonly atMs: number;
  readonly link: number;
  readonly bytes: number;
}

function seedOf(fallback: number): number {
  return Number(Deno.env.get("ROLECALL_SEED") ?? fallback);
}

/** Writes down what a host hands to its sockets. */
function tapSends(host: Host): Sent[] {
  const trace: Sent[] = [];
  const { swarm } = host;
  const handle = swarm.handle.bind(swarm);
  swarm.handle = (input, nowMs) => {
    const outputs = handle(input, nowMs);
    for (const output of outputs) {
      if (output.kind !== "send") continue;
      const { length: bytes } = output.bytes;
      trace.push({ atMs: nowMs, link: output.link, bytes });
    }
    return outputs;
  };
  return trace;
}

/** Writes down what a host receives, but for what is no block. */
function tapReceived(host: Host): Sent[] {
  const trace: Sent[] = [];
  const { swarm } = host;
  const handle = swarm.handle.bind(swarm);
  swarm.handle = (input, nowMs) => {
    if (input.kind === "received" && input.bytes.length > 1000) {
      const { length: bytes } = input.bytes;
      trace.push({ atMs: nowMs, link: input.link, bytes });
    }
    return handle(input, nowMs);
  };
  return trace;
}

/** The most bytes in any window of `windowMs`, and the fewest in any that lies inside the trace. */
function windows(
  trace: readonly Sent[],
  windowMs: number,
): { readonly most: number; readonly fewest: number } {
  let most = 0;
  let fewest = Infinity;
  let inside = 0;
  let end = 0;
  const lastMs = trace.at(-1)!.atMs;
  for (const [at, { atMs, bytes }] of trace.entries()) {
    while (end < trace.length && trace[end]!.atMs < atMs + windowMs) {
      inside += trace[end]!.bytes;
      end += 1;
    }
    // Many sends may have the same time: a window begins with the first of them.
    if (at === 0 || trace[at - 1]!.atMs < atMs) {
      most = Math.max(most, inside);
      if (atMs + windowMs < lastMs) fewest = Math.min(fewest, inside);
    }
    inside -= bytes;
  }
  return { most, fewest };
}

function byLink(trace: readonly Sent[]): number[] {
  const sums = new Map<number, number>();
  for (const { link, bytes } of trace) {
    sums.set(link, (sums.get(link) ?? 0) + bytes);
  }
  return [...sums.values()];
}

/** Within 2 % over any 10 s, and never more than 100 ms of the rate too early. */
function isKept(
  trace: readonly Sent[],
  bytesPerSecond: number,
  { partBytes, note }: {
    /** What may go before it is paid for, beside what the rate allows. */
    readonly partBytes: number;
    readonly note: string;
  },
): void {
  const short = windows(trace, 100).most;
  const allowed = bytesPerSecond * 0.2 + partBytes;
  assert(short <= allowed, `${short} in 100 ms, not ${allowed}; ${note}`);
  const long = windows(trace, 10_000);
  const due = bytesPerSecond * 10;
  const error = Math.max(
    long.most - due - partBytes,
    due - long.fewest - partBytes,
  ) / due;
  assert(error <= 0.02, `${(error * 100).toFixed(2)} % off; ${note}`);
}

/** A seed, `count` leeches that know nobody else, and no end to the file. */
function serve(
  options: {
    readonly count: number;
    readonly seed: number;
    readonly source: Parameters<SwarmWorld["add"]>[0];
  },
): { readonly trace: readonly Sent[]; readonly leeches: readonly Host[] } {
  const world = new SwarmWorld(layoutOf(400 * 2 ** 20), { seed: options.seed });
  const source = world.add({ ...options.source, seed: true, superSeed: false });
  const trace = tapSends(source);
  const leeches = Array.from({ length: options.count }, () => world.add());
  for (const leech of leeches) world.introduce(leech, [source]);
  world.run(SECONDS * 1000);
  return { trace, leeches };
}

Deno.test("an upload limit is kept in every window and shared evenly, whatever the rate", () => {
  const seed = seedOf(71);
  const rng = seededRng(seed);
  const rates = [20 * KIB, 64 * KIB, 256 * KIB, 3_000 * KIB];
  rates.push(...Array.from({ length: 2 }, () => (20 + rng() * 1000) * KIB));
  for (const bytesPerSecond of rates) {
    const count = 1 + Math.floor(rng() * 5);
    const note = `${bytesPerSecond} B/s, ${count} leeches, seed ${seed}`;
    const { trace } = serve({
      ...{ count, seed },
      source: { uploadBytesPerSecond: bytesPerSecond },
    });
    isKept(trace, bytesPerSecond, { partBytes: 2048, note });
    const shares = byLink(trace);
    // Turns of a piece: 256 KiB more or less.
    const spread = Math.max(...shares) - Math.min(...shares);
    assert(
      spread <= 1.1 * 256 * KIB + 0.02 * Math.max(...shares),
      `${shares}; ${note}`,
    );
  }
});

Deno.test("a limit for each peer is kept for each, beside one for all", () => {
  const seed = seedOf(72);
  const each = 150 * KIB;
  const limitPeer = (
    nowMs: number,
  ): { upload: RateLimiter; download: null } => ({
    upload: new TokenBucket({ bytesPerSecond: each }, nowMs),
    download: null,
  });
  for (const all of [Infinity, 500 * KIB]) {
    const { trace } = serve({
      ...{ count: 5, seed },
      source: { uploadBytesPerSecond: all, limitPeer },
    });
    for (const link of new Set(trace.map((sent) => sent.link))) {
      const own = trace.filter((sent) => sent.link === link);
      const note = `link ${link}, ${all} B/s for all, seed ${seed}`;
      if (all === Infinity) {
        isKept(own, each, { partBytes: 2048, note });
      } else {
        const { most } = windows(own, 10_000);
        assert(most <= each * 10.2, `${most}; ${note}`);
      }
    }
    if (all < Infinity) isKept(trace, all, { partBytes: 2048, note: "all" });
  }
});

Deno.test("a download limit is kept in every window and no seed is passed over", () => {
  const seed = seedOf(73);
  const each = 120 * KIB;
  const limitPeer = (
    nowMs: number,
  ): { upload: null; download: RateLimiter } => ({
    upload: null,
    download: new TokenBucket({ bytesPerSecond: each }, nowMs),
  });
  for (const rate of [64 * KIB, 300 * KIB, 2000 * KIB, Infinity]) {
    const world = new SwarmWorld(layoutOf(400 * 2 ** 20), { seed });
    const seeds = Array.from(
      { length: 3 },
      () => world.add({ seed: true, superSeed: false }),
    );
    const leech = world.add({
      downloadBytesPerSecond: rate,
      ...(rate === Infinity ? { limitPeer } : {}),
    });
    const trace = tapReceived(leech);
    world.introduce(leech, seeds);
    world.run(SECONDS * 1000);
    const note = `${rate} B/s, seed ${seed}`;
    const limit = rate === Infinity ? 3 * each : rate;
    // Requests are for whole blocks: one of them, of each peer, may be early.
    isKept(trace, limit, { partBytes: 3 * 16 * KIB + 2048, note });
    const shares = byLink(trace);
    assert(
      shares.length === 3 && Math.max(...shares) < 1.1 * Math.min(...shares),
      `${shares}; ${note}`,
    );
  }
});
