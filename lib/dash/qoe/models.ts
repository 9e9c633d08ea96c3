/**
 * Models of the quality of experience that goDASH logs beside Yin's (`qoe.ts`) and ITU-T P.1203, whose code is not ours to
 * carry (`p1203.ts`). Each is of the play so far.
 */

/** What the models look at. */
export interface QoeFacts {
  /** Of the segments that came, in bits per second, in order; at least one. */
  readonly rates: readonly number[];
  /** The highest rate there is. */
  readonly highestRate: number;
  readonly stallCount: number;
  readonly stallMs: number;
  readonly startupMs: number;
  /** Media of these segments. */
  readonly mediaMs: number;
}

/** Stalls of this mean length and longer count alike, in Claeys' model. */
const LONG_STALL_MS = 15_000;

/**
 * Claeys, Latré, Famaey, De Turck, "Design and Evaluation of a Self-Learning HTTP Adaptive Video Streaming Client", IEEE
 * Communications Letters 18(4), 2014, after De Vriendt: 0.17, and 5.67 for the mean rate, less 6.72 for its standard
 * deviation, both as shares of the highest rate, less 4.95 for stalls: 7/8 by how often, 1/8 by how long. 0 to 5.84.
 *
 * The deviation is that of a sample, as goDASH has it.
 */
export function claeysQoe(
  { rates, highestRate, stallCount, stallMs }: QoeFacts,
): number {
  const mean = meanOf(rates);
  const squares = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, rates.length - 1));
  let stalls = 0;
  if (stallCount > 0) {
    const often = Math.max(0, Math.log(stallCount / rates.length) / 6 + 1);
    const long = Math.min(stallMs / stallCount, LONG_STALL_MS) / LONG_STALL_MS;
    stalls = 7 / 8 * often + 1 / 8 * long;
  }
  return Math.max(
    0,
    0.17 + 5.67 * mean / highestRate - 6.72 * deviation / highestRate -
      4.95 * stalls,
  );
}

/**
 * Duanmu, Ma, Wang, "Quality-of-Experience of Adaptive Video Streaming: Exploring the Space of Adaptations", ACM Multimedia
 * 2017, as goDASH has it: 54, less 2.3 for each second of start-up and 56.5 for the share of time stalled, and 0.0070 for
 * each kbit/s of the mean rate and 0.0007 for each of the mean change. About 0 to 100.
 */
export function duanmuQoe(
  { rates, stallMs, startupMs, mediaMs }: QoeFacts,
): number {
  const changes = changesOf(rates).filter((change) => change > 0);
  return 54 - 2.3 * startupMs / 1000 - 56.5 * stallMs / Math.max(1, mediaMs) +
    0.007 * meanOf(rates) / 1000 + 0.0007 * meanOf(changes) / 1000;
}

/**
 * Yu, Tillo, Xiao, "QoE-Driven Dynamic Adaptive Video Streaming Strategy with Future Information", IEEE Transactions on
 * Broadcasting 63(3), 2017: the mean rate in Mbit/s, less a third of its mean change from segment to segment, less 20 for
 * the share of time stalled.
 *
 * goDASH divides 1 by 3 in whole numbers, so that changes cost nothing there.
 */
export function yuQoe({ rates, stallMs, mediaMs }: QoeFacts): number {
  const changes = changesOf(rates).reduce((sum, change) => sum + change, 0);
  return (meanOf(rates) - changes / rates.length / 3) / 1e6 -
    20 * stallMs / (mediaMs + stallMs);
}

function changesOf(rates: readonly number[]): number[] {
  return rates.slice(1).map((rate, at) => Math.abs(rate - rates[at]!));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) /
    Math.max(1, values.length);
}
