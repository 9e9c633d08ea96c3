import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRng } from "../../../lib/core/rng.ts";
import { Zipf } from "../../../lib/model/zipf.ts";

Deno.test("Zipf draws ranks as often as its law says", () => {
  const zipf = new Zipf(100, 0.9);
  const rng = seededRng(3);
  const counts = new Array<number>(100).fill(0);
  const draws = 100_000;
  for (let n = 0; n < draws; n++) counts[zipf.draw(rng)]! += 1;
  const weights = counts.map((_, at) => (at + 1) ** -0.9);
  const sum = weights.reduce((a, b) => a + b);
  for (const at of [0, 1, 9, 99]) {
    const expected = draws * weights[at]! / sum;
    // Five standard deviations.
    assert(Math.abs(counts[at]! - expected) < 5 * Math.sqrt(expected), `${at}`);
  }
});

Deno.test("Zipf of exponent 0 or one object draws what it can", () => {
  assertEquals(new Zipf(1, 0.9).draw(() => 0.999999), 0);
  const even = new Zipf(4, 0);
  assertEquals([0, 0.26, 0.51, 0.76].map((x) => even.draw(() => x)), [
    0,
    1,
    2,
    3,
  ]);
  assertThrows(() => new Zipf(0, 1), RangeError);
});

Deno.test("Zipf.share is how probable the most popular are", () => {
  const zipf = new Zipf(3, 1);
  const shares = [0, 1, 2, 3, 4].map((first) => zipf.share(first));
  assertEquals(shares.map((share) => Math.round(11 * share)), [
    0,
    6,
    9,
    11,
    11,
  ]);
});
