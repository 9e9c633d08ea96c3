import { assertEquals } from "@std/assert";
import {
  basename,
  extname,
  fromFileUrl,
  join,
  SEPARATOR,
  toFileUrl,
} from "@std/path";
import * as posix from "@std/path/posix";

Deno.test("join and its kin follow the rules of this system", () => {
  const path = join("a", "b", "..", "c.torrent");
  assertEquals(path, `a${SEPARATOR}c.torrent`);
  assertEquals([basename(path), extname(path)], ["c.torrent", ".torrent"]);
});

Deno.test("fromFileUrl undoes toFileUrl when names have spaces and hashes", () => {
  const path = join(import.meta.dirname!, "a b#c.txt");
  assertEquals(fromFileUrl(toFileUrl(path)), path);
});

Deno.test("posix functions know slashes only", () => {
  assertEquals(posix.normalize("/a/./b//../c"), "/a/c");
  assertEquals(posix.basename("a\\b/c"), "c");
  assertEquals(posix.relative("/a/b", "/a/c/d"), "../c/d");
});
