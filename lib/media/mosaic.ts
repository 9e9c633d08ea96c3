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
}

/** Returns a black mosaic of so many macroblocks. */
export function createMosaic(columns: number, rows: number): Mosaic {
  return {
    columns,
    rows,
    luma: new Uint8Array(16 * columns * rows).fill(16),
    cb: new Uint8Array(4 * columns * rows).fill(128),
    cr: new Uint8Array(4 * columns * rows).fill(128),
  };
}

/** Makes `target` show what `source` shows; both have the same size. */
export function copyMosaic(target: Mosaic, source: Mosaic): void {
  target.luma.set(source.luma);
  target.cb.set(source.cb);
  target.cr.set(source.cr);
}

/** Whether two mosaics of the same size differ in a macroblock. */
export function differsAt(
  a: Mosaic,
  b: Mosaic,
  column: number,
  row: number,
): boolean {
  const stride = 4 * a.columns;
  let at = 4 * row * stride + 4 * column;
  for (let y = 0; y < 4; y++, at += stride) {
    if (
      a.luma[at] !== b.luma[at] || a.luma[at + 1] !== b.luma[at + 1] ||
      a.luma[at + 2] !== b.luma[at + 2] || a.luma[at + 3] !== b.luma[at + 3]
    ) return true;
  }
  const half = 2 * a.columns;
  at = 2 * row * half + 2 * column;
  return chromaDiffers(a.cb, b.cb, at, half) ||
    chromaDiffers(a.cr, b.cr, at, half);
}

function chromaDiffers(
  a: Uint8Array,
  b: Uint8Array,
  at: number,
  stride: number,
): boolean {
  return a[at] !== b[at] || a[at + 1] !== b[at + 1] ||
    a[at + stride] !== b[at + stride] ||
    a[at + stride + 1] !== b[at + stride + 1];
}
