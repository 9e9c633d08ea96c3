import { assertEquals } from "@std/assert";
import { drawStep } from "../../../../roles/dns_redirector/lookup/show_trace.ts";

const ABOUT = {
  resolution: 1,
  server: "127.0.1.1:53",
  serverName: "a.root",
  zone: ".",
  question: "video.example",
  recordType: "A",
};

Deno.test("drawStep draws who asks whom for what and what comes back", () => {
  assertEquals(
    drawStep({
      ...ABOUT,
      type: "recursion.asked",
      step: 2,
      transport: "tcp",
      clientSubnet: "127.1.0.0/24",
    }),
    " 2      local DNS server ──▶ a.root (127.0.1.1:53), of the root: video.example A? (a client of 127.1.0.0/24) over TCP",
  );
  const replied = (
    result: "lame" | "no-answer" | "answer",
    detail: string,
    outOfBailiwick = 0,
  ) =>
    drawStep({
      ...ABOUT,
      type: "recursion.replied",
      step: 13,
      result,
      detail,
      outOfBailiwick,
      elapsedMs: 12,
    });
  const from = "13      local DNS server ◀── a.root:";
  assertEquals(replied("lame", "REFUSED"), `${from} no help: REFUSED [12 ms]`);
  assertEquals(
    replied("no-answer", "in time"),
    `${from} no answer in time [12 ms]`,
  );
  assertEquals(
    replied("answer", "10.0.0.1", 2),
    `${from} 10.0.0.1; 2 records of other zones left out [12 ms]`,
  );
  assertEquals(
    drawStep({
      type: "recursion.ignored",
      resolution: 1,
      server: "127.0.1.1:53",
      remote: "10.6.6.6:53",
      reason: "wrong-id",
    }),
    "        ignored a reply of 10.6.6.6:53: wrong-id",
  );
});
