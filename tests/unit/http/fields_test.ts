import { assertEquals } from "@std/assert";
import { endToEnd, Fields, splitList } from "../../../lib/http/fields.ts";

Deno.test("Fields joins lines of a field and keeps them apart when walked", () => {
  const fields = new Fields([["Vary", "A"], ["set-cookie", "a=1"]]);
  fields.append("vary", "B");
  fields.append("Set-Cookie", "b=2");
  assertEquals(fields.get("VARY"), "A, B");
  assertEquals([...fields], [
    ["vary", "A"],
    ["set-cookie", "a=1"],
    ["vary", "B"],
    ["set-cookie", "b=2"],
  ]);
  const copy = new Fields(fields);
  fields.set("vary", "C");
  fields.delete("Set-Cookie");
  assertEquals([...fields], [["vary", "C"]]);
  assertEquals(fields.get("set-cookie"), null);
  assertEquals(copy.get("set-cookie"), "a=1, b=2");
});

Deno.test("endToEnd drops hop-by-hop fields and those Connection names", () => {
  const kept = endToEnd(
    new Fields([
      ["Connection", "close, X-Hop"],
      ["X-Hop", "1"],
      ["Keep-Alive", "timeout=5"],
      ["Transfer-Encoding", "chunked"],
      ["Proxy-Authorization", "Basic eA=="],
      ["ETag", '"a"'],
    ]),
  );
  assertEquals([...kept], [["etag", '"a"']]);
});

Deno.test("splitList splits at commas outside quotes only", () => {
  const cases: readonly (readonly [string | null, readonly string[]])[] = [
    [null, []],
    ["", []],
    ["a", ["a"]],
    [" a ,, b ,", ["a", "b"]],
    ['a="x, y", b', ['a="x, y"', "b"]],
    ['a="x\\", y", b', ['a="x\\", y"', "b"]],
    ['a="open, b', ['a="open, b']],
    ['"\\', ['"\\']],
  ];
  for (const [value, expected] of cases) {
    assertEquals(splitList(value), [...expected], String(value));
  }
});
