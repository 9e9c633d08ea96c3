import { assertEquals } from "@std/assert";
import { readable } from "../../../lib/report/numbers.ts";

Deno.test("readable keeps whole numbers and three digits of others", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [12, "12"],
    [33_554_432, "33,554,432"],
    [16.4219, "16.4"],
    [0.04567, "0.0457"],
    [1234.56, "1,235"],
    [2.5, "2.5"],
    [NaN, "none"],
    [Infinity, "unlimited"],
  ];
  for (const [value, text] of cases) assertEquals(readable(value), text);
});
