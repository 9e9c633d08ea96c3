import { assertEquals } from "@std/assert";
import { textOf } from "../../../lib/events/mod.ts";

Deno.test("role events name where a role listens in a form that a browser and a client take", () => {
  const at = { host: "::1", port: 9100 };
  assertEquals(
    textOf({ type: "admin.listening", ...at }),
    "metrics and events at http://[::1]:9100/",
  );
  assertEquals(
    textOf({ type: "role.listening", transport: "udp", ...at }),
    "listening on udp [::1]:9100",
  );
});

Deno.test("playout.ended tells how much was played, and of a live title how far behind its edge", () => {
  const positionMs = 65_594_000;
  assertEquals(
    textOf({
      ...{ type: "playout.ended", positionMs, playedMs: 6000, isCut: false },
      latencyMs: 6100,
    }),
    "played 6.0 s, to the end, at last 6.1 s behind the live edge",
  );
});

Deno.test("segment.missed names the URL once, whoever says it", () => {
  const url = "http://a/1.m4s";
  const textWith = (problem: string) =>
    textOf({
      ...{ type: "segment.missed", segmentNumber: 1, url, problem },
      ...{ next: "skip", waitMs: 0 },
    });
  const end = "; going on without it";
  assertEquals(textWith("gone"), `segment 1: gone (${url})${end}`);
  assertEquals(
    textWith(`Cannot fetch ${url}: nobody listens there`),
    `segment 1: Cannot fetch ${url}: nobody listens there${end}`,
  );
});
