import { formatBitRate } from "../../core/units.ts";
import {
  type AbrDecision,
  type AbrProgress,
  type AbrRule,
  type AbrSession,
  type AbrState,
} from "./rule.ts";
import {
  abandonSlow,
  InsufficientBuffer,
  SAFETY_FACTOR,
  sustainableIndex,
} from "./sustainable.ts";

/** One play with dash.js's throughput rule; {@linkcode dynamic} has one inside. */
export class ThroughputEwmaSession implements AbrSession {
  readonly #insufficient = new InsufficientBuffer();

  /** See {@linkcode AbrSession.decide}. */
  decide(state: AbrState): AbrDecision {
    const { ladder, smoothed, segmentDurationMs, bufferMs } = state;
    if (smoothed === undefined) {
      return { index: 0, waitMs: 0, reason: "nothing measured yet" };
    }
    const spent = smoothed.bitsPerSecond * SAFETY_FACTOR;
    const { latencyMs } = smoothed;
    const sustainable = sustainableIndex(
      ladder,
      { bitsPerSecond: spent, latencyMs },
      segmentDurationMs,
    );
    const index = this.#insufficient.cap(sustainable, {
      ladder,
      smoothed,
      bufferMs,
      segmentDurationMs,
    });
    return {
      index,
      waitMs: 0,
      reason: index < sustainable
        ? "too little held for more"
        : `${formatBitRate(spent)} is sustainable`,
    };
  }

  /** See {@linkcode AbrSession.abandon}. */
  abandon(progress: AbrProgress): number | undefined {
    return abandonSlow(progress);
  }
}

/** dash.js's rule: exponentially weighted estimates, rate and round trip apart, and nothing that would empty the buffer. */
export const throughputEwma: AbrRule = {
  summary: "dash.js's throughput rule: weighted means, buffer checked",
  source: "Spiteri, Sitaraman, Sparacio, MMSys 2018, §4.3 and §5.1",
  start: () => new ThroughputEwmaSession(),
};
