import { assertEquals } from "@std/assert";
import { pingResult } from "../../../lib/echo/ping_result.ts";

Deno.test("pingResult counts losses and leaves them out of the times", () => {
  const { json, text } = pingResult("127.0.0.1:12000", [1, null, 3, null]);
  assertEquals(json, {
    remote: "127.0.0.1:12000",
    sent: 4,
    received: 2,
    lossRatio: 0.5,
    rttMinMs: 1,
    rttAvgMs: 2,
    rttMaxMs: 3,
    rttStddevMs: 1,
    rttsMs: [1, null, 3, null],
  });
  assertEquals(text.split("\n"), [
    "--- 127.0.0.1:12000 ping statistics ---",
    "4 sent, 2 received, 50 % lost",
    "rtt min/avg/max/stddev = 1.000/2.000/3.000/1.000 ms",
    "",
  ]);
});

Deno.test("pingResult has no times when nothing came back", () => {
  const { json, text, report } = pingResult("[::1]:7", [null]);
  assertEquals([json.lossRatio, json.rttAvgMs], [1, null]);
  assertEquals(text.split("\n").length, 3);
  assertEquals(report?.sections[0]?.kind, "table");
});
