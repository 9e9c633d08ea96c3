import { assertEquals, assertRejects } from "@std/assert";
import { RunError } from "../../../lib/core/errors.ts";
import { hostsInTime, reachableFirst } from "../../../lib/io/deno/resolve.ts";

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

Deno.test("a name is waited for no longer than its connection may take, and says why there is none", async () => {
  const to = { host: "a.example", port: 80 };
  const never = new Promise<readonly string[]>(() => {});
  const late = await assertRejects(
    () => hostsInTime(to, never, { timeoutMs: 20 }),
    RunError,
    "a.example:80: its address was not found within 20 ms",
  );
  assertEquals(late.code, "connect-timeout");
  const unknown = Promise.reject(
    new RunError("name-not-found", "no such name"),
  );
  const failed = await assertRejects(
    () => hostsInTime(to, unknown, { timeoutMs: 1000 }),
    RunError,
    "no such name",
  );
  assertEquals(failed.code, "connect-failed");
  const gone = AbortSignal.abort(new Error("gone"));
  await assertRejects(
    () => hostsInTime(to, never, { timeoutMs: 1000, signal: gone }),
    Error,
    "gone",
  );
});
