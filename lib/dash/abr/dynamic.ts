/**
 * DYNAMIC: throughput while the buffer is low, BOLA once it is not.
 *
 * Spiteri, Sitaraman, Sparacio, "From Theory to Practice: Improving Bitrate Adaptation in the DASH Reference Player",
 * MMSys 2018, §4.2: at start-up a buffer tells nothing, in steady play it tells more than any estimate. Both rules are
 * asked for every segment; BOLA takes over above 10 s when it would go at least as high, and hands back below 10 s when
 * it would go lower. So with a buffer of 10 s it is the throughput rule alone.
 */
import { BolaSession } from "./bola.ts";
import type {
  AbrDecision,
  AbrProgress,
  AbrRule,
  AbrSession,
  AbrState,
} from "./rule.ts";
import { abandonSlow } from "./sustainable.ts";
import { ThroughputEwmaSession } from "./throughput_ewma.ts";

/** Above it BOLA may take over, below it the throughput rule. */
const THRESHOLD_MS = 10_000;

class DynamicSession implements AbrSession {
  readonly #bola: BolaSession;
  readonly #throughput = new ThroughputEwmaSession();
  #byBuffer = false;

  constructor(avoidsOscillation: boolean) {
    this.#bola = new BolaSession({ avoidsOscillation, basic: false });
  }

  decide(state: AbrState): AbrDecision {
    const bola = this.#bola.decide(state);
    const throughput = this.#throughput.decide(state);
    if (this.#byBuffer) {
      this.#byBuffer = state.bufferMs >= THRESHOLD_MS ||
        bola.index >= throughput.index;
    } else {
      this.#byBuffer = state.bufferMs > THRESHOLD_MS &&
        bola.index >= throughput.index;
    }
    return this.#byBuffer
      ? { ...bola, reason: `BOLA: ${bola.reason}` }
      : throughput;
  }

  abandon(progress: AbrProgress): number | undefined {
    return abandonSlow(progress);
  }
}

const source = "Spiteri, Sitaraman, Sparacio, MMSys 2018, §4.2";

/** See the head of this file; with BOLA-U inside. */
export const dynamic: AbrRule = {
  summary: "DYNAMIC: throughput while the buffer is low, then BOLA-U",
  source,
  start: () => new DynamicSession(false),
};

/** See the head of this file; with BOLA-O inside. */
export const dynamicO: AbrRule = {
  summary: "DYNAMIC with BOLA-O: waits rather than flicker",
  source,
  start: () => new DynamicSession(true),
};
