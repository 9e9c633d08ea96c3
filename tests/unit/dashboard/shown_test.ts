import { assertEquals } from "@std/assert";
import { readEvent } from "../../../roles/dashboard/shown.ts";

const ENVELOPE = {
  ...{ seq: 1, time: "2026-01-02T03:04:05.678Z", atMs: 12 },
  ...{ role: "edge", name: "west" },
};

function read(fields: unknown, aheadMs = 0, nowMs = Infinity) {
  return readEvent("w", JSON.stringify(fields), { aheadMs, nowMs });
}

Deno.test("readEvent gives the sentence of the log, the level, the fields, and our time", () => {
  const listening = {
    ...{ ...ENVELOPE, type: "role.listening" },
    ...{ transport: "http", host: "::1", port: 80 },
  };
  assertEquals(read(listening, 5000), {
    teller: { role: "edge", name: "west" },
    event: {
      ...{ source: "w", atMs: Date.parse("2026-01-02T03:04:00.678Z") },
      ...{ type: "role.listening", level: "info", label: "" },
      text: "listening on http [::1]:80",
      fields: { transport: "http", host: "::1", port: 80 },
    },
  });
  const found = {
    ...{ ...ENVELOPE, type: "instance.lost", instance: "a" },
    instanceRole: "edge",
  };
  assertEquals(read(found)?.event.label, "edge");
});

Deno.test("readEvent lets nothing happen later than now", () => {
  const late = { ...ENVELOPE, type: "a.b", time: "9999-12-31T23:59:59Z" };
  assertEquals(read(late, 0, 1000)?.event.atMs, 1000);
});

Deno.test("readEvent takes events of other versions, and nothing that is none", () => {
  const unknown = { ...ENVELOPE, type: "quantum.tunnelled", bytes: 7, a: [1] };
  assertEquals(read(unknown)?.event.text, "bytes=7");
  // Its sentence needs fields that are not there.
  const missing = read({ ...ENVELOPE, type: "segment.downloaded", bytes: 1 });
  assertEquals(missing?.event.type, "segment.downloaded");
  const odd = read({ ...ENVELOPE, type: "toString", x: 1 });
  assertEquals(odd?.event.text, "x=1");
  for (
    const none of [
      null,
      7,
      [],
      {},
      { ...ENVELOPE },
      { ...ENVELOPE, type: 7 },
      { ...ENVELOPE, type: "a.b", time: "yesterday" },
    ]
  ) assertEquals(read(none), undefined);
  assertEquals(readEvent("w", "{", { aheadMs: 0, nowMs: 0 }), undefined);
});
