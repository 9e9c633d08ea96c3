// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures what `rolecall --version` costs beside a compiled program of one line; the goal is 1.3 times as much at most.
 *
 *     ROLECALL_BIN=dist/rolecall DENORT_BIN=… deno run -A bench/start_up.ts [RUNS]
 *
 * Runs alternate, so that a busy moment of the machine meets both; the medians are compared.
 */
import { join, resolve } from "@std/path";

const runs = Number(Deno.args[0] ?? 40);
const rolecall = resolve(Deno.env.get("ROLECALL_BIN") ?? "dist/rolecall");
const folder = await Deno.makeTempDir({ prefix: "rolecall-start-up-" });
const hello = join(folder, "hello");

async function compileHello(): Promise<void> {
  await Deno.writeTextFile(`${hello}.ts`, 'console.log("hello");\n');
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--no-check",
      "--no-code-cache",
      "-o",
      hello,
      `${hello}.ts`,
    ],
    cwd: folder,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function timeMs(command: string, ...args: string[]): Promise<number> {
  const from = performance.now();
  const { success } = await new Deno.Command(command, {
    args,
    clearEnv: true,
    cwd: folder,
  }).output();
  if (!success) throw new Error(`${command} failed`);
  return performance.now() - from;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

try {
  await compileHello();
  const times: { readonly hello: number[]; readonly rolecall: number[] } = {
    hello: [],
    rolecall: [],
  };
  for (let run = -3; run < runs; run += 1) {
    const pair = [await timeMs(hello), await timeMs(rolecall, "--version")];
    // The first ones fill the disk cache.
    if (run < 0) continue;
    times.hello.push(pair[0]!);
    times.rolecall.push(pair[1]!);
  }
  const [base, ours] = [median(times.hello), median(times.rolecall)];
  console.log(
    `median of ${runs}: hello ${base.toFixed(1)} ms, rolecall --version ${
      ours.toFixed(1)
    } ms, ratio ${(ours / base).toFixed(2)} (goal 1.3)`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}
