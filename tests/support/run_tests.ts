/**
 * Runs `deno test` (all that needs nothing but Deno, or the files given) and ends with a line `N passed, N failed`.
 * The exit code is that of `deno test`.
 */
import { fromFileUrl } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url).href);

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", ...Deno.args],
  cwd: root,
  stdout: "piped",
  stderr: "inherit",
}).spawn();

let tail = "";
const decoder = new TextDecoder();
for await (const bytes of child.stdout) {
  await Deno.stdout.write(bytes);
  tail = (tail + decoder.decode(bytes, { stream: true })).slice(-4000);
}
const { code } = await child.status;
// deno-lint-ignore no-control-regex
const plain = tail.replace(/\x1b\[[0-9;]*m/g, "");
const counts = /(\d+) passed(?: \([^)]*\))? \| (\d+) failed/.exec(plain);
const passed = Number(counts?.[1] ?? 0);
const failed = Number(counts?.[2] ?? 0) + (counts === null ? 1 : 0);
await Deno.stdout.write(
  new TextEncoder().encode(`${passed} passed, ${failed} failed\n`),
);
Deno.exit(code !== 0 || counts === null ? code || 1 : 0);
