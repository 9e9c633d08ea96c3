import { assertEquals } from "@std/assert";
import { parseDictionary } from "../../../lib/http/structured_fields.ts";

Deno.test("parseDictionary reads RFC 9651 §3.2 and nothing else", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["", []],
    ["max-age=60", [["max-age", 60]]],
    ["a, b=?0 ,\tc=?1", [["a", true], ["b", false], ["c", true]]],
    ["a=1, b=2, a=3", [["b", 2], ["a", 3]]],
    ['a="x\\"y", b=tok/en:*', [["a", 'x"y'], ["b", { token: "tok/en:*" }]]],
    ["a=-1.5;p;q=1;r=x, b", [["a", -1.5], ["b", true]]],
    ['a=("x" 2 t);p, b', [["a", ["x", 2, { token: "t" }]], ["b", true]]],
    ["a=(), b=:aGk=:", [["a", []], ["b", { token: ":aGk=:" }]]],
    ["a=999999999999999", [["a", 999_999_999_999_999]]],
    // What no reader may repair.
    ["a=1000000000000000", undefined],
    ["a=1.2345", undefined],
    ["a=1.", undefined],
    ["MaX-aGe=60", undefined],
    ["a =1", undefined],
    ["a= 1", undefined],
    ["a=1,", undefined],
    ["a=1 b=2", undefined],
    ["a=1, &&&&&", undefined],
    ['a="x', undefined],
    ['a="\u00e9"', undefined],
    ["a=(1 2", undefined],
    ["a=(1,2)", undefined],
    ["a=?2", undefined],
    ["a=", undefined],
    ["a;=1", undefined],
  ];
  for (const [text, expected] of cases) {
    const members = parseDictionary(text);
    assertEquals(members && [...members] as unknown, expected, text);
  }
});
