/**
 * Runs `deno test` (all that needs nothing but Deno, or the files given) and ends with a line `N passed, N failed`.
 * The exit code is that of `deno test`.
 */
import { fromFileUrl } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url).href);

/** Folders whose tests share nothing and start nothing: they run in one isolate (see together.ts). */
const TOGETHER = ["tests/unit", "tests/suites", "tests/sim", "tests/house"];
/**
 * Tests that mostly wait for the programs they start, each on ports and addresses of its own: as many files at a time as
 * there are processors. Those of tests/interop and tests/system measure, or have a network to themselves.
 */
const BESIDE = "tests/integration";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly code: number;
}

async function run(args: readonly string[]): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
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
  if (counts === null) return { passed: 0, failed: 1, code: code || 1 };
  return { passed: Number(counts[1]), failed: Number(counts[2]), code };
}

const flags = Deno.args.filter((arg) => arg.startsWith("-"));
const given = Deno.args.filter((arg) => !arg.startsWith("-"));
const wanted = given.length === 0 ? [...TOGETHER, BESIDE] : given;
const folders = wanted.filter((path) => TOGETHER.includes(path));
const beside = wanted.filter((path) => path === BESIDE);
const others = wanted.filter((path) =>
  path !== BESIDE && !TOGETHER.includes(path)
);
const runs = [
  ...(folders.length === 0
    ? []
    : [[...flags, "tests/support/together.ts", "--", ...folders]]),
  ...(beside.length === 0 ? [] : [["--parallel", ...flags, ...beside]]),
  ...(others.length === 0 ? [] : [[...flags, ...others]]),
];

let total: Counts = { passed: 0, failed: 0, code: 0 };
for (const args of runs) {
  const { passed, failed, code } = await run(args);
  total = {
    passed: total.passed + passed,
    failed: total.failed + failed,
    code: total.code || code,
  };
}
await Deno.stdout.write(
  new TextEncoder().encode(
    `${total.passed} passed, ${total.failed} failed\n`,
  ),
);
Deno.exit(total.code);
