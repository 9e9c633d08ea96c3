/** How fine plays are told apart. */
export interface Grid {
  /** Most rows of stalls. */
  readonly rows: number;
  /** Least height of a row, and width of a cell. */
  readonly stallMs: number;
  readonly timeMs: number;
}

/** How plays are merged. */
interface Merge {
  readonly grid: Grid;
  /** Keeps the best play of each cell as it is; else one that none of them beats. */
  readonly exact: boolean;
  /** What a stalled ms costs, in utility. */
  readonly cost: number;
}

/** Plays as columns, so that millions of them cost no objects. */
export class Plays {
  /** When the last segment came. */
  readonly t: Float64Array;
  /** How long it has stood still; of plays put together that of the best one. */
  readonly stall: Float64Array;
  /** The same, but of plays put together the least of all. */
  readonly least: Float64Array;
  readonly utility: Float64Array;
  /** How many there are. */
  count = 0;

  /** Has room for `size` of them. */
  constructor(size: number) {
    this.t = new Float64Array(size);
    this.stall = new Float64Array(size);
    this.least = new Float64Array(size);
    this.utility = new Float64Array(size);
  }

  /** Takes a play in; returns its place. */
  add(t: number, stall: number, least: number, utility: number): number {
    this.t[this.count] = t;
    this.stall[this.count] = stall;
    this.least[this.count] = least;
    this.utility[this.count] = utility;
    return this.count++;
  }

  /** Takes in a play of others. */
  take(others: Plays, at: number): void {
    const stall = others.stall[at]!;
    this.add(others.t[at]!, stall, others.least[at]!, others.utility[at]!);
  }
}

/**
 * Merges plays that share a cell of the grid and drops what is dominated.
 *
 * Not exact: of the plays of a cell the merged one has the earliest time, the least stall to make room by, and the best
 * one's stall to be late by. Another that has stood still longer has more in its buffer, so may save as much later: that
 * is counted as saved. So whatever one of them can do, the merged one can do as well or better.
 */
export function thinned(plays: Plays, merge: Merge): Plays {
  const { exact, cost } = merge;
  const cells = new Cells(plays, merge.grid);
  const merged = new Plays(plays.count);
  const places = new Int32Array(plays.count);
  for (let each = 0; each < plays.count; each++) {
    const t = plays.t[each]!;
    const stall = plays.stall[each]!;
    const utility = plays.utility[each]!;
    const cell = cells.of(t, stall);
    const there = cells.plays[cell]!;
    if (there < 0) {
      const at = merged.add(t, stall, plays.least[each]!, utility);
      places[each] = at;
      cells.plays[cell] = at;
      continue;
    }
    places[each] = there;
    const isBetter = utility - cost * stall >
      merged.utility[there]! - cost * merged.stall[there]!;
    if (isBetter) {
      merged.stall[there] = stall;
      merged.utility[there] = utility;
    }
    if (exact ? isBetter : t < merged.t[there]!) merged.t[there] = t;
    if (exact ? isBetter : plays.least[each]! < merged.least[there]!) {
      merged.least[there] = plays.least[each]!;
    }
  }
  if (!exact) credit(plays, merged, places);
  return undominated(merged, cells);
}

/** Counts what those that stood still longer than the best of their cell may save by it. */
function credit(plays: Plays, merged: Plays, places: Int32Array): void {
  for (let each = 0; each < plays.count; each++) {
    const at = places[each]!;
    if (plays.stall[each]! <= merged.stall[at]!) continue;
    const utility = plays.utility[each]!;
    if (utility > merged.utility[at]!) merged.utility[at] = utility;
  }
}

/** The grid: rows of stalls, columns of times. A row reaches only from its first play to its last. */
class Cells {
  readonly #leastTMs: number;
  readonly #leastStallMs: number;
  readonly #rowMs: number;
  readonly #timeMs: number;
  readonly rows: number;
  readonly columns: number;
  /** Of each row: its first column, the one after its last, and where it begins in `plays`. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  readonly begin: Int32Array;
  /** In each cell the place of a play, or -1. */
  readonly plays: Int32Array;

  constructor(plays: Plays, grid: Grid) {
    const t = rangeOf(plays.t, plays.count);
    const stall = rangeOf(plays.stall, plays.count);
    this.#leastTMs = t.least;
    this.#leastStallMs = stall.least;
    this.#timeMs = grid.timeMs;
    this.#rowMs = Math.max(grid.stallMs, stall.span / grid.rows);
    this.rows = Math.floor(stall.span / this.#rowMs) + 1;
    this.columns = Math.floor(t.span / grid.timeMs) + 1;
    this.first = new Int32Array(this.rows).fill(this.columns);
    this.end = new Int32Array(this.rows);
    for (let each = 0; each < plays.count; each++) {
      const row = this.#rowOf(plays.stall[each]!);
      const column = this.#columnOf(plays.t[each]!);
      if (column < this.first[row]!) this.first[row] = column;
      if (column >= this.end[row]!) this.end[row] = column + 1;
    }
    this.begin = new Int32Array(this.rows);
    let size = 0;
    for (let row = 0; row < this.rows; row++) {
      this.begin[row] = size;
      size += Math.max(0, this.end[row]! - this.first[row]!);
    }
    this.plays = new Int32Array(size).fill(-1);
  }

  /** In which cell a play lies. */
  of(t: number, stall: number): number {
    const row = this.#rowOf(stall);
    return this.begin[row]! + this.#columnOf(t) - this.first[row]!;
  }

  #rowOf(stall: number): number {
    return Math.floor((stall - this.#leastStallMs) / this.#rowMs);
  }

  #columnOf(t: number): number {
    return Math.floor((t - this.#leastTMs) / this.#timeMs);
  }
}

function rangeOf(values: Float64Array, count: number) {
  let least = Infinity;
  let most = -Infinity;
  for (let at = 0; at < count; at++) {
    least = Math.min(least, values[at]!);
    most = Math.max(most, values[at]!);
  }
  return { least, span: Math.max(0, most - least) };
}

/** By column: the most utility of the rows below up to it, and what that play has in `least`. */
class Below {
  readonly utility: Float64Array;
  readonly least: Float64Array;
  /** Columns from here on are as the one before. */
  #filled = 1;

  constructor(columns: number) {
    this.utility = new Float64Array(columns + 1).fill(-Infinity);
    this.least = new Float64Array(columns + 1).fill(Infinity);
  }

  /** Makes sure of the columns before `end`. */
  reach(end: number): void {
    for (; this.#filled < end; this.#filled++) {
      this.utility[this.#filled] = this.utility[this.#filled - 1]!;
      this.least[this.#filled] = this.least[this.#filled - 1]!;
    }
  }
}

/** Whether the earlier one of two plays can do whatever the other can. */
function dominates(plays: Plays, earlier: number, later: number): boolean {
  return plays.utility[earlier]! >= plays.utility[later]! &&
    plays.stall[earlier]! <= plays.stall[later]! &&
    plays.least[earlier]! <= plays.least[later]!;
}

/** Keeps what no play of a lower row and an earlier column, or of the same row, earlier and with no more stall, equals. */
function undominated(plays: Plays, cells: Cells): Plays {
  const kept = new Plays(plays.count);
  const below = new Below(cells.columns);
  for (let row = 0; row < cells.rows; row++) {
    const first = cells.first[row]!;
    const end = cells.end[row]!;
    below.reach(end);
    let best = -1;
    let most = -1;
    // What is below the cell to the left, before this row is taken in.
    let leftUtility = first > 0 ? below.utility[first - 1]! : -Infinity;
    let leftLeast = first > 0 ? below.least[first - 1]! : Infinity;
    for (let column = first; column < end; column++) {
      const at = cells.plays[cells.begin[row]! + column - first]!;
      const isBeaten = at < 0 ||
        plays.utility[at]! <= leftUtility && plays.least[at]! >= leftLeast ||
        best >= 0 && dominates(plays, best, at);
      if (!isBeaten) {
        kept.take(plays, at);
        const utility = plays.utility[at]!;
        if (best < 0 || utility >= plays.utility[best]!) best = at;
        if (most < 0 || utility > plays.utility[most]!) most = at;
      }
      leftUtility = below.utility[column]!;
      leftLeast = below.least[column]!;
      if (most >= 0 && plays.utility[most]! > leftUtility) {
        below.utility[column] = plays.utility[most]!;
        below.least[column] = plays.least[most]!;
      }
    }
  }
  return kept;
}
