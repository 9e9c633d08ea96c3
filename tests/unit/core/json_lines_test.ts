import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseJsonLines, plainValue } from "../../../lib/core/json_lines.ts";
import { seededRng } from "../../../lib/core/rng.ts";

Deno.test("parseJsonLines reads what JSON.parse reads", () => {
  for (
    const value of [
      null,
      true,
      -1.5e-7,
      "",
      'a "quoted" \\ word, with {all} [the]: signs\n\u{1f600}',
      [],
      {},
      [[], [1, [2]], { a: { b: [null] } }],
      { title: "T", acts: [{ act: "echo", loss: 0.3, lines: ["x", "y"] }] },
    ]
  ) {
    for (const indent of [0, 2]) {
      const text = JSON.stringify(value, null, indent);
      assertEquals(plainValue(parseJsonLines(text)), value);
    }
  }
});

Deno.test("parseJsonLines says on which line the text is wrong", () => {
  for (
    const [text, message] of [
      ["", "line 1: must be a value, got the end"],
      ["{\n", "line 2: must be a name, got the end"],
      ['{\n"a": 1\n"b": 2}', 'line 3: must be "," or "}", got "b"'],
      ['{"a": 1,\n}', "line 2: must be a name, got }"],
      ["[1,\n\n2,]", "line 3: must be a value, got ]"],
      ['{"a"\n:\nfast}', "line 3: must be a value, got fast"],
      ['{"a": "open\n}', 'line 1: must be a value, got "open'],
      ['{"a": 1,\n"a": 2}', 'line 2: "a" stands twice'],
      ["{} {}", "line 1: must be the end, got {"],
      ["{'a': 1}", "line 1: must be a name, got 'a'"],
    ] as const
  ) {
    const error = assertThrows(() => parseJsonLines(text));
    assertInstanceOf(error, SyntaxError);
    assertEquals(error.message, message);
  }
  assertThrows(() => parseJsonLines("[".repeat(10_000)), SyntaxError);
});

Deno.test("parseJsonLines throws nothing but SyntaxError, and only where JSON.parse does (seed 6)", () => {
  const rng = seededRng(6);
  const base =
    '{"title": "T", "acts": [{"a": 1.5, "b": [true, null, "x\\n"]}]}';
  for (let run = 0; run < 2_000; run++) {
    const signs = [...base];
    for (let change = 0; change < 3; change++) {
      const at = Math.floor(rng() * signs.length);
      signs[at] = '{}[]:,"\\ 1a\n'[Math.floor(rng() * 12)]!;
    }
    const text = signs.join("");
    const ours = outcome(() => plainValue(parseJsonLines(text)));
    const theirs = outcome(() => JSON.parse(text));
    if (ours instanceof Error) assertInstanceOf(ours, SyntaxError);
    // A name that stands twice is all that we refuse beside.
    if (!(ours instanceof Error && /stands twice/.test(ours.message))) {
      assertEquals(ours instanceof Error, theirs instanceof Error, text);
      if (!(ours instanceof Error)) assertEquals(ours, theirs);
    }
  }
});

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
