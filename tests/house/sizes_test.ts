import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { VERSION } from "../../lib/version.ts";
import { ROOT, sourceFiles } from "../support/sources.ts";

/** The longest a file may be, in lines; the first pattern that fits counts (docs/house.md §9). */
const BUDGETS: readonly { readonly files: RegExp; readonly lines: number }[] = [
  { files: /^main\.ts$/, lines: 120 },
  { files: /^roles\/[^/]+\/mod\.ts$/, lines: 80 },
  { files: /^std\//, lines: 120 },
  { files: /./, lines: 400 },
];

const FILES = [
  "main.ts",
  ...await sourceFiles("lib", "roles", "std", "tests", ".ci"),
];

Deno.test("files are no longer than their budget", async () => {
  const tooLong: string[] = [];
  for (const file of FILES) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const lines = text.split("\n").length - 1;
    const budget = BUDGETS.find(({ files }) => files.test(file))!.lines;
    if (lines > budget) tooLong.push(`${file}: ${lines} lines, not ${budget}`);
  }
  assertEquals(tooLong, []);
});

Deno.test("file and folder names are snake_case", () => {
  const odd = FILES.filter((file) =>
    !/^(\.ci\/)?([a-z0-9_]+\/)*[a-z0-9_]+(\.d)?\.tsx?$/.test(file)
  );
  assertEquals(odd, []);
});

Deno.test("files have names of themes, not of kinds", () => {
  const vague = FILES.filter((file) =>
    /\/(utils?|helpers?|types|misc|common_?utils)\.ts$/.test(file)
  );
  assertEquals(vague, []);
});

Deno.test("lib/version.ts and deno.json name the same version", () => {
  assertEquals(VERSION, config.version);
});
