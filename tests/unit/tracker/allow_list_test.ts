import { assertEquals, assertThrows } from "@std/assert";
import { parseAllowList } from "../../../roles/tracker/allow_list.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";

Deno.test("parseAllowList reads hashes and names, and skips comments and empty lines", () => {
  const text = `# lab 3\n\n${HASH.toUpperCase()}  Big Buck Bunny \r\n${
    "f".repeat(40)
  }\n`;
  assertEquals(
    [...parseAllowList(text)],
    [[HASH, "Big Buck Bunny"], ["f".repeat(40), ""]],
  );
  assertEquals(parseAllowList("").size, 0);
});

Deno.test("parseAllowList refuses lines without an info-hash", () => {
  const bad = ["x", HASH.slice(1), `${HASH}0`, `name ${HASH}`, `${HASH}:name`];
  for (const text of bad) {
    assertThrows(() => parseAllowList(text), SyntaxError);
  }
});
