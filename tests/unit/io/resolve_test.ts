import { assertEquals } from "@std/assert";
import { reachableFirst } from "../../../lib/io/deno/resolve.ts";

Deno.test("reachableFirst puts first what this machine has a family for, and keeps the order otherwise", () => {
  const loopback = ["127.0.0.1", "::1"];
  const both = ["192.0.2.7", "2001:db8::7"];
  for (
    const [own, found, wanted] of [
      [[...loopback, "10.0.0.1", "fd00::1"], both, both],
      [[...loopback, "fd00::1", "fe80::1"], both, both.toReversed()],
      [[...loopback, "10.0.0.1", "fe80::1"], both.toReversed(), both],
      [loopback, both, both],
      // To itself a machine speaks without a network.
      [loopback, loopback, loopback],
      [["::1"], loopback, loopback.toReversed()],
    ] as const
  ) assertEquals(reachableFirst(found, own), wanted, String(own));
});
