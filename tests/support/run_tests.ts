/**
 * Runs `deno test` (all that needs nothing but Deno, or the files given), runs what failed a second time, alone, and ends
 * with a line `N passed, N failed`. Before it each test that failed has a line of its own, with its error below, indented:
 * `FAILED: <file> => <test>`, or, when it passed alone, `FLAKY: <file> => <test>: failed at first, …`.
 *
 * Why a second run: tests of programs meet a machine that others load too, and the gate has thousands of them; one that is
 * lost in ten thousand runs would stop a change that has nothing to do with it. It is told loudly because it is a defect
 * all the same. Tests that run together in one isolate start no program and read no clock: they get no second run.
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
/** More failures than this in one run are no bad luck, and each second run takes its time. */
const MAX_AGAIN = 8;
/** An error is told up to here; the log has the rest. */
const MAX_ERROR_LINES = 30;

/** A test that failed, or what a file threw outside of its tests (`test` is then undefined). */
interface Failure {
  readonly file: string;
  readonly test: string | undefined;
  error: string;
}

type Result = "passed" | "failed" | "skipped" | "cancelled";

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly code: number;
  readonly failures: readonly Failure[];
  /** The tests of each file; those that did not run because of what it threw outside of them are `cancelled`. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, Result>>;
}

async function say(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await Deno.stdout.write(bytes.subarray(at));
  }
}

function unescaped(xml: string): string {
  return xml.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

/** What a JUnit report says of each test. A step is none: it has its test's name before its own, and comes after it. */
function filesIn(report: string): Outcome["files"] {
  const files = new Map<string, Map<string, Result>>();
  for (
    const [, escaped = "", file = "", element] of report.matchAll(
      /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<(failure|error|skipped)?/g,
    )
  ) {
    const tests = files.get(file) ?? new Map<string, Result>();
    files.set(file, tests);
    const name = unescaped(escaped);
    const parts = name.split(" > ");
    if (parts.some((_, i) => tests.has(parts.slice(0, i).join(" > ")))) {
      continue;
    }
    tests.set(
      name,
      element === undefined
        ? "passed"
        : element === "failure"
        ? "failed"
        : element === "error"
        ? "cancelled"
        : "skipped",
    );
  }
  return files;
}

/**
 * The failures that `deno test` lists at its end, each `<test> ... <step> => <file>:<line>:<column>` or
 * `<file> (uncaught error)`, with the errors that it tells before, in the same order and under the same heads. Read from
 * the end: an error may hold anything, also what another `deno test` said. Failed steps of one test are one failure.
 */
function failuresIn(output: string, files: Outcome["files"]): Failure[] {
  const listAt = output.lastIndexOf("\n FAILURES \n");
  if (listAt < 0) return [];
  const failures = new Map<string, Failure>();
  let end = listAt;
  for (const head of output.slice(listAt).split("\n").toReversed()) {
    const [, whole, within, place] =
      /^(\S+) \(uncaught error\)$|^.* => (\S+)(:\d+:\d+)$/.exec(head) ?? [];
    const file = whole ?? within;
    if (file === undefined) continue;
    const at = output.lastIndexOf(`\n${head}\nerror: `, end);
    const error = at < 0 ? "" : output.slice(at + head.length + 2, end).trim();
    if (at >= 0) end = at;
    const said = head.slice(0, -` => ${file}${place}`.length);
    const test = place === undefined ? undefined : [
      ...files.get(file)?.keys() ?? [],
    ].find((name) => said === name || said.startsWith(`${name} ... `)) ?? said;
    const same = failures.get(`${file} ${test}`);
    if (same === undefined) {
      failures.set(`${file} ${test}`, { file, test, error });
    } else same.error = `${error}\n${same.error}`;
  }
  return [...failures.values()].reverse();
}

async function run(args: readonly string[]): Promise<Outcome> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", `--junit-path=${report}`, ...args],
    cwd: root,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    await Deno.stdout.write(bytes);
    output += decoder.decode(bytes, { stream: true });
  }
  const { code } = await child.status;
  const files = filesIn(await Deno.readTextFile(report));
  await Deno.remove(report);
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const counts = [
    ...plain.slice(-4000).matchAll(
      /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm,
    ),
  ].at(-1);
  if (counts === undefined) {
    const end = plain.split("\n").slice(-MAX_ERROR_LINES).join("\n");
    await told(`FAILED: ${args.join(" ")}: ended without its counts`, end);
    return { passed: 0, failed: 1, code: code || 1, failures: [], files };
  }
  return {
    passed: Number(counts[1]),
    failed: Number(counts[2]),
    code,
    failures: failuresIn(plain, files),
    files,
  };
}

function named({ file, test }: Failure): string {
  return `${file} => ${test ?? "(uncaught error)"}`;
}

/** One line, and the error below, indented: `.ci/run` finds both. */
function told(line: string, error: string): Promise<void> {
  const lines = error.split("\n");
  if (lines.length > MAX_ERROR_LINES) {
    lines.splice(MAX_ERROR_LINES, Infinity, "…");
  }
  return say(`${line}\n${lines.map((each) => `    ${each}\n`).join("")}`);
}

/** Runs alone what failed: the one test, or, for what came from outside of the tests, the file. */
async function passesAlone(
  { file, test }: Failure,
  flags: readonly string[],
): Promise<Outcome | undefined> {
  const exactly = test?.replace(/[\\.+*?()|[\]{}^$#&~-]/g, "\\$&");
  const second = await run([
    ...flags.filter((flag) => !/^--(parallel|filter=.*)$/.test(flag)),
    ...(exactly === undefined ? [] : [`--filter=/^${exactly}$/`]),
    file,
  ]);
  const { passed, failed, code } = second;
  return code === 0 && passed > 0 && failed === 0 ? second : undefined;
}

/** The outcome after a second run of what failed in the first one. */
async function secondRun(
  first: Outcome,
  flags: readonly string[],
): Promise<Outcome> {
  const whole = new Set(
    first.failures.filter(({ test }) => test === undefined)
      .map(({ file }) => file),
  );
  let { passed, failed } = first;
  const failures: Failure[] = [];
  for (const failure of first.failures) {
    const { file, test } = failure;
    // What else failed in a file that runs again as a whole is in that run.
    if (test !== undefined && whole.has(file)) continue;
    await say(`\nrunning again, alone: ${named(failure)}\n`);
    const second = await passesAlone(failure, flags);
    if (second === undefined) {
      failures.push(failure);
      continue;
    }
    await told(
      `FLAKY: ${named(failure)}: failed at first, passed when run again alone`,
      failure.error,
    );
    const results = [...first.files.get(file)?.values() ?? []];
    const before = (of: Result) => results.filter((is) => is === of).length;
    if (test !== undefined) {
      passed += 1;
      failed -= 1;
    } else {
      passed += second.passed - before("passed");
      failed -= 1 + before("failed") + before("cancelled");
    }
  }
  return { ...first, passed, failed, failures, code: failed === 0 ? 0 : 1 };
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

const total = { passed: 0, failed: 0, code: 0 };
for (const args of runs) {
  let outcome = await run(args);
  if (!args.includes("--") && outcome.failures.length <= MAX_AGAIN) {
    outcome = await secondRun(outcome, flags);
  }
  for (const failure of outcome.failures) {
    await told(`FAILED: ${named(failure)}`, failure.error);
  }
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.code ||= outcome.code;
}
await say(`${total.passed} passed, ${total.failed} failed\n`);
Deno.exit(total.code);
