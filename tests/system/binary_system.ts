/**
 * The compiled binary alone: an empty folder, an empty environment, no Deno. Needs ROLECALL_BIN, and the runtime it was
 * compiled with in DENORT_BIN or .cache/denort.
 */
import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { isAbsolute, resolve } from "@std/path";
import dashJs from "dashjs" with { type: "text" };
import { VERSION } from "../../lib/version.ts";
import { ROLES } from "../../roles/mod.ts";
import { ROOT } from "../support/sources.ts";
import {
  type Finished,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

/** What the program may add to the bare runtime. */
const MOST_OWN_BYTES = 3_000_000;

function binary(): string {
  const path = Deno.env.get("ROLECALL_BIN");
  assert(path, "ROLECALL_BIN must name the compiled binary");
  return isAbsolute(path) ? path : resolve(path);
}

/** The command that runs the binary with no environment at all. */
function bare(): readonly [string, ...string[]] {
  return ["env", "-i", binary()];
}

function run(cwd: string, ...args: readonly string[]): Promise<Finished> {
  const [command, ...first] = bare();
  return runTool(command, [...first, ...args], { cwd });
}

async function names(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}

Deno.test("the binary says what it is, with nothing around it, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await run(folder.path, "--version");
  assertEquals([code, stderr], [0, ""]);
  assert(stdout.startsWith(`rolecall ${VERSION} (`));
  assertMatch(stdout, /\(git [0-9a-f]{7,}(-dirty)?, Deno \d+\.\d+\.\d+\)\n$/);
  assertEquals(await names(folder.path), []);
});

Deno.test("the binary has every role in it", async () => {
  await using folder = await temporaryFolder();
  for (const { name, summary } of ROLES) {
    const { code, stdout } = await run(folder.path, name, "--help");
    assertEquals(code, 0, name);
    assertStringIncludes(stdout, summary);
  }
  assertEquals(await names(folder.path), []);
});

Deno.test("the binary has what npm packages it loads late in it: pages, charts", async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  await using server = await startProgram(
    [
      "udp-echo",
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--admin",
      "127.0.0.1:0",
    ],
    { command: bare(), cwd },
  );
  const udp = await server.until("role.listening");
  const admin = await server.until("admin.listening");
  const answer = await fetch(`http://127.0.0.1:${admin.port}/healthz`);
  assertEquals([answer.status, (await answer.text()).trim()], [200, "ok"]);
  const to = `127.0.0.1:${udp.port}`;
  const ping = await run(
    cwd,
    ...["udp-echo", "--connect", to, "--count", "3"],
    ...["--interval", "10ms", "--out", "pings", "--json"],
  );
  assertEquals(ping.code, 0, ping.stderr);
  assertEquals(typeof JSON.parse(ping.stdout), "object");
  const written = await names(`${cwd}/pings`);
  assert(written.includes("report.html"), written.join());
  assert(written.some((name) => name.endsWith(".svg")), written.join());
  assertEquals((await server.stop()).code, 0);
});

Deno.test("the binary has dash.js in it as npm has it", async () => {
  await using folder = await temporaryFolder();
  await using origin = await startProgram(
    ["origin", "--host", "127.0.0.1", "--port", "0"],
    { command: bare(), cwd: folder.path },
  );
  const { port } = await origin.until("role.listening");
  const answer = await fetch(`http://127.0.0.1:${port}/watch/dash.js`);
  assertEquals([answer.status, await answer.text()], [200, dashJs]);
  assertEquals((await origin.stop()).code, 0);
});

Deno.test("the binary adds little to the bare runtime", async () => {
  const runtime = Deno.env.get("DENORT_BIN") ??
    new URL(".cache/denort", ROOT);
  const own = (await Deno.stat(binary())).size -
    (await Deno.stat(runtime)).size;
  assertLessOrEqual(own, MOST_OWN_BYTES);
});

Deno.test("the binary runs with the options of V8 that it was meant to", async () => {
  const text = new TextDecoder("latin1").decode(await Deno.readFile(binary()));
  const flags = /"v8_flags":\[[^\]]*\]/.exec(text)?.[0] ?? "";
  for (
    const option of [
      "minor-gc-task-trigger=20",
      "single-threaded",
      "no-incremental-marking-task",
      "no-memory-reducer",
      "expose-gc",
    ]
  ) assertStringIncludes(flags, `"--${option}"`);
});
