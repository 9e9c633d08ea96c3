import { assertEquals, assertIsError, assertThrows } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import {
  textOfBytes,
  upperCase,
  upperCaseStrict,
} from "../../../lib/core/upper_case.ts";

Deno.test("upperCase maps every letter as Unicode says", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", ""],
    ["Hello, World 123", "HELLO, WORLD 123"],
    ["γειά", "ΓΕΙΆ"],
    ["όχι Ὀδυσσεύς", "ΌΧΙ ὈΔΥΣΣΕΎΣ"],
    ["straße", "STRASSE"],
    ["ﬃ", "FFI"],
    ["ıi", "II"],
    ["привет 🎉 日本", "ПРИВЕТ 🎉 日本"],
    ["a\r\nb\u0000", "A\r\nB\u0000"],
  ];
  for (const [text, expected] of cases) {
    assertEquals(fromUtf8(upperCase(utf8(text))), expected, text);
    assertEquals(upperCaseStrict(utf8(text)), upperCase(utf8(text)), text);
  }
});

Deno.test("upperCase keeps a byte order mark: it is a character like any other", () => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61]);
  assertEquals(upperCase(bytes), new Uint8Array([0xef, 0xbb, 0xbf, 0x41]));
  assertEquals(
    upperCaseStrict(bytes),
    new Uint8Array([0xef, 0xbb, 0xbf, 0x41]),
  );
  assertEquals(textOfBytes(bytes), "\ufeffa");
});

Deno.test("upperCase answers what is not UTF-8 with U+FFFD, upperCaseStrict not at all", () => {
  const bytes = new Uint8Array([0x61, 0xff, 0x62, 0xce]);
  assertEquals(fromUtf8(upperCase(bytes)), "A\ufffdB\ufffd");
  const error = assertThrows(() => upperCaseStrict(bytes));
  assertIsError(error, RunError);
  assertEquals(error.code, "invalid-utf8");
});

Deno.test("upperCase of pieces cut between characters is upperCase of the whole", () => {
  const text = "Ὀδυσσεύς straße ﬃ 🎉 ǆ";
  const characters = [...text];
  for (let cut = 0; cut <= characters.length; cut++) {
    const pieces = [characters.slice(0, cut), characters.slice(cut)]
      .map((part) => upperCase(utf8(part.join(""))));
    assertEquals(concat(...pieces), upperCase(utf8(text)), `cut at ${cut}`);
  }
});
