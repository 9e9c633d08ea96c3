import { assertEquals } from "@std/assert";
import { Histogram } from "../../../lib/model/histogram.ts";

Deno.test("Histogram counts each value in its bucket and all above", () => {
  const histogram = new Histogram([1, 2]);
  for (const value of [0.5, 1, 1.5, 99]) histogram.add(value);
  assertEquals(
    histogram.lines("t", 'a="b"'),
    `t_bucket{a="b",le="1"} 2
t_bucket{a="b",le="2"} 3
t_bucket{a="b",le="+Inf"} 4
t_sum{a="b"} 102
t_count{a="b"} 4
`,
  );
  assertEquals(
    new Histogram([]).lines("t", ""),
    't_bucket{le="+Inf"} 0\nt_sum 0\nt_count 0\n',
  );
});
