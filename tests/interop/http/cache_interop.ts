/**
 * The public HTTP cache tests (npm's `http-cache-tests`, in the folder `ROLECALL_NPM`) against our edge, which stands
 * before their server in its default configuration, scored as their site does: a pass counts only when all that the
 * test depends on has passed.
 */
import { assert } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { untilListening } from "../../support/eventually.ts";
import { startProgram, temporaryFolder } from "../../support/program.ts";
import { freePort } from "../../support/tools.ts";

/**
 * Fewest passes, to be raised and never lowered. Some of the tests are about seconds, so that a busy machine fails a
 * few: the floors are that much below what docs/protocols/http_caching.md tells of a quiet one.
 */
const FLOORS: Readonly<Record<string, number>> = { required: 142, optimal: 80 };
/** `Surrogate-Control` is no standard, and we do not speak it. */
const NOT_OURS = "surrogate";
const RUN_MS = 180_000;

/** A test as the suite has it, in its own spelling. */
interface CacheTest {
  readonly id: string;
  readonly kind?: string;
  readonly "browser_only"?: boolean;
  readonly "depends_on"?: readonly string[];
}

/** What the runner tells of each test: true, or what went wrong. */
type Results = Readonly<Record<string, true | readonly unknown[]>>;

/** The ids of what passed with all that it depends on. */
function passed(tests: readonly CacheTest[], results: Results): Set<string> {
  const byId = new Map(tests.map((test) => [test.id, test]));
  const holds = (id: string): boolean =>
    results[id] === true &&
    (byId.get(id)?.["depends_on"] ?? []).every(holds);
  return new Set(tests.map(({ id }) => id).filter(holds));
}

/** Starts the tests' own server. Disposing of it ends it. */
function startServer(suite: string, port: number, pidfile: string) {
  const child = new Deno.Command("node", {
    args: ["--no-warnings", join(suite, "server/server.mjs")],
    cwd: suite,
    env: {
      npm_config_protocol: "http",
      npm_config_port: String(port),
      npm_config_pidfile: pidfile,
    },
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Runs all tests through the edge at `port`. */
async function run(suite: string, port: number): Promise<Results> {
  const { stdout } = await new Deno.Command("node", {
    args: ["--no-warnings", join(suite, "cli.mjs")],
    cwd: suite,
    env: {
      npm_config_base: `http://127.0.0.1:${port}`,
      npm_config_id: "",
      npm_package_config_id: "",
    },
    stderr: "null",
    signal: AbortSignal.timeout(RUN_MS),
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** One edge against the floors. */
async function check(workers: string): Promise<void> {
  const npm = Deno.env.get("ROLECALL_NPM");
  assert(npm, "ROLECALL_NPM must name a folder with http-cache-tests");
  const suite = join(npm, "node_modules/http-cache-tests");
  const index = toFileUrl(join(suite, "tests/index.mjs")).href;
  const suites: readonly {
    readonly id: string;
    readonly tests: readonly CacheTest[];
  }[] = (await import(index)).default;
  const tests = suites.filter(({ id }) => !id.startsWith(NOT_OURS))
    .flatMap(({ tests }) => tests)
    .filter((test) => test["browser_only"] !== true);
  await using folder = await temporaryFolder();
  const port = freePort();
  await using _server = startServer(suite, port, join(folder.path, "pid"));
  await untilListening(port);
  await using edge = await startProgram([
    ...["edge", "--host", "127.0.0.1", "--port", "0"],
    ...["--origin", `http://127.0.0.1:${port}`, "--workers", workers],
  ]);
  const { port: edgePort } = await edge.until("role.listening");
  const results = await run(suite, edgePort);
  const good = passed(tests, results);
  for (const [kind, floor] of Object.entries(FLOORS)) {
    const all = tests.filter((test) => (test.kind ?? "required") === kind);
    const bad = all.filter(({ id }) => !good.has(id));
    const account = `${kind}: ${
      all.length - bad.length
    } of ${all.length}; not ${bad.map(({ id }) => id).join(", ")}`;
    assert(all.length - bad.length >= floor, account);
  }
}

Deno.test("edge in one thread and in three passes the public HTTP cache tests, at least as many as the floors say", async () => {
  // They mostly wait.
  await Promise.all(["1", "3"].map(check));
});
