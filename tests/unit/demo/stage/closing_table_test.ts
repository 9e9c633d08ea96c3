import { assert, assertEquals } from "@std/assert";
import { closingTable } from "../../../../roles/demo/stage/closing_table.ts";

const CHECKS = [
  { act: "echo", check: "all came back", held: true, measured: "4 of 4 lines" },
  { act: "cdn", check: "nothing twice", held: false, measured: "9 fetches" },
];

Deno.test("closingTable puts a check and its measurement on one line where that fits", () => {
  assertEquals(closingTable(CHECKS, 1500, 120).split("\n").slice(1, 3), [
    "✓ echo         all came back  4 of 4 lines",
    "✗ cdn          nothing twice  9 fetches",
  ]);
});

Deno.test("closingTable breaks its lines itself on a narrow terminal", () => {
  const lines = closingTable(CHECKS, 1500, 35).split("\n");
  assertEquals(lines.slice(1, 5), [
    "✓ echo         all came back",
    "                 4 of 4 lines",
    "✗ cdn          nothing twice",
    "                 9 fetches",
  ]);
  assert(lines.every((line) => line.length <= 35));
});
