/** Flags that have no effect beside others, or without them. */
import { assertEquals, assertThrows } from "@std/assert";
import { flag, neverWith, onlyWith } from "../../../lib/cli/flags.ts";
import type { RoleShape } from "../../../lib/cli/role_shape.ts";
import { scanArgs } from "../../../lib/cli/scan.ts";
import { scanConfig, withConfig } from "../../../lib/cli/config.ts";
import { parseRoleArgs } from "../../../lib/cli/parse.ts";
import { InputError } from "../../../lib/core/errors.ts";
import { demo } from "../../../roles/demo/mod.ts";
import { dnsRedirector } from "../../../roles/dns_redirector/mod.ts";
import { edge } from "../../../roles/edge/mod.ts";
import { origin } from "../../../roles/origin/mod.ts";
import { peer } from "../../../roles/peer/mod.ts";
import type { ShareFlags } from "../../../roles/peer/flags.ts";
import { checkLimits } from "../../../roles/peer/swarm_setup.ts";
import { roster } from "../../../roles/roster/mod.ts";
import { tcpEcho } from "../../../roles/tcp_echo/mod.ts";
import { udpEcho } from "../../../roles/udp_echo/mod.ts";

const ROLE: RoleShape = {
  name: "thing",
  modes: {
    server: {
      flags: {
        folder: flag.path({ help: "Folder" }),
        ...onlyWith("folder", {
          size: flag.size({ help: "Size", default: "1GiB" }),
        }),
        tls: flag.choice(["off", "on"], { help: "TLS", default: "off" }),
        raw: flag.toggle({ help: "Raw" }),
        ...neverWith(["tls"], {
          ...neverWith(["raw"], {
            wait: flag.duration({ help: "Wait", default: "10s" }),
          }),
        }),
      },
    },
  },
};

function lineOf(role: RoleShape, line: string): string {
  const args = line.split(" ");
  return assertThrows(
    () => parseRoleArgs(role, scanArgs(role, args)),
    InputError,
  )
    .message;
}

Deno.test("parseRoleArgs refuses a flag that has no effect without another, or beside one", () => {
  for (
    const [line, message] of [
      ["--size 2GiB", "--size has no effect without --folder"],
      ["--wait 1s --tls on", "--wait has no effect with --tls"],
      ["--wait 1s --raw", "--wait has no effect with --raw"],
    ] as const
  ) assertEquals(lineOf(ROLE, line), message);
  const texts = scanConfig(ROLE, "f.json", '{"size":"2GiB"}');
  const raw = withConfig(scanArgs(ROLE, []), { path: "f.json", texts });
  assertEquals(
    assertThrows(() => parseRoleArgs(ROLE, raw), InputError).message,
    "f.json: size has no effect without --folder",
  );
});

Deno.test("parseRoleArgs takes a flag beside one that is given as it is by default", () => {
  const parse = (line: string) =>
    parseRoleArgs(ROLE, scanArgs(ROLE, line.split(" "))).flags;
  assertEquals(parse("--wait 1s --tls off")["wait"], 1000);
  assertEquals(parse("--size 2KiB --folder x")["size"], 2048);
});

Deno.test("parseRoleArgs does not tell a flag without effect among those in force, so that they are taken again", () => {
  for (const line of ["--tls on", "--folder x", "--raw"]) {
    const { config, flags } = parseRoleArgs(
      ROLE,
      scanArgs(ROLE, line.split(" ")),
    );
    const texts = scanConfig(ROLE, "f.json", JSON.stringify(config));
    const again = parseRoleArgs(ROLE, { texts, operands: [], help: false });
    assertEquals(again.flags, flags, line);
    assertEquals("size" in config, line === "--folder x");
    assertEquals("wait" in config, line === "--folder x");
  }
});

Deno.test("edge and origin refuse flags that have no effect", () => {
  const of = "--origin http://a/ ";
  for (
    const [line, wanted] of [
      ["--disk-size 1GiB", "without --cache-dir"],
      ["--health-interval 1s", "without --health-check"],
      ["--access-log-format common", "without --access-log"],
      ["--head-timeout 5s --tls self-signed", "with --tls"],
      ["--head-timeout 5s --tls-cert a --tls-key b", "with --tls-cert"],
    ] as const
  ) {
    const flag = line.split(" ")[0];
    assertEquals(lineOf(edge, of + line), `${flag} has no effect ${wanted}`);
  }
  for (
    const flag of [
      ...["--title x", "--ladder 360p@400k", "--segment 2s", "--audio"],
      ...["--addressing time", "--duration 1min", "--vbr 0.1", "--live"],
    ]
  ) {
    const [name] = flag.split(" ");
    assertEquals(
      lineOf(origin, `${flag} --root x`),
      `${name} has no effect with --root`,
    );
  }
  assertEquals(
    lineOf(origin, "--vbr-seed 2"),
    "--vbr-seed has no effect without --vbr",
  );
  assertEquals(
    lineOf(origin, "--duration 2h --live"),
    "--duration has no effect with --live",
  );
  // To make a title, its folder is needed.
  const line = "--ingest a.mp4 --root x --segment 2s --audio";
  parseRoleArgs(origin, scanArgs(origin, line.split(" ")));
});

Deno.test("demo refuses flags of programs that run in virtual time, and a token for no machine", () => {
  for (
    const [line, message] of [
      ["--on 10.0.0.2:8090", "--on has no effect with --simulate"],
      ["--watchable", "--watchable has no effect with --simulate"],
      ["--keep", "--keep has no effect with --simulate"],
    ] as const
  ) assertEquals(lineOf(demo, `all --simulate ${line}`), message);
  assertEquals(
    lineOf(demo, "all --token x"),
    "--token has no effect without --on",
  );
});

Deno.test("peer refuses nodes of a DHT that is off, and takes what is compared by changing one flag", () => {
  const flagsOf = (line: string) =>
    parseRoleArgs(peer, scanArgs(peer, ["a.torrent", ...line.split(" ")]))
      .flags as unknown as ShareFlags;
  assertEquals(
    assertThrows(
      () => checkLimits(flagsOf("--dht off --dht-node 10.0.0.1:6881")),
      InputError,
    ).message,
    "--dht-node has no effect with --dht off",
  );
  for (
    const line of [
      "--upload-limit 1MiB/s --unchoke-slots 2 --free-ride",
      "--choke-interval 5s --optimistic-interval 5s --choker none",
      "--choker none --unchoke-slots 2",
      "--exit-when-complete --seed-for 1min",
    ]
  ) checkLimits(flagsOf(line));
});

Deno.test("a faithful tcp-echo refuses what the lecture's server has not", () => {
  for (const flag of ["--max-connections 2", "--idle-timeout 5s"]) {
    assertEquals(
      lineOf(tcpEcho, `--faithful ${flag}`),
      `${flag.split(" ")[0]} has no effect with --faithful`,
    );
  }
});

Deno.test("an echo client refuses the interval of pings that nobody asked for", () => {
  for (const role of [udpEcho, tcpEcho]) {
    assertEquals(
      lineOf(role, "--connect 10.0.0.2:7 --interval 2s"),
      "--interval has no effect without --count",
    );
  }
});

Deno.test("dns-redirector and roster refuse flags that have no effect", () => {
  const of = "--domain a.b --edge 10.0.0.1 ";
  for (
    const [line, wanted] of [
      ["--health-status 204", "without --health-check"],
      ["--health-body ok", "without --health-check"],
      ["--health-host a", "without --health-check"],
      ["--rate-limit-slip 3", "without --rate-limit"],
      ["--rate-limit-exempt 10.0.0.0/8", "without --rate-limit"],
    ] as const
  ) {
    const flag = line.split(" ")[0];
    assertEquals(
      lineOf(dnsRedirector, of + line),
      `${flag} has no effect ${wanted}`,
    );
  }
  assertEquals(
    lineOf(roster, "--watch --wait 5s"),
    "--wait has no effect with --watch",
  );
});
