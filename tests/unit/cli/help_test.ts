import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { completions, SHELLS } from "../../../lib/cli/complete.ts";
import { flag } from "../../../lib/cli/flags.ts";
import { programHelp, roleHelp, roleHelpJson } from "../../../lib/cli/help.ts";
import { nearest } from "../../../lib/cli/nearest.ts";

const ROLE = {
  name: "thing",
  summary: "Does a thing",
  examples: ["rolecall thing --slow 5s"],
  modes: {
    server: {
      summary: "Serve things",
      flags: {
        slow: flag.duration({ help: "How slow", default: "1s" }),
        kind: flag.choice(["red", "blue"], { help: "Kind", default: "red" }),
      },
    },
  },
};

Deno.test("roleHelp shows every flag with its default and every example", () => {
  const help = roleHelp(ROLE);
  for (
    const part of [
      "usage: rolecall thing [flags]",
      "--slow TIME",
      "(default: 1s)",
      "--kind red|blue",
      "--seed N",
      "rolecall thing --slow 5s",
    ]
  ) assertStringIncludes(help, part);
});

Deno.test("roleHelpJson holds the same declaration as data", () => {
  const json = roleHelpJson(ROLE) as {
    modes: { flags: { name: string; default: string }[] }[];
  };
  assertEquals(json.modes[0]?.flags[0]?.name, "--slow");
  assertEquals(json.modes[0]?.flags[0]?.default, "1s");
});

Deno.test("programHelp lists the roles", () => {
  assertStringIncludes(programHelp([ROLE]), "thing  Does a thing");
});

Deno.test("completions name roles, flags and choices for each shell", () => {
  for (const shell of SHELLS) {
    const script = completions(shell, [ROLE]);
    for (const word of ["thing", "slow", "red", "blue"]) {
      assertStringIncludes(script, word);
    }
  }
});

Deno.test("completions know what stands in a role's place, for each shell", () => {
  for (const shell of SHELLS) {
    const script = completions(shell, [ROLE]);
    for (const word of ["help", "version", "role ", "completions"]) {
      assertStringIncludes(script.replaceAll(/["']/g, " "), word);
    }
    assertStringIncludes(script, SHELLS.join(" "));
  }
});

Deno.test("nearest finds slips of the finger and nothing far away", () => {
  assertEquals(nearest("udp-eco", ["udp-echo", "tcp-echo"]), "udp-echo");
  assertEquals(nearest("dns", ["dns-redirector", "edge"]), "dns-redirector");
  assert(nearest("banana", ["udp-echo", "edge"]) === undefined);
});
