/** The grading tests tell a good program from a bad one. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { runTool } from "../support/program.ts";
import { freePort, startTool } from "../support/tools.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
/** Longest time for a lesson's tests, of a program that fails them. */
const LESSON_MS = 150_000;

/** Runs a lesson's tests on a target; returns the names of those that failed. */
async function grade(
  lesson: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { stdout, stderr } = await runTool(Deno.execPath(), [
    ...["test", "-A", "--no-check", `tests/grading/${lesson}_test.ts`],
  ], { cwd: ROOT, env: { ...env, NO_COLOR: "1" }, timeoutMs: LESSON_MS });
  const results = [...stdout.matchAll(/^(.+) \.\.\. (ok|FAILED)/gm)];
  if (results.length === 0) throw new Error(stdout + stderr);
  return results.filter(([, , result]) => result === "FAILED")
    .map(([, name]) => name!);
}

function python(file: string, port: number): AsyncDisposable {
  const path = new URL(`../testdata/python/${file}`, import.meta.url);
  return startTool([
    ...["/usr/bin/python3", fromFileUrl(path), "127.0.0.1", `${port}`],
  ]);
}

Deno.test("grading 01: the lecture's own servers have all points but those beyond the slides", async () => {
  const port = freePort();
  await using _udp = python("udp_server.py", port);
  await using _tcp = python("tcp_server.py", port);
  await new Promise((wake) => setTimeout(wake, 1000));
  const failed = await grade("01_sockets", {
    ROLECALL_TARGET: `127.0.0.1:${port}`,
  });
  assertEquals(failed.toSorted(), [
    "tcp: a letter that comes in two pieces is one letter (extra)",
    "tcp: several lines in one connection, each answered (extra)",
    "tcp: two clients are served at once: one that waits does not hold up the other (extra)",
    "udp: bytes that are no text do not end the server (extra)",
  ]);
});
