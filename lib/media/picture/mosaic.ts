/**
 * A picture made of flat cells: 4x4 samples of luma, 8x8 samples' worth of chroma.
 *
 * That is what H.264 can say with DC coefficients alone (see {@linkcode MosaicEncoder}), and it covers whole
 * macroblocks of 4x4 luma cells and 2x2 chroma cells.
 */
export interface Mosaic {
  /** Macroblocks across. */
  readonly columns: number;
  /** Macroblocks down. */
  readonly rows: number;
  /** 4 * columns by 4 * rows cells, row by row. */
  readonly luma: Uint8Array;
  /** 2 * columns by 2 * rows cells, row by row. */
  readonly cb: Uint8Array;
  /** As `cb`. */
  readonly cr: Uint8Array;
  /** The same memory, a macroblock's row of luma cells in a word and its row of chroma cells in a half word. */
  readonly words: {
    readonly luma: Uint32Array;
    readonly cb: Uint16Array;
    readonly cr: Uint16Array;
  };
}

/** Returns a black mosaic of so many macroblocks. */
export function createMosaic(columns: number, rows: number): Mosaic {
  const luma = new Uint8Array(16 * columns * rows).fill(16);
  const cb = new Uint8Array(4 * columns * rows).fill(128);
  const cr = new Uint8Array(4 * columns * rows).fill(128);
  const words = {
    luma: new Uint32Array(luma.buffer),
    cb: new Uint16Array(cb.buffer),
    cr: new Uint16Array(cr.buffer),
  };
  return { columns, rows, luma, cb, cr, words };
}

/** Makes `target` show what `source` shows; both have the same size. */
export function copyMosaic(target: Mosaic, source: Mosaic): void {
  target.luma.set(source.luma);
  target.cb.set(source.cb);
  target.cr.set(source.cr);
}

/** Makes a macroblock of `target` show what that of `source` shows. */
export function copyMacroblock(
  target: Mosaic,
  source: Mosaic,
  column: number,
  row: number,
): void {
  const { columns } = target;
  const to = target.words;
  const from = source.words;
  let at = 4 * row * columns + column;
  for (let y = 0; y < 4; y++, at += columns) to.luma[at] = from.luma[at]!;
  at = 2 * row * columns + column;
  for (let y = 0; y < 2; y++, at += columns) {
    to.cb[at] = from.cb[at]!;
    to.cr[at] = from.cr[at]!;
  }
}

/**
 * Returns what says whether two mosaics of the same size differ in a macroblock. Asked of many macroblocks of every picture:
 * by words, a third of the time it takes by cells.
 */
export function comparerOf(
  a: Mosaic,
  b: Mosaic,
): (column: number, row: number) => boolean {
  const { columns } = a;
  const [luma, otherLuma] = [a.words.luma, b.words.luma];
  const [cb, otherCb] = [a.words.cb, b.words.cb];
  const [cr, otherCr] = [a.words.cr, b.words.cr];
  return (column, row) => {
    let at = 4 * row * columns + column;
    if (luma[at] !== otherLuma[at]) return true;
    at += columns;
    if (luma[at] !== otherLuma[at]) return true;
    at += columns;
    if (luma[at] !== otherLuma[at]) return true;
    at += columns;
    if (luma[at] !== otherLuma[at]) return true;
    at = 2 * row * columns + column;
    return cb[at] !== otherCb[at] || cr[at] !== otherCr[at] ||
      cb[at + columns] !== otherCb[at + columns] ||
      cr[at + columns] !== otherCr[at + columns];
  };
}

/** For each row of macroblocks, from which column to before which one something may change from picture to picture, in order. */
export type MovingColumns =
  readonly (readonly (readonly [first: number, end: number])[])[];

/** Everything may change. */
export function movesAnywhere({ columns, rows }: Mosaic): MovingColumns {
  return Array.from({ length: rows }, () => [[0, columns] as const]);
}
