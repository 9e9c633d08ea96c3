import { assertEquals } from "@std/assert";
import { sectionsOfResult } from "../../../lib/report/result_sections.ts";

Deno.test("sectionsOfResult shows single values in one table and each list in its own", () => {
  const sections = sectionsOfResult({
    remote: "10.0.0.1:12000",
    rttAvgMs: 1.5,
    flags: ["aa", "rd"],
    lossRatio: null,
    exchanges: [{ sent: "a", rttMs: 2 }, { sent: "b", timedOut: true }],
  });
  assertEquals(sections, [
    {
      kind: "table",
      heading: "Result",
      columns: ["", "value"],
      rows: [
        ["remote", "10.0.0.1:12000"],
        ["rtt avg ms", 1.5],
        ["flags", "aa, rd"],
        ["loss ratio", ""],
      ],
    },
    {
      kind: "table",
      heading: "Exchanges",
      columns: ["sent", "rtt ms", "timed out"],
      rows: [["a", 2, ""], ["b", "", "true"]],
    },
  ]);
});

Deno.test("sectionsOfResult takes a result that is no record", () => {
  assertEquals(sectionsOfResult("done"), [{ kind: "text", text: "done" }]);
});
