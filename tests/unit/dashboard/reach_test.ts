import { assert, assertEquals, assertMatch } from "@std/assert";
import { reachOf } from "../../../roles/dashboard/reach.ts";

const OWN = ["10.0.0.5", "127.0.0.1"];

function reach(admin: string | undefined, ...addresses: readonly string[]) {
  return reachOf({
    ...{ instance: "a", role: "edge", name: "a", version: "1" },
    ...{ addresses, sockets: [] },
    admin: admin === undefined ? undefined : { host: admin, port: 9100 },
  }, OWN);
}

Deno.test("reachOf: events are asked for at the role's own address only", () => {
  const at = (host: string) => ({ at: { host, port: 9100 } });
  assertEquals(reach("0.0.0.0", "10.0.0.7"), at("10.0.0.7"));
  assertEquals(reach("10.0.0.7", "10.0.0.7"), at("10.0.0.7"));
  assertEquals(reach("127.0.0.1", "127.0.0.1"), at("127.0.0.1"));
  assertEquals(reach("127.0.0.1", "10.0.0.5"), at("127.0.0.1"));
  for (
    const [admin, address, reason] of [
      [undefined, "10.0.0.7", /start it with --admin/],
      ["127.0.0.1", "10.0.0.7", /its own machine only/],
      ["10.0.0.1", "10.0.0.7", /not its address/],
      ["192.168.0.1", "10.0.0.5", /not its address/],
    ] as const
  ) {
    const none = reach(admin, address);
    assert("reason" in none);
    assertMatch(none.reason, reason);
  }
});
