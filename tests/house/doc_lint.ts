// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Checks that every export of lib has a docstring and a declared type: `deno doc --lint`, without its findings about
 * members. Whether a member explains itself is judged by a reader (docs/house.md §9).
 */
import { ROOT, sourceFiles } from "../support/sources.ts";

const files = await sourceFiles("lib");
const { stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...files],
  cwd: ROOT,
  env: { NO_COLOR: "1" },
  stdout: "null",
}).output();
const text = new TextDecoder().decode(stderr);

/** Every finding: `error[code]: message`, then `--> file:line:column`. */
const FINDING_REGEXP = /error\[([a-z-]+)\]: (.+)\n\s*-->\s(.+):(\d+):\d+/g;

const sources = new Map<string, readonly string[]>();
let problems = 0;
for (const [, code, message, file, line] of text.matchAll(FINDING_REGEXP)) {
  if (code === "private-type-ref") continue;
  if (!sources.has(file!)) {
    sources.set(file!, (await Deno.readTextFile(file!)).split("\n"));
  }
  const declaration = sources.get(file!)![Number(line) - 1] ?? "";
  if (!declaration.startsWith("export ")) continue;
  problems += 1;
  console.error(
    `${
      file!.slice(file!.indexOf("/lib/") + 1)
    }:${line}: ${message}\n  ${declaration}`,
  );
}
if (!text.includes("Checked") && !FINDING_REGEXP.test(text)) {
  console.error(`deno doc --lint did not run:\n${text}`);
  problems += 1;
}
console.log(
  `${files.length} files of lib: ${problems} exports lack a docstring or a type`,
);
Deno.exit(problems === 0 ? 0 : 1);
