/** Columns of a glyph. */
export const GLYPH_WIDTH = 5;
/** Rows of a glyph. */
export const GLYPH_HEIGHT = 7;

/** Seven rows of five pixels each, as hexadecimal numbers; the leftmost pixel is bit 4. */
const GLYPHS: Readonly<Record<string, string>> = {
  "0": "0e 11 13 15 19 11 0e",
  "1": "04 0c 04 04 04 04 0e",
  "2": "0e 11 01 06 08 10 1f",
  "3": "0e 11 01 06 01 11 0e",
  "4": "02 06 0a 12 1f 02 02",
  "5": "1f 10 1e 01 01 11 0e",
  "6": "06 08 10 1e 11 11 0e",
  "7": "1f 01 02 04 04 08 08",
  "8": "0e 11 11 0e 11 11 0e",
  "9": "0e 11 11 0f 01 02 0c",
  A: "0e 11 11 1f 11 11 11",
  B: "1e 11 11 1e 11 11 1e",
  C: "0e 11 10 10 10 11 0e",
  D: "1e 11 11 11 11 11 1e",
  E: "1f 10 10 1e 10 10 1f",
  F: "1f 10 10 1e 10 10 10",
  G: "0e 11 10 17 11 11 0f",
  H: "11 11 11 1f 11 11 11",
  I: "0e 04 04 04 04 04 0e",
  J: "07 02 02 02 02 12 0c",
  K: "11 12 14 18 14 12 11",
  L: "10 10 10 10 10 10 1f",
  M: "11 1b 15 15 11 11 11",
  N: "11 19 15 13 11 11 11",
  O: "0e 11 11 11 11 11 0e",
  P: "1e 11 11 1e 10 10 10",
  Q: "0e 11 11 11 15 12 0d",
  R: "1e 11 11 1e 14 12 11",
  S: "0f 10 10 0e 01 01 1e",
  T: "1f 04 04 04 04 04 04",
  U: "11 11 11 11 11 11 0e",
  V: "11 11 11 11 11 0a 04",
  W: "11 11 11 15 15 1b 11",
  X: "11 11 0a 04 0a 11 11",
  Y: "11 11 0a 04 04 04 04",
  Z: "1f 01 02 04 08 10 1f",
  // A small p that stands on the line, for 720p.
  p: "00 00 1e 11 1e 10 10",
  ":": "00 04 04 00 04 04 00",
  ".": "00 00 00 00 00 0c 0c",
  ",": "00 00 00 00 0c 04 08",
  "-": "00 00 00 1f 00 00 00",
  "/": "00 01 02 04 08 10 00",
  "'": "04 04 08 00 00 00 00",
  "!": "04 04 04 04 04 00 04",
  "&": "0c 12 14 08 15 12 0d",
  "?": "0e 11 01 02 04 00 04",
  " ": "00 00 00 00 00 00 00",
};

const rowsOf = new Map(
  Object.entries(GLYPHS).map(([letter, rows]) => [
    letter,
    rows.split(" ").map((row) => Number.parseInt(row, 16)),
  ]),
);

/** Whether the pixel of a glyph is set; letters without a glyph are drawn as capitals, others as a question mark. */
function glyphPixel(letter: string, x: number, y: number): boolean {
  const rows = rowsOf.get(letter) ?? rowsOf.get(letter.toUpperCase()) ??
    rowsOf.get("?")!;
  return (((rows[y] ?? 0) >> (GLYPH_WIDTH - 1 - x)) & 1) === 1;
}

/**
 * Whether a quarter of a pixel is set when diagonals are rounded off, as teletext sets did it: where two pixels touch
 * at a corner only, the quarters beside that corner are filled.
 *
 * @param halfX Half pixels from the left, 0 to 9.
 * @param halfY Half pixels from the top, 0 to 13.
 */
export function roundedPixel(
  letter: string,
  halfX: number,
  halfY: number,
): boolean {
  const x = halfX >> 1;
  const y = halfY >> 1;
  if (glyphPixel(letter, x, y)) return true;
  const besideX = halfX % 2 === 0 ? x - 1 : x + 1;
  const besideY = halfY % 2 === 0 ? y - 1 : y + 1;
  return glyphPixel(letter, besideX, y) && glyphPixel(letter, x, besideY) &&
    !glyphPixel(letter, besideX, besideY);
}
