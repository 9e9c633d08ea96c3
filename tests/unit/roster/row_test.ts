import { assertEquals } from "@std/assert";
import { rowOf } from "../../../lib/roster/row.ts";

function row(texts: Readonly<Record<string, string>>, label = "edge@lab") {
  const addresses = ["10.0.0.1"];
  const map = new Map(Object.entries(texts));
  const tellers = addresses;
  return rowOf({ label, port: 8080, addresses, texts: map, tellers });
}

Deno.test("roster: a role's entry is read", () => {
  assertEquals(
    row({
      ...{ role: "edge", name: "west", version: "0.1.0" },
      ...{ http: "8080", udp: "53", admin: "[::1]:9100" },
    }),
    {
      ...{ instance: "edge@lab", role: "edge", name: "west" },
      ...{ version: "0.1.0", addresses: ["10.0.0.1"] },
      tellers: ["10.0.0.1"],
      sockets: [
        { transport: "http", port: 8080 },
        { transport: "udp", port: 53 },
      ],
      admin: { host: "::1", port: 9100 },
    },
  );
});

Deno.test("roster: what a stranger sends is cut, and cannot steer a terminal", () => {
  const stranger = row({
    role: "ed\x1b[2Jge\n",
    name: "n".repeat(500),
    http: "70000",
    tcp: "-1",
    udp: "1e3",
    admin: "evil.example:80",
  }, "la\x07bel");
  assertEquals(stranger.role, "ed[2Jge");
  assertEquals(stranger.instance, "label");
  assertEquals(stranger.name.length, 100);
  assertEquals([stranger.sockets, stranger.admin], [[], undefined]);
  assertEquals(row({}).role, "?");
});
