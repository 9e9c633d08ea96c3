import { assert, assertEquals, assertMatch } from "@std/assert";
import { reachOf } from "../../../roles/dashboard/reach.ts";

const OWN = ["10.0.0.5", "127.0.0.1"];

function reach(
  admin: string | undefined,
  address: string,
  ...tellers: readonly string[]
) {
  const addresses = [address];
  return reachOf({
    ...{ instance: "a", role: "edge", name: "a", version: "1" },
    ...{ addresses, sockets: [] },
    tellers: tellers.length > 0 ? tellers : addresses,
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
    const [admin, address, reason, ...tellers] of [
      [undefined, "10.0.0.7", /start it with --admin/],
      ["127.0.0.1", "10.0.0.7", /its own machine only/],
      ["10.0.0.1", "10.0.0.7", /not its address/],
      ["192.168.0.1", "10.0.0.5", /not its address/],
      // A stranger says that this machine, or another, is it.
      ["0.0.0.0", "10.0.0.7", /does not speak from/, "10.0.0.66"],
      ["10.0.0.7", "10.0.0.7", /not its address/, "10.0.0.66"],
      ["127.0.0.1", "127.0.0.1", /its own machine only/, "10.0.0.66"],
    ] as const
  ) {
    const none = reach(admin, address, ...tellers);
    assert("reason" in none);
    assertMatch(none.reason, reason);
  }
});
