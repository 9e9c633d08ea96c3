import { parseBitRate } from "../core/units.ts";

/** One rate of a title as a person asks for it: `720p@2500k`. */
export interface LadderStep {
  /** Lines of the picture, even. */
  readonly height: number;
  readonly bitsPerSecond: number;
}

/** Rates that are usual for a height, in bit/s. */
const USUAL: readonly (readonly [height: number, bitsPerSecond: number])[] = [
  [144, 150_000],
  [240, 250_000],
  [360, 400_000],
  [480, 1_000_000],
  [720, 2_500_000],
  [1080, 5_000_000],
  [1440, 9_000_000],
  [2160, 18_000_000],
];

/** The usual rate of the lowest height that is no less. */
function usualRate(height: number): number {
  return USUAL.find(([lines]) => height <= lines)![1];
}

/** Most rates of a title; more are no choice but a burden. */
const MAX_STEPS = 20;

/**
 * Reads a ladder such as `360p@400k,480p@1000k,720p`; without a rate, one that is usual for the height.
 *
 * @returns Lowest rate first.
 * @throws {RangeError} If it is none.
 *
 * @example
 * ```ts
 * import { parseLadder } from "./ladder.ts";
 * parseLadder("720p@2500k,360p"); // 360 at 400,000 bit/s, 720 at 2,500,000 bit/s
 * ```
 */
export function parseLadder(text: string): readonly LadderStep[] {
  const steps = text.split(",").map((part): LadderStep => {
    const [, lines = "", rate] = /^(\d{2,4})p(?:@(.+))?$/.exec(part.trim()) ??
      [];
    const height = Number(lines);
    if (!(height >= 90 && height <= 2160 && height % 2 === 0)) {
      throw new RangeError(
        `must be rates such as 360p@400k,720p@2500k, with even heights from 90 to 2160, got "${
          text.slice(0, 80)
        }"`,
      );
    }
    const bitsPerSecond = rate === undefined
      ? usualRate(height)
      : parseBitRate(rate);
    if (!(bitsPerSecond >= 10_000 && bitsPerSecond <= 200_000_000)) {
      throw new RangeError(
        `must have rates from 10k to 200M, got "${part.trim().slice(0, 40)}"`,
      );
    }
    return { height, bitsPerSecond };
  }).sort((a, b) => a.bitsPerSecond - b.bitsPerSecond);
  if (steps.length > MAX_STEPS) {
    throw new RangeError(`must have at most ${MAX_STEPS} rates`);
  }
  const names = new Set(steps.map(stepName));
  if (names.size < steps.length) {
    throw new RangeError(
      `must have each height and rate once, got "${text.slice(0, 80)}"`,
    );
  }
  return steps;
}

/** The lecture's ladder. */
export const LECTURE_LADDER = "360p@400k,480p@1000k,720p@2500k";

function stepName({ height, bitsPerSecond }: LadderStep): string {
  return `${height}at${Math.round(bitsPerSecond / 1000)}k`;
}

/** What tells each step's files apart: the height, or height and rate where a height is there twice. */
export function stepNames(steps: readonly LadderStep[]): readonly string[] {
  return steps.map((step) =>
    steps.some((other) => other !== step && other.height === step.height)
      ? stepName(step)
      : String(step.height)
  );
}

/** The even width that makes 16:9. */
export function widthOf(height: number): number {
  return 2 * Math.ceil(height * 8 / 9);
}
