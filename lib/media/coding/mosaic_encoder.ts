/**
 * Encodes mosaics as H.264 with the least of the standard that makes real video.
 *
 * A macroblock that did not change is P_Skip: the samples of the picture before, one bit or less. One that did is
 * Intra_16x16 with DC prediction and no AC coefficients. Its sixteen luma DC coefficients go through a Hadamard
 * transform (§8.5.10) and come out as one value for each 4x4 block: a cell. Chroma does the same with 2x2 (§8.5.11).
 *
 * The quantiser is chosen so that the scaling cancels. At QP 28 LevelScale is 16 * 16 = 256, so the DC value is
 * (256 f + 2) >> 2 = 64 f, and the residual of every sample of the block is (64 f + 32) >> 6 = f, where f is the
 * Hadamard transform of the coded levels. Chroma at QP 22: ((256 f) << 3) >> 5 = 64 f, again f. So what a decoder
 * shows is prediction plus a sum of integers, and the encoder knows it exactly. Rounding sixteen levels costs a cell
 * an error of 1.2 (root mean square); flat macroblocks are exact.
 *
 * All motion vectors are zero and the deblocking filter is off, so a reconstructed picture is a mosaic again, and
 * DC prediction (§8.3.3, §8.3.4) is the mean of a few cells.
 */

import {
  comparerOf,
  copyMacroblock,
  copyMosaic,
  createMosaic,
  type Mosaic,
  movesAnywhere,
  type MovingColumns,
} from "../picture/mosaic.ts";
import { BitWriter } from "./bit_writer.ts";
import { writeBlock } from "./cavlc.ts";
import { NAL, nalUnit, writeSliceHeader } from "./h264.ts";

/** Column and row of the levels in zig-zag order (figure 8-8), as `4 * row + column`. */
const ZIGZAG = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/** mb_type of I_16x16 with DC prediction, no luma AC; + 4 when chroma DC is coded (table 7-11). */
const I_16X16_DC = 3;
/** I macroblock types follow the five P types in P slices (table 7-13). */
const I_IN_P = 5;

/** Encodes one picture after the other. A key picture starts afresh, so segments can be made in any order. */
export class MosaicEncoder {
  readonly #out = new BitWriter();
  /** What a decoder shows. */
  readonly #shown: Mosaic;
  /** The mosaic that was asked for last; `#shown` differs from it by rounding. */
  readonly #asked: Mosaic;
  #index = 0;
  readonly #moving: MovingColumns;
  readonly #residual = new Int32Array(16);
  readonly #luma = new Int32Array(16);
  readonly #cb = new Int32Array(4);
  readonly #cr = new Int32Array(4);

  /**
   * Prepares for mosaics of so many macroblocks.
   *
   * @param moving Where pictures may differ from the one before; elsewhere is not looked.
   */
  constructor(columns: number, rows: number, moving?: MovingColumns) {
    this.#shown = createMosaic(columns, rows);
    this.#asked = createMosaic(columns, rows);
    this.#moving = moving ?? movesAnywhere(this.#shown);
  }

  /** The picture a decoder shows now. */
  get shown(): Mosaic {
    return this.#shown;
  }

  /** Encodes `picture` by itself as an IDR slice; key pictures that follow each other must differ in `idrPicId`. */
  encodeKey(picture: Mosaic, idrPicId: number): Uint8Array<ArrayBuffer> {
    this.#index = 0;
    const out = this.#out;
    out.reset();
    writeSliceHeader(out, { idr: true, index: 0, idrPicId });
    for (let row = 0; row < picture.rows; row++) {
      for (let column = 0; column < picture.columns; column++) {
        this.#writeMacroblock(picture, column, row, I_16X16_DC);
      }
    }
    out.trailingBits();
    copyMosaic(this.#asked, picture);
    return nalUnit(NAL.idrSlice, out.view());
  }

  /** Encodes what changed since the picture before as a P slice. */
  encodeChanges(picture: Mosaic): Uint8Array<ArrayBuffer> {
    this.#index += 1;
    const out = this.#out;
    out.reset();
    writeSliceHeader(out, { idr: false, index: this.#index, idrPicId: 0 });
    let skipped = 0;
    const { columns } = picture;
    const differs = comparerOf(picture, this.#asked);
    for (let row = 0; row < picture.rows; row++) {
      let next = 0;
      for (const [first, end] of this.#moving[row]!) {
        skipped += first - next;
        next = end;
        for (let column = first; column < end; column++) {
          if (!differs(column, row)) {
            skipped += 1;
            continue;
          }
          out.unsigned(skipped); // mb_skip_run
          skipped = 0;
          this.#writeMacroblock(picture, column, row, I_IN_P + I_16X16_DC);
          copyMacroblock(this.#asked, picture, column, row);
        }
      }
      skipped += columns - next;
    }
    if (skipped > 0) out.unsigned(skipped);
    out.trailingBits();
    return nalUnit(NAL.slice, out.view());
  }

  /** macroblock_layer() (§7.3.5). */
  #writeMacroblock(
    picture: Mosaic,
    column: number,
    row: number,
    type: number,
  ): void {
    const { columns } = picture;
    this.#codeLuma(picture.luma, columns, column, row);
    const cb = this.#codeChroma(
      picture.cb,
      this.#shown.cb,
      this.#cb,
      columns,
      column,
      row,
    );
    const cr = this.#codeChroma(
      picture.cr,
      this.#shown.cr,
      this.#cr,
      columns,
      column,
      row,
    );
    const out = this.#out;
    out.unsigned(cb || cr ? type + 4 : type); // mb_type
    out.unsigned(0); // intra_chroma_pred_mode: DC
    out.signed(0); // mb_qp_delta
    writeBlock(out, this.#luma);
    if (!cb && !cr) return;
    writeBlock(out, this.#cb);
    writeBlock(out, this.#cr);
  }

  /** Fills `#luma` with the levels of a macroblock and puts what they decode to into `#shown`. */
  #codeLuma(
    wanted: Uint8Array,
    columns: number,
    column: number,
    row: number,
  ): void {
    const stride = 4 * columns;
    const first = 4 * row * stride + 4 * column;
    const shown = this.#shown.luma;
    const prediction = predictLuma(shown, first, stride, column > 0, row > 0);
    const residual = this.#residual;
    for (let at = 0; at < 16; at++) {
      const cell = first + (at >> 2) * stride + (at & 3);
      residual[at] = wanted[cell]! - prediction;
    }
    hadamard(residual);
    for (let at = 0; at < 16; at++) {
      this.#luma[at] = (residual[ZIGZAG[at]!]! + 8) >> 4;
    }
    for (let at = 0; at < 16; at++) residual[ZIGZAG[at]!] = this.#luma[at]!;
    hadamard(residual);
    for (let at = 0; at < 16; at++) {
      const cell = first + (at >> 2) * stride + (at & 3);
      shown[cell] = clip(prediction + residual[at]!);
    }
  }

  /** As `#codeLuma` for one chroma plane, into `levels`; whether any level is not zero. */
  #codeChroma(
    wanted: Uint8Array,
    shown: Uint8Array,
    levels: Int32Array,
    columns: number,
    column: number,
    row: number,
  ): boolean {
    const stride = 2 * columns;
    const at = 2 * row * stride + 2 * column;
    const left = column > 0;
    const top = row > 0;
    // Cells to the left and above; each 4x4 block has its own rule for which to use (§8.3.4.1 to 8.3.4.3).
    const left0 = left ? shown[at - 1]! : -1;
    const left1 = left ? shown[at + stride - 1]! : -1;
    const top0 = top ? shown[at - stride]! : -1;
    const top1 = top ? shown[at - stride + 1]! : -1;
    const p0 = mean(top0, left0);
    const p1 = top ? top1 : left ? left0 : 128;
    const p2 = left ? left1 : top ? top0 : 128;
    const p3 = mean(top1, left1);
    const r0 = wanted[at]! - p0;
    const r1 = wanted[at + 1]! - p1;
    const r2 = wanted[at + stride]! - p2;
    const r3 = wanted[at + stride + 1]! - p3;
    const l0 = levels[0] = (r0 + r1 + r2 + r3 + 2) >> 2;
    const l1 = levels[1] = (r0 - r1 + r2 - r3 + 2) >> 2;
    const l2 = levels[2] = (r0 + r1 - r2 - r3 + 2) >> 2;
    const l3 = levels[3] = (r0 - r1 - r2 + r3 + 2) >> 2;
    shown[at] = clip(p0 + l0 + l1 + l2 + l3);
    shown[at + 1] = clip(p1 + l0 - l1 + l2 - l3);
    shown[at + stride] = clip(p2 + l0 + l1 - l2 - l3);
    shown[at + stride + 1] = clip(p3 + l0 - l1 - l2 + l3);
    return (l0 | l1 | l2 | l3) !== 0;
  }
}

/** Intra_16x16 DC prediction (§8.3.3.3): the mean of the samples above and to the left, four to a cell. */
function predictLuma(
  shown: Uint8Array,
  first: number,
  stride: number,
  left: boolean,
  top: boolean,
): number {
  let sum = 0;
  if (top) {
    const above = first - stride;
    sum += shown[above]! + shown[above + 1]! + shown[above + 2]! +
      shown[above + 3]!;
  }
  if (left) {
    const beside = first - 1;
    sum += shown[beside]! + shown[beside + stride]! +
      shown[beside + 2 * stride]! + shown[beside + 3 * stride]!;
  }
  if (left && top) return (sum + 4) >> 3;
  return left || top ? (sum + 2) >> 2 : 128;
}

/** The mean of two neighbouring cells; -1 stands for one that is outside the picture. */
function mean(a: number, b: number): number {
  if (a < 0) return b < 0 ? 128 : b;
  return b < 0 ? a : (a + b + 1) >> 1;
}

/** The 4x4 Hadamard transform of §8.5.10, in place; twice gives sixteen times the input. */
function hadamard(m: Int32Array): void {
  for (let at = 0; at < 16; at += 4) butterfly(m, at, 1);
  for (let at = 0; at < 4; at++) butterfly(m, at, 4);
}

function butterfly(m: Int32Array, at: number, step: number): void {
  const a = m[at]!;
  const b = m[at + step]!;
  const c = m[at + 2 * step]!;
  const d = m[at + 3 * step]!;
  m[at] = a + b + c + d;
  m[at + step] = a + b - c - d;
  m[at + 2 * step] = a - b - c + d;
  m[at + 3 * step] = a - b + c - d;
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
