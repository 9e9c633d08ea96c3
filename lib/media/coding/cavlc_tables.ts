/**
 * The code words of CAVLC that a mosaic picture needs, as they stand in ISO/IEC 14496-10 tables 9-5 and 9-7 to 9-10.
 *
 * Code words are written as text, so that they can be held against the standard, and packed into numbers once:
 * {@linkcode packed} gives `length << 16 | bits`.
 */

/** Packs a list of code words written as ones and zeros; an empty word stays 0. */
function packed(words: string): Int32Array {
  return Int32Array.from(
    words.trim().split(/\s+/),
    (word) => word === "." ? 0 : (word.length << 16) | Number.parseInt(word, 2),
  );
}

/**
 * coeff_token for 0 <= nC < 2 (table 9-5): entry `4 * TotalCoeff + TrailingOnes`.
 *
 * Other columns are not needed: nC is the mean number of AC coefficients in the neighbouring blocks, and a
 * mosaic has none.
 */
export const COEFF_TOKEN: Int32Array = packed(`
  1                .                .                .
  000101           01               .                .
  00000111         000100           001              .
  000000111        00000110         0000101          00011
  0000000111       000000110        00000101         000011
  00000000111      0000000110       000000101        0000100
  0000000001111    00000000110      0000000101       00000100
  0000000001011    0000000001110    00000000101      000000100
  0000000001000    0000000001010    0000000001101    0000000100
  00000000001111   00000000001110   0000000001001    00000000100
  00000000001011   00000000001010   00000000001101   0000000001100
  000000000001111  000000000001110  00000000001001   00000000001100
  000000000001011  000000000001010  000000000001101  00000000001000
  0000000000001111 000000000000001  000000000001001  000000000001100
  0000000000001011 0000000000001110 0000000000001101 000000000001000
  0000000000000111 0000000000001010 0000000000001001 0000000000001100
  0000000000000100 0000000000000110 0000000000000101 0000000000001000
`);

/** coeff_token for the DC coefficients of 4:2:0 chroma, nC = -1 (table 9-5): entry `4 * TotalCoeff + TrailingOnes`. */
export const CHROMA_COEFF_TOKEN: Int32Array = packed(`
  01     .        .        .
  000111 1        .        .
  000100 000110   001      .
  000011 0000011  0000010  000101
  000010 00000011 00000010 0000000
`);

/** total_zeros of 4x4 blocks (tables 9-7 and 9-8): row `TotalCoeff - 1`, entry total_zeros. */
export const TOTAL_ZEROS: readonly Int32Array[] = [
  "1 011 010 0011 0010 00011 00010 000011 000010 0000011 0000010 00000011 00000010 000000011 000000010 000000001",
  "111 110 101 100 011 0101 0100 0011 0010 00011 00010 000011 000010 000001 000000",
  "0101 111 110 101 0100 0011 100 011 0010 00011 00010 000001 00001 000000",
  "00011 111 0101 0100 110 101 100 0011 011 0010 00010 00001 00000",
  "0101 0100 0011 111 110 101 100 011 0010 00001 0001 00000",
  "000001 00001 111 110 101 100 011 010 0001 001 000000",
  "000001 00001 101 100 011 11 010 0001 001 000000",
  "000001 0001 00001 011 11 10 010 001 000000",
  "000001 000000 0001 11 10 001 01 00001",
  "00001 00000 001 11 10 01 0001",
  "0000 0001 001 010 1 011",
  "0000 0001 01 1 001",
  "000 001 1 01",
  "00 01 1",
  "0 1",
].map(packed);

/** total_zeros of the DC coefficients of 4:2:0 chroma (table 9-9a): row `TotalCoeff - 1`. */
export const CHROMA_TOTAL_ZEROS: readonly Int32Array[] = [
  "1 01 001 000",
  "1 01 00",
  "1 0",
].map(packed);

/** run_before (table 9-10): row `min(zerosLeft, 7) - 1`, entry run_before. */
export const RUN_BEFORE: readonly Int32Array[] = [
  "1 0",
  "1 01 00",
  "11 10 01 00",
  "11 10 01 001 000",
  "11 10 011 010 001 000",
  "11 000 001 011 010 101 100",
  "111 110 101 100 011 010 001 0001 00001 000001 0000001 00000001 000000001 0000000001 00000000001",
].map(packed);
