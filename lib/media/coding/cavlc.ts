import type { BitWriter } from "./bit_writer.ts";
import {
  CHROMA_COEFF_TOKEN,
  CHROMA_TOTAL_ZEROS,
  COEFF_TOKEN,
  RUN_BEFORE,
  TOTAL_ZEROS,
} from "./cavlc_tables.ts";

/** Positions of the levels that are not zero, reused between calls. */
const found = new Int32Array(16);

/**
 * Writes one block of transform coefficient levels: residual_block_cavlc() of ISO/IEC 14496-10 §7.3.5.3.2, §9.2.
 *
 * A block is told from its end, where the small levels are: how many levels are not zero and how many of the last
 * ones are +-1 (coeff_token), the signs of those, the other levels with codes that grow with what was seen, how many
 * zeros lie before the last level, and how they are spread.
 *
 * @param levels In scan order, 16 of them for luma DC, 4 for chroma DC; which of the two decides the tables.
 */
export function writeBlock(out: BitWriter, levels: Int32Array): void {
  const size = levels.length;
  let total = 0;
  for (let at = 0; at < size; at++) if (levels[at] !== 0) found[total++] = at;
  let ones = 0;
  while (ones < 3 && ones < total) {
    const level = levels[found[total - 1 - ones]!]!;
    if (level !== 1 && level !== -1) break;
    ones += 1;
  }
  const chroma = size === 4;
  writeCode(
    out,
    (chroma ? CHROMA_COEFF_TOKEN : COEFF_TOKEN)[4 * total + ones]!,
  );
  if (total === 0) return;
  for (let at = total - 1; at >= total - ones; at--) {
    out.bits(levels[found[at]!]! < 0 ? 1 : 0, 1);
  }
  writeLevels(out, levels, total, ones);
  let zerosLeft = found[total - 1]! + 1 - total;
  if (total < size) {
    const table = (chroma ? CHROMA_TOTAL_ZEROS : TOTAL_ZEROS)[total - 1]!;
    writeCode(out, table[zerosLeft]!);
  }
  for (let at = total - 1; at > 0 && zerosLeft > 0; at--) {
    const run = found[at]! - found[at - 1]! - 1;
    writeCode(out, RUN_BEFORE[Math.min(zerosLeft, 7) - 1]![run]!);
    zerosLeft -= run;
  }
}

/** The levels before the trailing ones, last first (§9.2.2.1). */
function writeLevels(
  out: BitWriter,
  levels: Int32Array,
  total: number,
  ones: number,
): void {
  let suffixLength = total > 10 && ones < 3 ? 1 : 0;
  for (let at = total - 1 - ones; at >= 0; at--) {
    const level = levels[found[at]!]!;
    let code = level > 0 ? 2 * level - 2 : -2 * level - 1;
    // Fewer than three trailing ones: the next level cannot be +-1, so its codes move down.
    if (at === total - 1 - ones && ones < 3) code -= 2;
    writeLevelCode(out, code, suffixLength);
    if (suffixLength === 0) suffixLength = 1;
    if (Math.abs(level) > 3 << (suffixLength - 1) && suffixLength < 6) {
      suffixLength += 1;
    }
  }
}

/** level_prefix (that many zeros and a one) and level_suffix. */
function writeLevelCode(
  out: BitWriter,
  code: number,
  suffixLength: number,
): void {
  if (suffixLength === 0 && code < 14) {
    out.bits(1, code + 1);
  } else if (suffixLength === 0 && code < 30) {
    out.bits(1, 15);
    out.bits(code - 14, 4);
  } else if (suffixLength > 0 && code < 15 << suffixLength) {
    out.bits(1, (code >> suffixLength) + 1);
    out.bits(code & ((1 << suffixLength) - 1), suffixLength);
  } else {
    // The escape: prefix 15 and twelve bits, enough for every difference of two 8-bit samples.
    out.bits(1, 16);
    out.bits(code - (suffixLength === 0 ? 30 : 15 << suffixLength), 12);
  }
}

function writeCode(out: BitWriter, code: number): void {
  out.bits(code & 0xffff, code >>> 16);
}
