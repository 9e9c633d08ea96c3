import { assertEquals, assertThrows } from "@std/assert";
import { parseXsDuration } from "../../../../lib/dash/mpd/duration.ts";

const GOOD: readonly [string, number][] = [
  ["PT0H10M34.625S", 634_625],
  ["PT1.500S", 1500],
  ["PT5S", 5000],
  ["PT.5S", 500],
  ["PT0S", 0],
  ["PT2H", 7_200_000],
  ["P1DT1S", 86_401_000],
  ["P1Y2M3DT4H5M6S", ((365 + 60 + 3) * 86_400 + 4 * 3600 + 5 * 60 + 6) * 1000],
  [" PT1M ", 60_000],
  ["PT0.0016S", 1.6],
];

const BAD = [
  "",
  "P",
  "PT",
  "P1DT",
  "5S",
  "PT5",
  "-PT5S",
  "PT5s",
  "PT1S2M",
  "PT1,5S",
  "PT1.S",
  "PT" + "9".repeat(40) + "S",
  "634.625",
];

for (const [text, milliseconds] of GOOD) {
  Deno.test(`parseXsDuration reads ${text.trim()}`, () => {
    assertEquals(parseXsDuration(text), milliseconds);
  });
}

for (const text of BAD) {
  Deno.test(`parseXsDuration refuses "${text.slice(0, 20)}"`, () => {
    assertThrows(() => parseXsDuration(text), SyntaxError);
  });
}
