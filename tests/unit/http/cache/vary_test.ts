import { assertEquals, assertNotEquals } from "@std/assert";
import { variantKey, varyNames } from "../../../../lib/http/cache/vary.ts";
import { Fields } from "../../../../lib/http/fields.ts";

Deno.test("varyNames sorts, lowers and finds the star", () => {
  assertEquals(varyNames(null), []);
  assertEquals(varyNames("B, a,,A"), ["a", "b"]);
  assertEquals(varyNames("a, *"), null);
});

Deno.test("variantKey is the same for requests that mean the same, and only for those", () => {
  const key = (name: string, value: string | undefined) =>
    variantKey(
      [name],
      new Fields(value === undefined ? [] : [[name, value]]),
    );
  const same: readonly (readonly [string, string, string])[] = [
    ["foo", "1,2", "1 , 2"],
    ["accept-language", "en, de", "DE,en"],
    ["accept-language", "en;q=0.5, de", "de, en; q=0.5"],
  ];
  const different: readonly (readonly [
    string,
    string | undefined,
    string | undefined,
  ])[] = [
    ["foo", "1", "2"],
    ["foo", "a", "A"],
    ["foo", "1,2", "2,1"],
    ["foo", undefined, ""],
    ["accept-language", "en;q=0.5, de", "en, de;q=0.5"],
  ];
  for (const [name, a, b] of same) assertEquals(key(name, a), key(name, b));
  for (const [name, a, b] of different) {
    assertNotEquals(key(name, a), key(name, b), `${name} ${a} ${b}`);
  }
});

Deno.test("variantKey cannot be forged by a value that looks like another field", () => {
  const names = ["a", "b"];
  const one = new Fields([["a", "1\nb:=2"]]);
  const two = new Fields([["a", "1"], ["b", "2"]]);
  assertNotEquals(variantKey(names, one), variantKey(names, two));
});
