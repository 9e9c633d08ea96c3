import { assertEquals } from "@std/assert";
import {
  formatRequestPath,
  parseRequestPath,
} from "../../../lib/http/request_path.ts";

Deno.test("parseRequestPath decodes names once and notices a final slash", () => {
  const cases: readonly [target: string, names: string[], folder: boolean][] = [
    ["/", [], true],
    ["/?x=/../y", [], true],
    ["/a", ["a"], false],
    ["/a/b/", ["a", "b"], true],
    ["/a%20b/%C3%A9.mpd?q#f", ["a b", "é.mpd"], false],
    ["/%252e%252e", ["%2e%2e"], false],
    ["/...", ["..."], false],
    ["/a:b", ["a:b"], false],
  ];
  for (const [target, names, folder] of cases) {
    assertEquals(parseRequestPath(target), { names, folder }, target);
  }
});

Deno.test("parseRequestPath refuses what would leave the folder or is malformed", () => {
  for (
    const target of [
      "",
      "*",
      "a",
      "http://host/a",
      "//",
      "//etc/passwd",
      "/a//b",
      "/..",
      "/../a",
      "/a/../b",
      "/a/..",
      "/.",
      "/./a",
      "/%2e%2e/a",
      "/%2E./a",
      "/a%2f..%2fb",
      "/a%2Fb",
      "/a%5cb",
      "/a\\b",
      "/a%00b",
      "/%",
      "/%zz",
      "/%ff",
    ]
  ) assertEquals(parseRequestPath(target), null, target);
});

Deno.test("formatRequestPath writes what parseRequestPath reads", () => {
  for (const target of ["/", "/a", "/a/b/", "/a%20b/%C3%A9.mpd", "/%252e"]) {
    assertEquals(formatRequestPath(parseRequestPath(target)!), target);
  }
});
