/**
 * The best that was possible: the score of a player that knew title and network from beginning to end.
 *
 * Dynamic programming over the segments. After each arrival a play is a point (t, S, U): the time, how long it has
 * stood still, and the utility gathered; the buffer follows from the first two. Of two plays at the same segment the
 * one that is no later, has stood still no longer and has gathered no less can do whatever the other can and ends no
 * worse: it waits until the other's time; its lead in play, if it has one, costs at most the stall it had saved. So
 * the other is dropped; and waiting on purpose is never of use, which leaves the rungs as the only choices.
 *
 * What remains is kept in a grid of (S, t). Twice: with the best play of each cell exactly as it is, which gives a play
 * that exists (`feasible`); and with the least t, the least S and the greatest U of a cell put together, which no
 * play in it can beat (`bound`). The true optimum is between the two. The first segment is in the lowest rung, as with
 * all rules that have measured nothing yet; no segment is given up or fetched twice.
 */
import type { NetworkTrace } from "../model/trace.ts";
import { type AbrTitle, STALL_PENALTY, utilitiesOf } from "./abr_play.ts";
import { OptimumLink } from "./abr_optimum_link.ts";

/** The best score lies between these two. */
export interface AbrOptimum {
  /** The score of a play that is possible. */
  readonly feasible: number;
  /** No play has a greater one. */
  readonly bound: number;
}

/** How fine the grid is. */
interface Grid {
  /** Most rows of S. */
  readonly rows: number;
  /** Least height of a row, and width of a cell. */
  readonly stallMs: number;
  readonly timeMs: number;
}

/** First a quick look, then finer until feasible and bound are close. */
const GRIDS: readonly Grid[] = [
  { rows: 24, stallMs: 400, timeMs: 400 },
  { rows: 48, stallMs: 100, timeMs: 150 },
  { rows: 110, stallMs: 50, timeMs: 70 },
];
/** Close enough: the bracket's width as a share of the score, or of 1 for scores about 0. */
const CLOSE = 0.015;

/** Finds the best score that `title` over `trace` allows with a buffer of `bufferCapMs`. */
export function abrOptimum(
  title: AbrTitle,
  trace: NetworkTrace,
  options: { readonly bufferCapMs: number },
): AbrOptimum {
  let feasible = -Infinity;
  let bound = Infinity;
  for (const grid of GRIDS) {
    const search = (exact: boolean) =>
      new Search(title, trace, { ...options, grid, exact, feasible }).run();
    feasible = Math.max(feasible, search(true));
    bound = Math.max(feasible, Math.min(bound, search(false)));
    if (bound - feasible <= CLOSE * Math.max(1, Math.abs(feasible))) break;
  }
  return { feasible, bound };
}

/** Plays as columns, so that millions of them cost no objects. */
class Plays {
  readonly t: Float64Array;
  readonly stall: Float64Array;
  readonly utility: Float64Array;
  count = 0;

  constructor(size: number) {
    this.t = new Float64Array(size);
    this.stall = new Float64Array(size);
    this.utility = new Float64Array(size);
  }

  add(t: number, stall: number, utility: number): number {
    this.t[this.count] = t;
    this.stall[this.count] = stall;
    this.utility[this.count] = utility;
    return this.count++;
  }
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
    this.#now.add(this.#startupMs, 0, 0);
    this.#mediaMs = durationsMs[0]!;
    this.#leftUtility = top * (this.#totalMediaMs - this.#mediaMs);
    for (let at = 1; at < sizesBits.length; at++) {
      this.#leftUtility -= top * durationsMs[at]!;
      this.#now = this.#thinned(this.#step(at));
      this.#mediaMs += durationsMs[at]!;
    }
    let best = -Infinity;
    for (let at = 0; at < this.#now.count; at++) {
      best = Math.max(
        best,
        this.#score(this.#now.utility[at]!, this.#now.stall[at]!),
      );
    }
    return best;
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
    for (let each = 0; each < now.count; each++) {
      const stall = now.stall[each]!;
      let t = now.t[each]!;
      let bufferMs = this.#mediaMs + this.#startupMs + stall - t;
      const overMs = Math.min(bufferMs, bufferMs + durationMs - bufferCapMs);
      if (overMs > 0) {
        t += overMs;
        bufferMs -= overMs;
      }
      const flowing = this.#link.bitsAt(this.#link.answerAtMs(t));
      for (let rung = 0; rung < sizes.length; rung++) {
        const arrivalMs = this.#link.arrivalAtMs(flowing + sizes[rung]!);
        const lateMs = Math.max(0, arrivalMs - t - bufferMs);
        const utility = now.utility[each]! +
          this.#utilities[rung]! * durationMs;
        const reach = this.#score(utility + this.#leftUtility, stall + lateMs);
        if (reach >= feasible) next.add(arrivalMs, stall + lateMs, utility);
      }
    }
    return next;
  }

  /** Merges what shares a cell and drops what is dominated. */
  #thinned(plays: Plays): Plays {
    const { grid, exact } = this.#options;
    const span = spanOf(plays);
    const rowMs = Math.max(grid.stallMs, span.stallMs / grid.rows);
    const rows = Math.floor(span.stallMs / rowMs) + 1;
    const columns = Math.floor(span.tMs / grid.timeMs) + 1;
    const cells = new Int32Array(rows * columns).fill(-1);
    const merged = new Plays(plays.count);
    for (let each = 0; each < plays.count; each++) {
      const t = plays.t[each]!;
      const stall = plays.stall[each]!;
      const utility = plays.utility[each]!;
      const row = Math.floor((stall - span.leastStallMs) / rowMs);
      const column = Math.floor((t - span.leastTMs) / grid.timeMs);
      const cell = row * columns + column;
      const there = cells[cell]!;
      if (there < 0) {
        cells[cell] = merged.add(t, stall, utility);
      } else if (exact) {
        if (
          utility - EXCHANGE * stall >
            merged.utility[there]! - EXCHANGE * merged.stall[there]!
        ) {
          merged.t[there] = t;
          merged.stall[there] = stall;
          merged.utility[there] = utility;
        }
      } else {
        merged.t[there] = Math.min(merged.t[there]!, t);
        merged.stall[there] = Math.min(merged.stall[there]!, stall);
        merged.utility[there] = Math.max(merged.utility[there]!, utility);
      }
    }
    return undominated(merged, cells, { rows, columns });
  }
}

/** What a stalled ms is worth in a cell whose plays are to be compared: its penalty and the time it takes. */
const EXCHANGE = STALL_PENALTY + 1;

function spanOf(plays: Plays) {
  let leastTMs = Infinity;
  let mostTMs = 0;
  let leastStallMs = Infinity;
  let mostStallMs = 0;
  for (let each = 0; each < plays.count; each++) {
    leastTMs = Math.min(leastTMs, plays.t[each]!);
    mostTMs = Math.max(mostTMs, plays.t[each]!);
    leastStallMs = Math.min(leastStallMs, plays.stall[each]!);
    mostStallMs = Math.max(mostStallMs, plays.stall[each]!);
  }
  return {
    leastTMs,
    leastStallMs,
    tMs: Math.max(0, mostTMs - leastTMs),
    stallMs: Math.max(0, mostStallMs - leastStallMs),
  };
}

/** Keeps what no play of a lower row and an earlier column, or of the same row, earlier and with no more stall, equals. */
function undominated(
  plays: Plays,
  cells: Int32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Plays {
  const kept = new Plays(plays.count);
  /** The greatest utility in the rows below, up to each column. */
  const below = new Float64Array(columns).fill(-Infinity);
  const row = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    let best = -Infinity;
    let bestStall = Infinity;
    let most = -Infinity;
    for (let c = 0; c < columns; c++) {
      const at = cells[r * columns + c]!;
      row[c] = most;
      if (at < 0) continue;
      const utility = plays.utility[at]!;
      const stall = plays.stall[at]!;
      const beaten = (c > 0 && utility <= below[c - 1]!) ||
        (utility <= best && stall >= bestStall);
      if (beaten) continue;
      kept.add(plays.t[at]!, stall, utility);
      if (utility >= best) {
        best = utility;
        bestStall = stall;
      }
      most = Math.max(most, utility);
      row[c] = most;
    }
    for (let c = 0; c < columns; c++) below[c] = Math.max(below[c]!, row[c]!);
  }
  return kept;
}
