import { assertEquals, assertThrows } from "@std/assert";
import { scanArgs } from "../../../lib/cli/scan.ts";
import { parseRoleArgs } from "../../../lib/cli/parse.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { parseEdgeFlag } from "../../../lib/dns/authority/zone_flags.ts";
import { dnsRedirector } from "../../../roles/dns_redirector/mod.ts";
import {
  type WatchFlagValues,
  watchRules,
} from "../../../roles/dns_redirector/watch_flags.ts";

function rules(line: string) {
  const args = line.split(" ").filter((word) => word !== "");
  const { flags } = parseRoleArgs(
    dnsRedirector,
    scanArgs(dnsRedirector, args),
  );
  return watchRules(flags as unknown as WatchFlagValues);
}

Deno.test("watchRules waits for a check so long that an edge is out within two intervals", () => {
  const timeouts = [
    "",
    "--health-interval 1s",
    "--health-interval 1s --health-fall 5",
    "--health-interval 30s --health-timeout 15s",
  ].map((line) => rules(line).timeoutMs);
  assertEquals(timeouts, [1000, 500, 200, 15_000]);
});

Deno.test("watchRules refuses what cannot be kept", () => {
  for (
    const line of [
      "--health-interval 50ms",
      "--health-fall 0",
      "--health-rise 101",
      "--health-timeout 3s",
      "--health-timeout 0",
      "--health-interval 1s --health-fall 4 --health-timeout 300ms",
      "--load-path metrics",
    ]
  ) assertThrows(() => rules(line), InputError, "must be", line);
});

Deno.test("parseEdgeFlag reads weight and places in any order, and refuses others", () => {
  assertEquals(parseEdgeFlag("10.0.0.1,admin=9101,weight=2.5,port=80"), {
    name: "10.0.0.1",
    addresses: [new Uint8Array([10, 0, 0, 1])],
    weight: 2.5,
    port: 80,
    admin: "9101",
  });
  assertEquals(
    parseEdgeFlag("2001:db8::1,admin=[2001:db8::2]:9100").admin,
    "[2001:db8::2]:9100",
  );
  for (
    const text of [
      "here",
      "10.0.0.1,weight=-1",
      "10.0.0.1,weight=1,weight=2",
      "10.0.0.1,port=0",
      "10.0.0.1,port=70000",
      "10.0.0.1,admin=there",
      "10.0.0.1,speed=1",
    ]
  ) assertThrows(() => parseEdgeFlag(text), RangeError);
});
