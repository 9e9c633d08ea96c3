/**
 * Colours of series, told apart by people with any colour vision: after Okabe and Ito, darkened until each has a
 * contrast of at least 3 to 1 on white. Shapes and dashes say the same a second time.
 */
export const LIGHT = [
  "#0072b2",
  "#d55e00",
  "#007d5a",
  "#a8468f",
  "#a87400",
  "#3a3f45",
] as const;

/** The same series on a dark page. */
export const DARK = [
  "#58a9e8",
  "#f58a4b",
  "#2fc79b",
  "#e59bd0",
  "#edb83d",
  "#c9d1d9",
] as const;

/** Text and lines on a light page. */
export const INK = "#1b1f24";
/** Text and lines of less weight on a light page. */
export const MUTED = "#57606a";
/** The grid on a light page. */
export const GRID = "#d8dee4";
/** Fonts of charts and pages: whatever the system reads best. */
export const FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
/** Dashes of bounds, in order of appearance. */
export const DASHES = ["10 6", "3 5", "14 5 3 5"] as const;

/** Picks from a list that starts over at its end. */
export function cyclic<T>(list: readonly T[], index: number): T {
  return list[index % list.length]!;
}
