import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  formatEntityTag,
  parseEntityTag,
  parseEntityTags,
  sameStrongly,
  sameWeakly,
} from "../../../lib/http/validators.ts";

Deno.test("parseEntityTags reads lists with commas inside tags and skips what is no tag", () => {
  assertEquals(parseEntityTags(" * "), "*");
  assertEquals(parseEntityTags(`"a,b", W/"c", d, ""`), [
    { weak: false, opaque: "a,b" },
    { weak: true, opaque: "c" },
    { weak: false, opaque: "" },
  ]);
  assertEquals(parseEntityTag("abc"), null);
  assertEquals(parseEntityTag('w/"abc"'), null);
  assertEquals(formatEntityTag(parseEntityTag('W/"abc"')!), 'W/"abc"');
});

Deno.test("entity tags compare as in the table of RFC 9110 section 8.8.3.2", () => {
  const tag = (text: string) => parseEntityTag(text)!;
  const table = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
  ] as const;
  for (const [a, b, strong, weak] of table) {
    assertEquals(sameStrongly(tag(a), tag(b)), strong);
    assertEquals(sameWeakly(tag(a), tag(b)), weak);
  }
  assert(sameWeakly(tag('""'), tag('""')));
  assertFalse(sameStrongly(tag('"a"'), tag('"A"')));
});
