import { assert, assertEquals } from "@std/assert";
import { RateMeter } from "../../../lib/bittorrent/rate_meter.ts";
import {
  MAX_REQUESTS,
  pipelineDepth,
} from "../../../lib/bittorrent/swarm/download/request_pipeline.ts";

Deno.test("RateMeter measures a steady rate from the first second on, over any window", () => {
  const meter = new RateMeter(500);
  for (let nowMs = 500; nowMs < 40_000; nowMs += 10) {
    meter.add(1000, nowMs);
    if (nowMs < 2_500) continue;
    for (const seconds of [2, 19]) {
      const rate = meter.rate(nowMs, seconds);
      assert(rate > 75_000 && rate < 105_000, `${nowMs} ms: ${rate}`);
    }
  }
});

Deno.test("RateMeter forgets what is older than its window", () => {
  const meter = new RateMeter(0);
  meter.add(20_000_000, 100);
  assert(meter.rate(15_000) > 1_000_000);
  assertEquals(meter.rate(15_000, 3), 0);
  assertEquals(meter.rate(21_000), 0);
  assertEquals(meter.rate(1_000_000), 0);
});

Deno.test("pipelineDepth keeps a second of a peer's rate on order, and not without bound", () => {
  assertEquals(pipelineDepth(0), 6);
  assertEquals(pipelineDepth(512 * 1024), 38);
  assertEquals(pipelineDepth(1e9), MAX_REQUESTS);
});
