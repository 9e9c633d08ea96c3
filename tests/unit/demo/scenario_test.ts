import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseScenario } from "../../../roles/demo/scenario.ts";

const ECHO = {
  act: "echo",
  pings: 3,
  interval: "10ms",
  loss: 0,
  delay: "0",
  lines: ["a"],
};

function parse(...acts: readonly unknown[]) {
  return parseScenario(JSON.stringify({ title: "T", acts }));
}

Deno.test("parseScenario reads the numbers with their units", () => {
  assertEquals(
    parse(ECHO, {
      act: "distribution",
      file: "1MiB",
      leeches: 2,
      serverUpload: "1MiB/s",
      peerUpload: "512KiB/s",
    }).acts,
    [
      {
        act: "echo",
        pings: 3,
        intervalMs: 10,
        loss: 0,
        delayMs: 0,
        lines: ["a"],
      },
      {
        act: "distribution",
        fileBytes: 1_048_576,
        leeches: 2,
        serverBytesPerSecond: 1_048_576,
        peerBytesPerSecond: 524_288,
      },
    ],
  );
});

Deno.test("parseScenario names the field that is wrong", () => {
  for (
    const [acts, named] of [
      [[], "acts"],
      [[{ ...ECHO, pings: 0 }], "acts[0].pings"],
      [[{ ...ECHO, loss: 2 }], "acts[0].loss"],
      [[ECHO, { ...ECHO, interval: "soon" }], "acts[1].interval"],
      [[{ ...ECHO, lines: "a" }], "acts[0].lines"],
      [[{ ...ECHO, pngs: 3 }], "acts[0].pngs"],
      [[{ act: "magic" }], "acts[0].act"],
      [["echo"], "acts[0]"],
    ] as const
  ) {
    const error = assertThrows(() => parse(...acts));
    assertInstanceOf(error, SyntaxError);
    assertEquals(error.message.startsWith(`${named} `), true, error.message);
  }
  assertInstanceOf(assertThrows(() => parseScenario("{")), SyntaxError);
});

Deno.test("the scenarios that ship are right", async () => {
  const folder = new URL("../../../scenarios/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    parseScenario(await Deno.readTextFile(new URL(name, folder)));
  }
});
