import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseScenario } from "../../../../roles/demo/scenario/scenario.ts";
import { SCENARIOS } from "../../../../roles/demo/scenario/scenarios.ts";

const ECHO = {
  act: "echo",
  pings: 3,
  interval: "10ms",
  loss: 0,
  delay: "0",
  lines: ["a"],
};

const DNS = {
  ...{ act: "dns", domain: "video.site.example", resolvers: 1, clients: 1 },
  ...{ cdnDomain: "video.cdn.example", ttlSeconds: 2, healthInterval: "1s" },
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
        leeches: [2],
        pieceBytes: 262_144,
        serverBytesPerSecond: 1_048_576,
        peerBytesPerSecond: 524_288,
        simulated: { leeches: [2], pieces: 64, introductions: 10 },
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
      [[{ ...DNS, domain: "site.example" }], "acts[0].domain"],
      [[{ ...DNS, cdnDomain: "a.site.example" }], "acts[0].cdnDomain"],
      [[{ ...DNS, ttlSeconds: [2, 1] }], "acts[0].ttlSeconds"],
      [[{ ...DNS, ttlSeconds: [1, 2, 3, 4, 5] }], "acts[0].ttlSeconds"],
      [[{ ...DNS, healthInterval: "499ms" }], "acts[0].healthInterval"],
    ] as const
  ) {
    const error = assertThrows(() => parse(...acts));
    assertInstanceOf(error, SyntaxError);
    assertEquals(
      error.message.startsWith(`line 1: ${named} `),
      true,
      error.message,
    );
  }
  assertInstanceOf(assertThrows(() => parseScenario("{")), SyntaxError);
});

Deno.test("parseScenario says on which line it is, and what was meant", () => {
  const text = `{
  "title": "T",
  "acts": [
    { "act": "echo", "pings": 3, "interval": "10ms",
      "loss": 0,
      "dealy": "0", "lines": ["a"] }
  ]
}`;
  for (
    const [from, to, message] of [
      ["dealy", "delay", null],
      ["", "", "line 4: acts[0].delay must be a text, got nothing"],
      [
        '"delay"',
        '"delay": "0", "dealy"',
        'line 6: acts[0].dealy is unknown; did you mean "delay"?',
      ],
      [
        '"loss": 0',
        '"loss": 7',
        "line 5: acts[0].loss must be a number from 0 to 1, got 7",
      ],
      ['"loss": 0,', '"loss": 0', 'line 6: must be "," or "}", got "dealy"'],
      [
        '"echo"',
        '"ecko"',
        'line 4: acts[0].act must be "echo", …, got "ecko"',
      ],
    ] as const
  ) {
    const changed = text.replace(from === '"delay"' ? '"dealy"' : from, to);
    if (message === null) {
      assertEquals(parseScenario(changed).title, "T");
      continue;
    }
    const error = assertThrows(() => parseScenario(changed));
    assertInstanceOf(error, SyntaxError);
    // which acts there are besides, and in which order, is not the matter
    const told = error.message.replace(/(?<="echo"), .*(?=, got)/, ", …");
    assertEquals(told, message);
  }
});

Deno.test("the scenarios that ship are right", async () => {
  const folder = new URL("../../../../scenarios/", import.meta.url);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    parseScenario(await Deno.readTextFile(new URL(name, folder)));
    names.push(name.replace(".json", ""));
  }
  assertEquals(names.sort(), Object.keys(SCENARIOS).sort());
});
