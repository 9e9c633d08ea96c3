import { assertEquals } from "@std/assert";
import {
  contentRange,
  decideRange,
  MAX_RANGES,
  rangeLength,
  unsatisfiedRange,
} from "../../../lib/http/range.ts";

/** [field, size, what is sent: "whole", "416" or "first-last,..."]; the first rows are the examples of RFC 9110 §14.1.2. */
const CASES: readonly [value: string | null, size: number, expected: string][] =
  [
    ["bytes=0-499", 10_000, "0-499"],
    ["bytes=500-999", 10_000, "500-999"],
    ["bytes=-500", 10_000, "9500-9999"],
    ["bytes=9500-", 10_000, "9500-9999"],
    ["bytes=0-0,-1", 10_000, "0-0,9999-9999"],
    ["bytes=0-0, , 500-600", 10_000, "0-0,500-600"],
    ["bytes=500-600,601-999", 10_000, "500-999"],
    ["bytes=500-700,601-999", 10_000, "500-999"],
    ["bytes=900-999,0-9", 10_000, "900-999,0-9"],
    ["bytes=0-9,0-9,0-9", 10_000, "0-9"],
    ["Bytes=0-0", 10, "0-0"],
    ["bytes=0-99999999999999999999", 10, "0-9"],
    ["bytes=-20", 10, "0-9"],
    ["bytes=5-,20-", 10, "5-9"],
    ["bytes=10-", 10, "416"],
    ["bytes=-0", 10, "416"],
    ["bytes=0-", 0, "416"],
    ["bytes=-5", 0, "whole"],
    [null, 10, "whole"],
    ["bytes=", 10, "whole"],
    ["bytes=,", 10, "whole"],
    ["bytes=-", 10, "whole"],
    ["bytes=5-4", 10, "whole"],
    ["bytes=0-1,5-4", 10, "whole"],
    ["bytes=a-b", 10, "whole"],
    ["bytes=0x1-5", 10, "whole"],
    ["bytes=1.5-5", 10, "whole"],
    ["bytes 0-4", 10, "whole"],
    ["seconds=0-4", 10, "whole"],
    [`bytes=${"0-0,".repeat(MAX_RANGES + 1)}`, 10, "whole"],
  ];

Deno.test("decideRange keeps RFC 9110 section 14", () => {
  for (const [value, size, expected] of CASES) {
    const decision = decideRange(value, size);
    const got = decision.kind === "parts"
      ? decision.parts.map((part) => `${part.firstByte}-${part.lastByte}`)
        .join()
      : decision.kind === "whole"
      ? "whole"
      : "416";
    assertEquals(got, expected, `${value} of ${size}`);
  }
});

Deno.test("contentRange, unsatisfiedRange and rangeLength count both ends", () => {
  const part = { firstByte: 42, lastByte: 1233 };
  assertEquals(contentRange(part, 1234), "bytes 42-1233/1234");
  assertEquals(unsatisfiedRange(1234), "bytes */1234");
  assertEquals(rangeLength(part), 1192);
});
