/**
 * The best that was possible: the score of a player that knew title and network from beginning to end.
 *
 * Dynamic programming over the segments. After each arrival a play is a point (t, S, U): the time, how long it has
 * stood still, and the utility gathered; the buffer follows from the first two. Of two plays at the same segment the
 * one that is no later, has stood still no longer and has gathered no less can do whatever the other can and ends no
 * worse: it waits until the other's time; its lead in play, if it has one, costs at most the stall it had saved. So
 * the other is dropped; and waiting on purpose is never of use, which leaves the rungs as the only choices.
 *
 * What remains is kept in a grid of (S, t) (`abr_optimum_plays.ts`). Twice: with the best play of each cell exactly as
 * it is, which gives a play that exists (`feasible`); and with what no play of the cell can beat (`bound`). The true
 * optimum is between the two. What cannot become better than a play already found is dropped, too
 * (`abr_optimum_reach.ts`), so that finer grids have less to hold. The score is a quotient; to have more than a score s
 * is to have U - 5 S more than s times the time that it takes, which is a sum: a stalled ms costs 5 + s.
 *
 * The first segment is in the lowest rung, as with all rules that have measured nothing yet; no segment is given up or
 * fetched twice.
 */
import type { NetworkTrace } from "../model/trace.ts";
import { type AbrTitle, STALL_PENALTY, utilitiesOf } from "./abr_play.ts";
import { OptimumLink } from "./abr_optimum_link.ts";
import { type Grid, Plays, thinned } from "./abr_optimum_plays.ts";
import { Reach } from "./abr_optimum_reach.ts";

/** The best score lies between these two. */
export interface AbrOptimum {
  /** The score of a play that is possible. */
  readonly feasible: number;
  /** No play has a greater one. */
  readonly bound: number;
}

/** First a quick look, then finer until feasible and bound are close. */
const LOOKS: readonly { readonly grid: Grid; readonly exact: boolean }[] = [
  ...looks({ rows: 24, stallMs: 400, timeMs: 400 }),
  ...looks({ rows: 110, stallMs: 50, timeMs: 70 }),
  ...looks({ rows: 400, stallMs: 25, timeMs: 35 }).reverse(),
  { grid: { rows: 700, stallMs: 18, timeMs: 25 }, exact: false },
  { grid: { rows: 1500, stallMs: 9, timeMs: 13 }, exact: false },
];
/** Close enough: the bracket's width as a share of the score; for scores about 0 of this one. */
const CLOSE = 0.019;
const LEAST_SCORE = 0.1;
/** Each look takes about so many times what the one before did, and all together no more than so many plays. */
const GROWTH = 2;
const MOST_PLAYS = 5.2e7;

function looks(grid: Grid) {
  return [{ grid, exact: true }, { grid, exact: false }];
}

/** Finds the best score that `title` over `trace` allows with a buffer of `bufferCapMs`. */
export function abrOptimum(
  title: AbrTitle,
  trace: NetworkTrace,
  options: { readonly bufferCapMs: number },
): AbrOptimum {
  let feasible = -Infinity;
  let bound = Infinity;
  let plays = 0;
  let last = 0;
  for (const look of LOOKS) {
    if (plays + GROWTH * last > MOST_PLAYS) break;
    const search = new Search(title, trace, { ...options, ...look, feasible });
    const found = search.run();
    last = search.playCount;
    plays += last;
    if (look.exact) feasible = Math.max(feasible, found);
    else bound = Math.max(feasible, Math.min(bound, found));
    const scale = Math.max(Math.abs(feasible), LEAST_SCORE);
    if (bound - feasible <= CLOSE * scale) break;
  }
  return { feasible, bound: Math.max(feasible, bound) };
}

interface SearchOptions {
  readonly bufferCapMs: number;
  readonly grid: Grid;
  readonly exact: boolean;
  /** A score known to be possible: what cannot reach it is dropped. */
  readonly feasible: number;
}

/** One pass over the segments. */
class Search {
  readonly #title: AbrTitle;
  readonly #link: OptimumLink;
  readonly #options: SearchOptions;
  readonly #utilities: readonly number[];
  #now: Plays;
  #mediaMs = 0;
  #startupMs = 0;
  /** Utility that could still be gathered were everything in the top rung. */
  #leftUtility = 0;
  #totalMediaMs = 0;
  /** Undefined while no score is known. */
  #reach: Reach | undefined;
  /** How many plays it looked at. */
  playCount = 0;

  constructor(title: AbrTitle, trace: NetworkTrace, options: SearchOptions) {
    this.#title = title;
    this.#link = new OptimumLink(trace);
    this.#options = options;
    this.#utilities = utilitiesOf(title.ladder);
    this.#now = new Plays(1);
    for (const durationMs of title.durationsMs) {
      this.#totalMediaMs += durationMs;
    }
  }

  run(): number {
    const { durationsMs, sizesBits } = this.#title;
    const top = this.#utilities.at(-1)!;
    this.#startupMs = this.#link.arrivalAtMs(
      this.#link.bitsAt(this.#link.answerAtMs(0)) + sizesBits[0]![0]!,
    );
    this.#now.add(this.#startupMs, 0, 0, 0);
    const { feasible, exact, grid } = this.#options;
    const known = { startupMs: this.#startupMs, mediaMs: this.#totalMediaMs };
    // Until one is known a stalled ms costs its penalty and, much as it were 1, the time it takes.
    const cost = STALL_PENALTY + (feasible === -Infinity ? 1 : feasible);
    if (feasible > -Infinity) {
      this.#reach = new Reach(this.#title, this.#link, { ...known, feasible });
    }
    this.#mediaMs = durationsMs[0]!;
    this.#leftUtility = top * (this.#totalMediaMs - this.#mediaMs);
    for (let at = 1; at < sizesBits.length; at++) {
      this.#leftUtility -= top * durationsMs[at]!;
      this.#now = thinned(this.#step(at), { grid, exact, cost });
      this.#mediaMs += durationsMs[at]!;
    }
    return exact ? this.#best() : this.#most(cost);
  }

  /** The score of the best play. */
  #best(): number {
    let best = -Infinity;
    for (let at = 0; at < this.#now.count; at++) {
      best = Math.max(
        best,
        this.#score(this.#now.utility[at]!, this.#now.stall[at]!),
      );
    }
    return best;
  }

  /** What no score exceeds: by how much a sum is more than `feasible` asks for, over no more time than the play takes. */
  #most(cost: number): number {
    const { feasible } = this.#options;
    const leastMs = this.#startupMs + this.#totalMediaMs;
    let most = 0;
    for (let at = 0; at < this.#now.count; at++) {
      const sum = this.#now.utility[at]! - cost * this.#now.stall[at]!;
      const takesMs = leastMs + this.#now.least[at]!;
      most = Math.max(most, (sum - feasible * leastMs) / takesMs);
    }
    return feasible + most;
  }

  #score(utility: number, stallMs: number): number {
    return (utility - STALL_PENALTY * stallMs) /
      (this.#startupMs + this.#totalMediaMs + stallMs);
  }

  /** Continues every play with every rung. */
  #step(at: number): Plays {
    const durationMs = this.#title.durationsMs[at]!;
    const sizes = this.#title.sizesBits[at]!;
    const { bufferCapMs, feasible } = this.#options;
    const now = this.#now;
    const next = new Plays(now.count * sizes.length);
    this.playCount += now.count * sizes.length;
    const playedByMs = this.#mediaMs + this.#startupMs;
    for (let each = 0; each < now.count; each++) {
      const stall = now.stall[each]!;
      const least = now.least[each]!;
      const aheadMs = playedByMs + least - now.t[each]!;
      const overMs = Math.min(aheadMs, aheadMs + durationMs - bufferCapMs);
      const t = now.t[each]! + Math.max(0, overMs);
      const flowing = this.#link.bitsAt(this.#link.answerAtMs(t));
      for (let rung = 0; rung < sizes.length; rung++) {
        const bits = flowing + sizes[rung]!;
        const arrivalMs = this.#link.arrivalAtMs(bits);
        const lateMs = arrivalMs - playedByMs;
        const utility = now.utility[each]! +
          this.#utilities[rung]! * durationMs;
        const stallMs = Math.max(stall, lateMs);
        const reach = this.#score(utility + this.#leftUtility, stallMs);
        if (
          reach < feasible ||
          this.#reach?.hopeless(at + 1, bits, { stallMs, utility }) === true
        ) continue;
        next.add(arrivalMs, stallMs, Math.max(least, lateMs), utility);
      }
    }
    return next;
  }
}
