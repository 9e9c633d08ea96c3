// @ts-types="npm:@types/d3-scale@4.0.9"
import { tickFormat } from "d3-scale";

/** Writes a number for people: whole ones in full (`33,554,432`), others to three digits (`12.3`, `0.0457`). */
export function readable(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "none" : "unlimited";
  }
  if (Number.isInteger(value)) return tickFormat(0, 1, 1, ",.0f")(value);
  const form = Math.abs(value) >= 100 ? ",.0f" : ",.3~r";
  return tickFormat(0, 1, 1, form)(value);
}

/** Returns how the ticks of an axis up to `max` are written: `2,500`; from 100,000 on `2.5M`. */
export function tickText(
  max: number,
  plain: (value: number) => string,
): (value: number) => string {
  return max >= 100_000 ? tickFormat(0, max, 6, "~s") : plain;
}
