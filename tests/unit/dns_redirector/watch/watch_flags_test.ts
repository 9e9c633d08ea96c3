import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { scanArgs } from "../../../../lib/cli/scan.ts";
import { parseRoleArgs } from "../../../../lib/cli/parse.ts";
import { InputError } from "../../../../lib/core/errors.ts";
import {
  edgePlaces,
  parseDomainFlag,
  parseEdgeFlag,
  zonesOfFlags,
} from "../../../../lib/dns/authority/zone_flags.ts";
import { ZoneTable } from "../../../../lib/dns/authority/zone_table.ts";
import { parseSteering } from "../../../../lib/dns/select/mod.ts";
import { dnsRedirector } from "../../../../roles/dns_redirector/mod.ts";
import {
  refuseIdle,
  type WatchFlagValues,
  watchRules,
} from "../../../../roles/dns_redirector/watch/watch_flags.ts";

function flagsOf(line: string): WatchFlagValues {
  const args = line.split(" ").filter((word) => word !== "");
  const { flags } = parseRoleArgs(
    dnsRedirector,
    scanArgs(dnsRedirector, args),
  );
  return flags as unknown as WatchFlagValues;
}

function rules(line: string) {
  return watchRules(flagsOf(line));
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
      "--health-check /up --health-status 99",
    ]
  ) assertThrows(() => rules(line), InputError, "must be", line);
});

Deno.test("refuseIdle refuses flags of checks and readings that these zones have none of", () => {
  const zones = (policy: string) =>
    new ZoneTable(
      zonesOfFlags({
        domains: policy === "" ? [] : [parseDomainFlag("a.b.example")],
        aliases: [{
          name: parseDomainFlag("c.b.example"),
          target: parseDomainFlag("a.b.example"),
        }],
        edges: [parseEdgeFlag("10.0.0.1")],
      }),
      policy === "" ? {} : { steering: parseSteering(policy) },
    );
  const said = (line: string, policy: string) => {
    try {
      refuseIdle(flagsOf(line), zones(policy));
      return "";
    } catch (error) {
      assert(error instanceof InputError, String(error));
      return error.message;
    }
  };
  for (
    const [line, policy, why] of [
      ["--health-interval 1s", "geo", "--health-check, or --policy latency"],
      ["--health-timeout 1s", "geo", "--health-check, or --policy latency"],
      ["--health-fall 3", "geo", "--health-check, or --policy latency"],
      ["--health-rise 3", "load", "--health-check or --policy latency"],
      ["--health-port 80", "load", "--health-check or --policy latency"],
    ] as const
  ) {
    const flag = line.split(" ")[0];
    assertEquals(
      said(line, policy).slice(
        0,
        `${flag} has no effect without ${why}`.length,
      ),
      `${flag} has no effect without ${why}`,
    );
  }
  assertMatch(
    said("--health-check tcp --health-body ok", "geo"),
    /^--health-body has no effect with --health-check tcp: /,
  );
  assertMatch(
    said("--health-check tcp", ""),
    /^--health-check has nothing to check: no name leads to edges /,
  );
  for (
    const [line, policy] of [
      ["", "geo"],
      ["--health-interval 5s --load-path /metrics", "geo"],
      ["--health-interval 1s --health-fall 1 --load-port 80", "geo,load"],
      ["--health-port 80 --health-rise 1", "geo,latency"],
      ["--health-check /up --health-status 204 --health-host a:80", "hash"],
      ["--health-check tcp --health-status 200", "hash"],
      // To compare policies, that flag alone is changed.
      ["--site 10.0.0.0/8=10.0.0.1 --edge 10.0.0.1,weight=2", "round-robin"],
      ["--edge 10.0.0.1,admin=9100,port=80 --load-path /x", "weighted"],
      ["--sites near.txt --lsa lsa.txt --load-metric x", "hash"],
    ] as const
  ) assertEquals(said(line, policy), "");
});

Deno.test("hosts that no URL can have are refused: --health-host, and of an edge's admin", () => {
  for (const host of ["a b", "a/b", "u@a", "300.0.0.1", "[:::]", "a:70000"]) {
    assertThrows(
      () =>
        rules(`--health-check /up --health-host ${host.replace(" ", "\t")}`),
      InputError,
      "--health-host must be a host",
    );
    assertThrows(
      () => edgePlaces(undefined, `${host}:9100`),
      SyntaxError,
      "admin must be PORT or ADDR:PORT",
    );
  }
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
