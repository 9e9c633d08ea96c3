import { fromFileUrl } from "@std/path";
import { runTool } from "./program.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
/** Longest time for a lesson's tests, of a program that fails them. */
const LESSON_MS = 300_000;

/** Runs the tests of a lesson on a target; returns the names of those that failed, sorted. */
export async function failuresOf(
  lesson: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { stdout, stderr } = await runTool(Deno.execPath(), [
    ...["test", "-A", "--no-check", `tests/grading/${lesson}_test.ts`],
  ], { cwd: ROOT, env: { ...env, NO_COLOR: "1" }, timeoutMs: LESSON_MS });
  const results = [...stdout.matchAll(/^(.+) \.\.\. (ok|FAILED)/gm)];
  if (results.length === 0) throw new Error(stdout + stderr);
  return results.filter(([, , result]) => result === "FAILED")
    .map(([, name]) => name!).toSorted();
}
