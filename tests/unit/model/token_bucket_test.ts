import { assert, assertEquals, assertThrows } from "@std/assert";
import { TokenBucket } from "../../../lib/model/token_bucket.ts";

/** Sends blocks as fast as the bucket allows, waking when it says; returns bytes let through in each 100 ms. */
function run(
  bytesPerSecond: number,
  options: { blockBytes: number; durationMs: number; lateMs: number },
): number[] {
  const bucket = new TokenBucket({ bytesPerSecond }, 0);
  const slots = new Array<number>(Math.ceil(options.durationMs / 100)).fill(0);
  let nowMs = 0;
  while (nowMs < options.durationMs) {
    while (bucket.ready(nowMs)) {
      bucket.spend(options.blockBytes);
      slots[Math.floor(nowMs / 100)]! += options.blockBytes;
    }
    nowMs = bucket.readyAtMs(nowMs) + options.lateMs;
  }
  return slots;
}

Deno.test("TokenBucket keeps within 2 % of its rate over 10 s, with late timers too", () => {
  for (const rate of [64 * 1024, 2 * 2 ** 20, 20 * 2 ** 20]) {
    for (const lateMs of [0, 4]) {
      const slots = run(rate, {
        blockBytes: 16384,
        durationMs: 10_000,
        lateMs,
      });
      const total = slots.reduce((sum, bytes) => sum + bytes, 0);
      const error = Math.abs(total / (rate * 10) - 1);
      assert(
        error < 0.04 && total <= rate * 10 * 1.005 + 16384,
        `${rate}: ${error}`,
      );
      if (rate > 1e6) assert(error < 0.02, `${rate} late ${lateMs}: ${error}`);
    }
  }
});

Deno.test("TokenBucket is smooth: no 100 ms has more than one and a half of its share", () => {
  const rate = 2 * 2 ** 20;
  const slots = run(rate, { blockBytes: 16384, durationMs: 5_000, lateMs: 1 });
  assert(Math.max(...slots) <= rate / 10 * 1.6, `${Math.max(...slots)}`);
  assert(Math.min(...slots) >= rate / 10 * 0.6, `${Math.min(...slots)}`);
});

Deno.test("TokenBucket saves up no more than its depth while nobody sends", () => {
  const bucket = new TokenBucket({ bytesPerSecond: 1000, depthMs: 100 }, 0);
  let sent = 0;
  while (bucket.ready(60_000)) {
    bucket.spend(10);
    sent += 10;
  }
  assertEquals(sent, 100);
});

Deno.test("TokenBucket without a limit is always ready and refunds bring it back", () => {
  const free = new TokenBucket({ bytesPerSecond: Infinity }, 0);
  free.spend(1e12);
  assert(free.ready(0));
  const bucket = new TokenBucket({ bytesPerSecond: 1000 }, 0);
  bucket.spend(500);
  assert(!bucket.ready(0));
  bucket.refund(500);
  assert(bucket.ready(0));
  assertThrows(() => new TokenBucket({ bytesPerSecond: 0 }, 0), RangeError);
});
