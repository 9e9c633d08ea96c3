import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";

/** Where the Python programs are. */
export const PROGRAMS = fromFileUrl(
  new URL("../testdata/python/", import.meta.url),
);
/** What they need to speak UTF-8 whatever this machine's language is. */
export const UTF8 = { PYTHONUTF8: "1" };

/** Starts one of the lecture's servers, on a free port unless one is given, and waits until it listens; disposing of it ends it. */
export async function startPython(script: string, host: string, port = 0) {
  const child = new Deno.Command("python3", {
    args: [PROGRAMS + script, host, `${port}`],
    env: UTF8,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    assert(!done, `${script} ended before it was ready`);
    said += new TextDecoder().decode(value);
  }
  return {
    port: Number(/^ready (\d+)/.exec(said)?.[1]),
    exited: child.status,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* It has ended by itself. */ }
      await reader.cancel();
      await child.status;
    },
  };
}
