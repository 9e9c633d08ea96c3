import { knownSizeBits, type Position } from "../dash/title.ts";
import type { AbrTitle } from "./abr_play.ts";

/** More segments or rungs than this are refused. */
const MAX_SEGMENTS = 100_000;
const MAX_RUNGS = 100;

/**
 * Reads a film as Sabre describes it: `{"segment_duration_ms", "bitrates_kbps": […], "segment_sizes_bits": [[…], …]}`,
 * sizes by segment and then by rung, rates rising.
 *
 * @throws {SyntaxError} If it is none, in one line.
 */
export function parseMovieJson(text: string, name: string): AbrTitle {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`no JSON: ${(error as Error).message}`);
  }
  const movie = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (movie["segment_duration_ms"] === undefined) {
    throw new SyntaxError("segment_duration_ms is missing");
  }
  const [durationMs = 0] = numbers(
    [movie["segment_duration_ms"]],
    "segment_duration_ms",
  );
  const ladder = numbers(movie["bitrates_kbps"], "bitrates_kbps");
  if (ladder.some((rate, at) => at > 0 && rate <= ladder[at - 1]!)) {
    throw new SyntaxError("bitrates_kbps must rise from one to the next");
  }
  const table = movie["segment_sizes_bits"];
  if (!Array.isArray(table) || table.length === 0) {
    throw new SyntaxError("segment_sizes_bits must be a list of lists");
  }
  if (table.length > MAX_SEGMENTS || ladder.length > MAX_RUNGS) {
    throw new SyntaxError(
      `at most ${MAX_SEGMENTS} segments in ${MAX_RUNGS} rates can be read, got ${table.length} in ${ladder.length}`,
    );
  }
  const sizesBits = table.map((row: unknown, at) => {
    const sizes = numbers(row, `segment_sizes_bits[${at}]`);
    if (sizes.length === ladder.length) return sizes;
    throw new SyntaxError(
      `segment_sizes_bits[${at}] must have ${ladder.length} sizes, one for each rate, got ${sizes.length}`,
    );
  });
  return {
    name,
    ladder: ladder.map((kbit) => kbit * 1000),
    durationsMs: sizesBits.map(() => durationMs),
    sizesBits,
  };
}

function numbers(value: unknown, what: string): number[] {
  if (
    Array.isArray(value) && value.length > 0 &&
    value.every((each) =>
      typeof each === "number" && Number.isFinite(each) && each > 0
    )
  ) return value as number[];
  throw new SyntaxError(`${what} must be above 0, got ${brief(value)}`);
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 40);
}

/**
 * Returns a title from its manifest. A segment of which the manifest does not tell how large it is (`knownSizeBits`) is
 * taken to be as large as its rate says. Of a title whose Periods have ladders of their own the part with the first ladder is taken.
 */
export function titleOfPositions(
  name: string,
  positions: readonly Position[],
): AbrTitle {
  const ladder = positions[0]?.choices.map((each) => each.bitsPerSecond) ?? [];
  const same = positions.filter(({ choices }) =>
    choices.length === ladder.length &&
    choices.every((each, at) => each.bitsPerSecond === ladder[at])
  );
  return {
    name,
    ladder,
    durationsMs: same.map(({ durationMs }) => durationMs),
    sizesBits: same.map(({ durationMs, choices }) =>
      choices.map((choice) =>
        knownSizeBits(choice) ?? choice.bitsPerSecond * durationMs / 1000
      )
    ),
    initializations: initializationsOf(positions[0]),
    formats: (positions[0]?.choices ?? []).map(
      ({ codecs, width, height, framesPerSecond }) => ({
        ...{ codecs, width, height, framesPerSecond },
      }),
    ),
  };
}

/** By rung, which initialization segment it has; rungs may share one. */
function initializationsOf(
  position: Position | undefined,
): readonly (number | undefined)[] {
  const keys: string[] = [];
  return (position?.choices ?? []).map(({ initialization }) => {
    if (initialization === undefined) return undefined;
    const key = JSON.stringify([initialization.urls[0], initialization.range]);
    if (!keys.includes(key)) keys.push(key);
    return keys.indexOf(key);
  });
}
