/** What every role has: help, version, admin endpoints, event files, configuration, seeds, an orderly end. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { startRole } from "../../lib/io/deno/processes.ts";
import {
  programCommand,
  runProgram,
  runTool,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

const SERVER = ["udp-echo", "--host", "127.0.0.1", "--port", "0"];

Deno.test("rolecall says what it is and what roles there are", async () => {
  const version = await runProgram(["--version"]);
  assertEquals(version.code, 0);
  assert(/^rolecall \d+\.\d+\.\d+ \(git \S+, Deno \d/.test(version.stdout));
  const help = await runProgram(["--help"]);
  for (const role of ["udp-echo", "dash-client", "demo"]) {
    assertStringIncludes(help.stdout, `\n  ${role} `);
  }
  const roleHelp = await runProgram(["--role", "edge", "--help", "--json"]);
  assertEquals(JSON.parse(roleHelp.stdout).name, "edge");
  assertStringIncludes(
    (await runProgram(["help", "edge"])).stdout,
    "--cache-size",
  );
  const script = await runProgram(["completions", "bash"]);
  assertStringIncludes(script.stdout, "--cache-size");
  for (const args of [["completions", "--help"], ["help", "completions"]]) {
    const { code, stdout } = await runProgram(args);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "usage: rolecall completions bash|zsh|fish");
  }
});

Deno.test("what stands in the place of a role and is none gets one line and code 2", async () => {
  for (
    const [args, line] of [
      [["udp-ech"], 'there is no role "udp-ech"; did you mean udp-echo?'],
      [["--role"], "--role needs a value: --role ROLE"],
      [
        ["--rol", "edge"],
        "a role comes first, not --rol; did you mean --role?",
      ],
      [["--port=1"], "a role comes first, not --port; see rolecall --help"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runProgram([...args]);
    assertEquals([code, stdout, stderr], [2, "", `rolecall: ${line}\n`]);
  }
});

Deno.test("--admin shows health, metrics, events and flags of a running role", async () => {
  await using server = await startProgram([
    ...[...SERVER, "--admin", "0", "--name", "a < b"],
  ]);
  const admin = await server.until("admin.listening");
  const get = async (path: string) =>
    await fetch(`http://127.0.0.1:${admin.port}${path}`);
  assertEquals(await (await get("/healthz")).text(), "ok\n");
  assertEquals((await (await get("/config")).json()).port, "0");
  const index = await (await get("/")).text();
  for (const path of ["/metrics", "/events", "/config", "/healthz"]) {
    assertStringIncludes(index, `<a href="${path}">`);
  }
  assertStringIncludes(index, "<h1>a &lt; b</h1>");
  assertStringIncludes(
    await (await get("/metrics")).text(),
    `rolecall_events_total{type="role.listening"} 1`,
  );
  const reader = (await get("/events")).body!.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assertStringIncludes(first, "event:role.");
  await reader.cancel();
  assertEquals((await server.stop()).code, 0);
});

Deno.test("a port in use is told with the flag that chooses another", async () => {
  await using server = await startProgram([...SERVER, "--admin", "0"]);
  const { port } = await server.until("admin.listening");
  const run = async (...args: readonly string[]) =>
    (await runProgram([...args, "--host", "127.0.0.1"])).stderr;
  const other = (flag: string) => `choose another with ${flag}, or 0`;
  assertStringIncludes(
    await run("udp-echo", "--port", "0", "--admin", String(port)),
    other("--admin"),
  );
  assertStringIncludes(
    await run("origin", "--port", String(port)),
    other("--port"),
  );
  const { port: udpPort } = await server.until("role.listening");
  assertStringIncludes(
    await run("tracker", "--port", "0", "--udp-port", String(udpPort)),
    other("--udp-port"),
  );
});

Deno.test("an address that is not of this machine is told as such, with TLS and without", async () => {
  for (const tls of [[], ["--tls", "self-signed"]]) {
    const { code, stderr } = await runProgram([
      ...["edge", "--origin", "http://127.0.0.1:1", "--port", "0"],
      ...["--host", "192.0.2.1", ...tls],
    ]);
    assertStringIncludes(stderr, "this machine has no such address");
    assertEquals(code, 1);
  }
});

Deno.test("--events records every event from started to finished, --config gives flags", async () => {
  await using folder = await temporaryFolder();
  const config = join(folder.path, "flags.json");
  const events = join(folder.path, "deep", "events.jsonl");
  await Deno.writeTextFile(
    config,
    JSON.stringify({ host: "127.0.0.1", port: 1, events, name: "from file" }),
  );
  await using server = await startProgram([
    ...["udp-echo", "--config", config, "--port", "0"],
  ]);
  const listening = await server.until("role.listening");
  assert(listening.port > 1, "the command line wins over the file");
  assertEquals((await server.stop()).code, 0);
  const recorded = (await Deno.readTextFile(events)).trim().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(recorded[0].type, "role.listening");
  assertEquals(recorded[1].type, "role.started");
  assertEquals(recorded.at(-1).type, "role.finished");
  assertEquals(recorded.map(({ seq }) => seq), recorded.map((_, at) => at + 1));
  assert(
    recorded.every(({ name, role }) =>
      name === "from file" && role === "udp-echo"
    ),
  );
});

Deno.test({
  name: "a full disk under --events is told once, and the role goes on",
  // Only Linux has /dev/full, and a program without all permissions may not open it.
  ignore: Deno.build.os !== "linux" || !!Deno.env.get("ROLECALL_BIN"),
  async fn() {
    await using server = await startProgram([...SERVER]);
    const { port } = await server.until("role.listening");
    const [command, ...program] = programCommand(true);
    const { code, stdout, stderr } = await runTool(command, [
      ...program,
      ...["udp-echo", "--connect", `127.0.0.1:${port}`, "--message", "hi"],
      ...["--events", "/dev/full"],
    ]);
    assertEquals([code, stdout], [1, "HI\n"]);
    const told =
      "Cannot write /dev/full: the disk is full; nothing is appended to it any more";
    assertEquals(stderr.split(told).length, 2, stderr);
    assertEquals((await server.stop()).code, 0);
  },
});

Deno.test({
  name:
    "output that cannot be written is told in one line, a log that cannot be is left out",
  ignore: Deno.build.os !== "linux", // /dev/full
  async fn() {
    await using folder = await temporaryFolder();
    const events = join(folder.path, "events.jsonl");
    await using server = await startProgram([...SERVER]);
    const { port } = await server.until("role.listening");
    const shell = (redirected: string, ...args: readonly string[]) =>
      runTool("sh", [
        ...["-c", `"$@" ${redirected}`, "sh", ...programCommand(), ...args],
      ]);
    const said = "Cannot write the output: the disk is full";
    const version = await shell("> /dev/full", "--version");
    assertEquals(version.stderr, `rolecall: ${said}\n`);
    assertEquals(version.code, 1);
    const client = ["udp-echo", "--connect", `127.0.0.1:${port}`];
    const pings = ["--count", "1", "--events", events];
    const pinger = await shell("> /dev/full", ...client, ...pings);
    assertEquals(pinger.code, 1);
    const last = (await Deno.readTextFile(events)).trim().split("\n").at(-1)!;
    assertEquals(JSON.parse(last).error, said);
    const quiet = await shell("2> /dev/full", ...client, "--message", "hi");
    assertEquals([quiet.code, quiet.stdout], [0, "HI\n"]);
  },
});

Deno.test("a role whose reader has gone ends what it started and itself, with 0", async () => {
  await using folder = await temporaryFolder();
  const [command, ...args] = programCommand();
  const child = new Deno.Command(command, {
    args: [...args, "demo", "all", "--unlisted", "--log", "json"],
    env: { TMPDIR: folder.path, TEMP: folder.path },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals((await child.status).code, 0);
  const events = (await log).trim().split("\n").map((line) => JSON.parse(line));
  const ofType = (type: string) =>
    events.filter((event) => event.type === type);
  const [stopping] = ofType("role.stopping");
  assertMatch(stopping.reason, /nobody reads/);
  const started = ofType("program.started").length;
  assert(started > 0);
  assertEquals(ofType("program.ended").length, started);
  assertEquals(events.at(-1).type, "role.finished");
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("with --log json a failure is an event, and nothing else is on stderr", async () => {
  await using folder = await temporaryFolder();
  const way = join(folder.path, "file");
  await Deno.writeTextFile(way, "");
  for (
    const [args, code, error] of [
      [["tcp-echo", "--connect", "127.0.0.1:1", "--message", "a"], 1, /127/],
      [["edge"], 2, /origin/],
      [["udp-echo", "--events", join(way, "x")], 1, /in the way/],
      [["udp-echo", "--admin", "there"], 2, /--admin must be/],
    ] as const
  ) {
    const run = await runProgram([...args, "--log", "json"]);
    assertEquals(run.code, code);
    const events = run.stderr.trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    const { type, exitCode, error: said } = events.at(-1);
    assertEquals([type, exitCode], ["role.finished", code]);
    assertMatch(said, error);
  }
});

Deno.test("a second Ctrl-C ends a role at once with 130, one lets it finish with 0", async () => {
  // Ended at once, the demo leaves its folder behind.
  await using folder = await temporaryFolder();
  const [command, ...args] = programCommand();
  for (
    const [signals, code] of [
      [["SIGINT"], 0],
      // At a terminal Ctrl-C goes to a demo's programs, and the demo asks them too.
      [["SIGINT", "SIGTERM"], 0],
      [["SIGINT", "SIGINT"], 130],
    ] as const
  ) {
    const child = new Deno.Command(command, {
      args: [...args, "demo", "all", "--log", "json"],
      env: { TMPDIR: folder.path, TEMP: folder.path },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = child.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
    let log = "";
    const until = async (said: RegExp) => {
      while (!said.test(log)) log += (await reader.read()).value;
      return said.exec(log)!;
    };
    const [, pid] = await until(/"program\.started".*"pid":(\d+)/);
    // It waits for its programs to end: with one that stands still, a second signal finds it running.
    Deno.kill(Number(pid), "SIGSTOP");
    for (const [at, signal] of signals.entries()) {
      if (at > 0) await until(/"role\.stopping"/);
      child.kill(signal);
    }
    if (code === 0) Deno.kill(Number(pid), "SIGCONT");
    for (let read; !(read = await reader.read()).done;) log += read.value;
    assertEquals((await child.status).code, code);
    if (code === 130) Deno.kill(Number(pid), "SIGCONT");
    const last = JSON.parse(log.trim().split("\n").at(-1)!);
    assertEquals([last.type, last.exitCode], ["role.finished", code]);
  }
});

Deno.test("startRole has programs say without colours what went wrong", async () => {
  await using role = startRole(Deno.execPath(), [
    ...["eval", "console.error(`no colours: ${Deno.noColor}`)"],
  ]);
  await role.exited;
  assertEquals(role.stderr(), "no colours: true");
});

Deno.test({
  name: "startRole asks a program once to stop, however often that is wanted",
  ignore: Deno.build.os === "windows",
  async fn() {
    const script =
      `trap 'echo asked' TERM; echo '{"type":"role.listening"}' >&2; for i in 1 2 3 4; do sleep 0.2; done`;
    await using role = startRole("sh", ["-c", script]);
    await role.until(() => true, { timeoutMs: 60_000 });
    role.stop();
    await new Promise((wake) => setTimeout(wake, 300));
    role.stop();
    assertEquals((await role.exited).stdout, "asked\n");
  },
});
