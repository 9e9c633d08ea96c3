/**
 * Lesson 7, the adaptive player: what it asks for, and when.
 *
 *     ROLECALL_COMMAND="python3 player.py {url}" deno test -A tests/grading/07_player_test.ts
 *
 * The grader is the origin. It starts the command five times, with the address of a manifest in place of `{url}`: a
 * title of up to 20 s in four rates (100, 300, 900, 2700 kbit/s), in segments of 1 s, over a link that is wide, narrow
 * (450 kbit/s), first of 5 Mbit/s and then narrow, and one that loses answers; and a title of 5 min, of which 6 s are played.
 */
import { assert, assertEquals } from "@std/assert";
import { type Asked, RATES } from "./_origin.ts";
import {
  once,
  type Play,
  PLAY_MS,
  ratesOf,
  segmentsOf,
  SPEED,
} from "./_player.ts";
import { graded } from "./_target.ts";

const SEGMENTS = 20;
/** A title for narrow links, which take a while. */
const FEWER_SEGMENTS = 14;
const NARROW = 450_000;
/** Carries the highest rate, but not so much more that a mean of the past would take long to forget it. */
const AMPLE = 5_000_000;
/** The highest rate that the narrow link carries. */
const FITS = RATES.findLastIndex((rate) => rate < NARROW);
/** Segments after which a player knows its link. */
const KNOWN_AFTER = 3;
/** The request with which the link becomes narrow. */
const NARROW_AT = 6;
const NOT_FOUND_AT = 4;
const CUT_AT = 9;
/** A player that has asked for more than this after a few seconds holds no buffer but a copy. */
const MOST_AHEAD = 120;

const wide = once({ segmentCount: SEGMENTS });
const narrow = once({
  segmentCount: FEWER_SEGMENTS,
  bitsPerSecond: NARROW * SPEED,
});
const narrowing = once({
  segmentCount: FEWER_SEGMENTS,
  bitsPerSecond: AMPLE * SPEED,
  change: { index: NARROW_AT, bitsPerSecond: NARROW * SPEED },
});
const faulty = once({
  segmentCount: SEGMENTS,
  faults: new Map([[NOT_FOUND_AT, "not-found"], [CUT_AT, "cut"]]),
});
const long = once({ segmentCount: 300, onlyMs: 6000 });

function point(
  name: string,
  story: () => Promise<Play>,
  judge: (play: Play) => void,
  options: { readonly extra?: boolean } = {},
): void {
  const run = async () => judge(await story());
  graded(name, run, { ...options, limitMs: PLAY_MS + 10_000 });
}

/** The rates of a play, for people. */
function kbits(rates: readonly number[]): string {
  return Array.from(rates, (rate) => (RATES[rate] ?? 0) / 1000).join(" ");
}

function firstOf(play: Play, matches: (asked: Asked) => boolean): number {
  const at = play.asked.findIndex(matches);
  return at < 0 ? Infinity : at;
}

point("the manifest is fetched first", wide, ({ asked }) => {
  assertEquals(asked[0]!.kind, "manifest");
});

point(
  "an initialization segment is fetched before the first segment",
  wide,
  (play) => {
    const init = firstOf(play, ({ kind }) => kind === "init");
    const segment = firstOf(play, ({ kind }) => kind === "segment");
    assert(
      init < segment,
      init === Infinity ? "there is none" : "it came later",
    );
  },
);

point("every segment of the title is fetched", wide, (play) => {
  const rates = ratesOf(play);
  const missing = Array.from({ length: SEGMENTS }, (_, index) => index)
    .filter((index) => rates[index] === undefined)
    .map((index) => index + 1);
  assertEquals(missing, [], `without segments ${missing.join(", ")}`);
});

point("segments are fetched in order, from the first on", wide, (play) => {
  const seen = [...new Set(segmentsOf(play).map(({ index }) => index + 1))];
  assertEquals(seen, seen.toSorted((a, b) => a - b));
  assertEquals(seen[0], 1);
});

point("no segment is fetched twice, in one rate or in two", wide, (play) => {
  const indexes = segmentsOf(play).map(({ index }) => index + 1);
  const twice = indexes.filter((index, at) => indexes.indexOf(index) < at);
  assertEquals(twice, [], `fetched again: ${twice.join(", ")}`);
}, { extra: true });

point(
  "each rate's own initialization segment is fetched before its first segment",
  wide,
  (play) => {
    for (const rate of new Set(segmentsOf(play).map(({ rate }) => rate))) {
      const of = (kind: Asked["kind"]) =>
        firstOf(play, (asked) => asked.kind === kind && asked.rate === rate);
      assert(
        of("init") < of("segment"),
        `not that of ${RATES[rate]! / 1000} kbit/s`,
      );
    }
  },
  { extra: true },
);

point("nothing is asked for that is not in the title", wide, ({ others }) => {
  assertEquals(others, []);
}, { extra: true });

point("on a wide link the highest rate is reached", wide, (play) => {
  const rates = ratesOf(play);
  assert(rates.includes(RATES.length - 1), `kbit/s: ${kbits(rates)}`);
});

point("on a narrow link it begins with a rate that fits", narrow, (play) => {
  const rates = ratesOf(play);
  assert(rates[0] !== undefined && rates[0] <= FITS, `kbit/s: ${kbits(rates)}`);
});

point(
  `on a narrow link rates fit after ${KNOWN_AFTER} segments, but for one in four`,
  narrow,
  (play) => {
    const rates = Object.values(ratesOf(play)).slice(KNOWN_AFTER);
    const tooHigh = rates.filter((rate) => rate > FITS);
    assert(rates.length > 0, `no more than ${KNOWN_AFTER} segments`);
    assert(tooHigh.length <= rates.length / 4, `kbit/s: ${kbits(rates)}`);
  },
);

point("when the link becomes narrow, the rate goes down", narrowing, (play) => {
  const rates = ratesOf(play);
  const text = `kbit/s: ${kbits(rates)}; narrow from segment ${NARROW_AT + 1}`;
  const before = rates[NARROW_AT];
  assert(before !== undefined, `it did not get so far; ${text}`);
  assert(before > FITS, `it was not up before; ${text}`);
  assert(rates.at(-1)! < before, text);
});

point(
  "a segment that is not found (404) is asked for again",
  faulty,
  (play) => {
    assertAgain(play, NOT_FOUND_AT);
  },
  { extra: true },
);

point(
  "a segment whose connection is cut is asked for again",
  faulty,
  (play) => {
    assertAgain(play, CUT_AT);
  },
  { extra: true },
);

/** In the same rate or in another one. */
function assertAgain(play: Play, index: number): void {
  const times = segmentsOf(play).filter((asked) => asked.index === index);
  assert(times.length > 1, `asked for ${times.length} times`);
}

point(
  `the buffer has an end: after 6 s no more than ${MOST_AHEAD} s of a title of 5 min are fetched`,
  long,
  (play) => {
    const count = new Set(segmentsOf(play).map(({ index }) => index)).size;
    assert(count <= MOST_AHEAD, `${count} segments of 1 s`);
  },
  { extra: true },
);
