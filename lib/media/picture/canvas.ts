import { GLYPH_HEIGHT, GLYPH_WIDTH, roundedPixel } from "./font.ts";
import type { Mosaic } from "./mosaic.ts";

/** A colour as video has it: BT.709, luma 16 to 235. */
export interface Colour {
  readonly luma: number;
  readonly cb: number;
  readonly cr: number;
}

/** A rectangle in design units. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line of letters: its top left corner, and letters 5 by 7 pixels of `size` units, 6 apart. */
export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** How much of each cell of a scaled glyph is ink, 0 to 256. */
interface ScaledGlyph {
  readonly width: number;
  readonly height: number;
  readonly ink: Uint16Array;
}

/**
 * Paints a mosaic in design units that are the same for every picture size: `scale` cells to a unit.
 *
 * Edges are rounded to cells, letters are antialiased.
 */
export class Canvas {
  readonly mosaic: Mosaic;
  /** Cells to a design unit. */
  readonly scale: number;
  readonly #glyphs = new Map<string, ScaledGlyph>();

  /** Paints on `mosaic`. */
  constructor(mosaic: Mosaic, scale: number) {
    this.mosaic = mosaic;
    this.scale = scale;
  }

  /** Fills an area with a colour; its edges are rounded to chroma cells. */
  fill(area: Area, colour: Colour): void {
    const { mosaic } = this;
    const stride = 2 * mosaic.columns;
    const cells = cellsOf(area, this.scale / 2);
    fillCells(mosaic.cb, stride, cells, colour.cb);
    fillCells(mosaic.cr, stride, cells, colour.cr);
    fillCells(
      mosaic.luma,
      2 * stride,
      cells.map((edge) => 2 * edge),
      colour.luma,
    );
  }

  /** Changes only the brightness of an area. */
  fillLuma(area: Area, luma: number): void {
    const { mosaic } = this;
    fillCells(mosaic.luma, 4 * mosaic.columns, cellsOf(area, this.scale), luma);
  }

  /** Writes text. Hue stays as it is. */
  text(text: string, at: TextPlace & { readonly luma: number }): void {
    let index = 0;
    for (const letter of text) this.#letter(letter, index++, at);
  }

  /**
   * Writes text where `before` stands, over what `ground` shows there: only the letters that are others.
   */
  retext(
    text: string,
    before: string,
    ground: Mosaic,
    at: TextPlace & { readonly luma: number },
  ): void {
    // Letters of less than two cells a pixel may share a column of cells with their neighbours.
    const apart = at.size * this.scale >= 2;
    if (!apart && text === before) return;
    const length = Math.max(text.length, before.length);
    for (let index = 0; index < length; index++) {
      if (apart && text[index] === before[index]) continue;
      this.copy(ground, this.#letterCells(index, at));
    }
    for (let index = 0; index < text.length; index++) {
      if (apart && text[index] === before[index]) continue;
      this.#letter(text[index]!, index, at);
    }
  }

  /** Makes the brightness of an area of cells what it is in `source`. @param edges Left, right, top and bottom. */
  copy(source: Mosaic, edges: readonly number[]): void {
    const { luma, columns } = this.mosaic;
    const stride = 4 * columns;
    const [left, right, top, bottom] = edges as [
      number,
      number,
      number,
      number,
    ];
    const end = Math.min(right, stride);
    for (let y = top; y < Math.min(bottom, luma.length / stride); y++) {
      const from = y * stride + left;
      luma.set(source.luma.subarray(from, y * stride + end), from);
    }
  }

  #letter(
    letter: string,
    index: number,
    at: TextPlace & { readonly luma: number },
  ): void {
    if (letter === " ") return;
    const [left, , top] = this.#letterCells(index, at);
    this.#stamp(letter, at.size * this.scale, left!, top!, at.luma);
  }

  /** Left, right, top and bottom edge of a letter in cells. */
  #letterCells(index: number, { x, y, size }: TextPlace): readonly number[] {
    const pixel = size * this.scale;
    const top = Math.round(y * this.scale);
    const left = Math.round(
      x * this.scale + index * (GLYPH_WIDTH + 1) * pixel,
    );
    return [
      left,
      left + Math.ceil(GLYPH_WIDTH * pixel),
      top,
      top + Math.ceil(GLYPH_HEIGHT * pixel),
    ];
  }

  #stamp(
    letter: string,
    pixel: number,
    left: number,
    top: number,
    luma: number,
  ): void {
    const key = `${letter}${pixel}`;
    let glyph = this.#glyphs.get(key);
    if (glyph === undefined) {
      glyph = scaleGlyph(letter, pixel);
      this.#glyphs.set(key, glyph);
    }
    const cells = this.mosaic.luma;
    const stride = 4 * this.mosaic.columns;
    const width = Math.min(glyph.width, stride - left);
    for (let y = 0; y < glyph.height; y++) {
      for (let x = 0; x < width; x++) {
        const ink = glyph.ink[y * glyph.width + x]!;
        if (ink === 0) continue;
        const at = (top + y) * stride + left + x;
        const under = cells[at]!;
        cells[at] = under + (((luma - under) * ink) >> 8);
      }
    }
  }
}

/** How wide a text is, in design units. */
export function textWidth(text: string, size: number): number {
  return ([...text].length * (GLYPH_WIDTH + 1) - 1) * size;
}

/** Left, right, top and bottom edge of an area in cells. */
export function cellsOf(area: Area, scale: number): number[] {
  const { x, y, width, height } = area;
  return [x, x + width, y, y + height].map((edge) => Math.round(edge * scale));
}

function fillCells(
  cells: Uint8Array,
  stride: number,
  edges: readonly number[],
  value: number,
): void {
  const [left, right, top, bottom] = edges as [number, number, number, number];
  const end = Math.min(right, stride);
  for (let y = top; y < Math.min(bottom, cells.length / stride); y++) {
    cells.fill(value, y * stride + left, y * stride + end);
  }
}

/** Draws a letter with pixels of `pixel` cells, which need not be whole. */
function scaleGlyph(letter: string, pixel: number): ScaledGlyph {
  const width = Math.ceil(GLYPH_WIDTH * pixel);
  const height = Math.ceil(GLYPH_HEIGHT * pixel);
  const ink = new Uint16Array(width * height);
  for (let at = 0; at < ink.length; at++) {
    const cell = { x: at % width, y: Math.floor(at / width) };
    ink[at] = Math.round(256 * inkShare(letter, cell, pixel / 2));
  }
  return { width, height, ink };
}

/** The share of a cell that a letter covers, when half a pixel is `half` cells. */
function inkShare(
  letter: string,
  cell: { readonly x: number; readonly y: number },
  half: number,
): number {
  let share = 0;
  for (let halfY = 0; halfY < 2 * GLYPH_HEIGHT; halfY++) {
    const down = overlap(cell.y, halfY * half, half);
    if (down === 0) continue;
    for (let halfX = 0; halfX < 2 * GLYPH_WIDTH; halfX++) {
      if (!roundedPixel(letter, halfX, halfY)) continue;
      share += down * overlap(cell.x, halfX * half, half);
    }
  }
  return share;
}

/** How much of the cell from `cell` to `cell + 1` lies in a stretch. */
function overlap(cell: number, start: number, length: number): number {
  return Math.max(
    0,
    Math.min(cell + 1, start + length) - Math.max(cell, start),
  );
}
