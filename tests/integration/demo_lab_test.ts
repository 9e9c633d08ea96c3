/** A demo on machines that stand by; loopback addresses stand for them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";

const TOKEN = "lab-in-room-7";

async function standBy(host: string) {
  const program = await startProgram([
    ...["demo", "--stand-by", "--host", host, "--port", "0", "--token", TOKEN],
  ]);
  const { port } = await program.until("role.listening");
  const base = `http://${host}:${port}`;
  return {
    program,
    at: `${host}:${port}`,
    ask: (path: string, init: RequestInit = {}, token = TOKEN) =>
      fetch(`${base}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}` },
      }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function writeScenario(folder: string): Promise<string> {
  const path = join(folder, "small.json");
  const act = {
    ...{ act: "distribution", file: "9MiB", pieceLength: "64KiB" },
    ...{ serverUpload: "8MiB/s", peerUpload: "8MiB/s", leeches: [3] },
  };
  await Deno.writeTextFile(
    path,
    JSON.stringify({ title: "Small", acts: [act] }),
  );
  return path;
}

Deno.test("demo --on: servers and peers run on the machines that stand by, and every copy comes back right", async () => {
  await using folder = await temporaryFolder();
  const scenario = await writeScenario(folder.path);
  await using near = await standBy("127.0.0.31");
  await using far = await standBy("127.0.0.32");
  const log = join(folder.path, "events.jsonl");
  const { stdout, stderr } = await runProgram([
    ...["demo", scenario, "--json", "--events", log],
    ...["--on", near.at, "--on", far.at, "--token", TOKEN],
  ]);
  const { checks } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    readonly checks: readonly {
      readonly check: string;
      readonly held: boolean;
    }[];
  };
  const copies = checks.filter(({ check }) => check.includes("byte by byte"));
  assertEquals(copies.map(({ held }) => held), [true, true], stderr);
  const machines = (await Deno.readTextFile(log)).trimEnd().split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "program.started")
    .map(({ program, machine }) => [program.replace(/.*-/, ""), machine]);
  // A tracker, a seed, three peers and the file server, in turn; who makes the torrent is here.
  const there = machines.filter(([, machine]) => machine !== undefined);
  assertEquals(there.length, 6);
  assertEquals(new Set(there.map(([, machine]) => machine)).size, 2);
  assertEquals(machines.length, 7);
  for (const { program } of [near, far]) {
    const started = program.events.filter(({ type }) =>
      type === "program.started"
    );
    assertEquals(started.length, 3);
    const { code, stdout } = await program.stop();
    assertEquals(code, 0);
    // Whose machine it is sees what runs there.
    assertEquals(stdout.match(/^\d+: rolecall /gm)?.length, 3, stdout);
    assertMatch(stdout, /^\d+ ended with \d+$/m);
  }
});

Deno.test("demo --on: a wrong token, nobody there, --simulate: one line each", async () => {
  await using folder = await temporaryFolder();
  const scenario = await writeScenario(folder.path);
  await using machine = await standBy("127.0.0.33");
  const on = ["demo", scenario, "--on", machine.at];
  const wrong = await runProgram([...on, "--token", "another one"]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stderr, /^rolecall: http:[^\n]*: Wrong token\n$/);
  const simulated = await runProgram([...on, "--simulate"]);
  assertEquals(simulated.code, 2);
  assertMatch(simulated.stderr, /--on .*--simulate/);
  const idle = await runProgram(["demo", scenario, "--token", TOKEN]);
  assertEquals(idle.code, 2);
  assertMatch(idle.stderr, /--token .*--on/);
  const without = await runProgram(on);
  assertEquals(without.code, 2);
  assertMatch(without.stderr, /--on needs --token/);
  await machine.program.stop();
  const nobody = await runProgram([...on, "--token", TOKEN]);
  assertEquals(nobody.code, 1);
  assertMatch(
    nobody.stderr,
    /nobody listens there; `rolecall demo --stand-by` has to run/,
  );
  const short = await runProgram(["demo", "--stand-by", "--token", "abc"]);
  assertEquals(short.code, 2);
});

Deno.test("demo --stand-by: only who has the token, only roles, only its folder; a program ends with who started it", async () => {
  await using machine = await standBy("127.0.0.34");
  const { ask, program } = machine;
  for (const path of ["/time", "/files/a", "/list/a", "/programs"]) {
    const answer = await ask(path, {}, "guess");
    assertEquals([answer.status, await answer.text()], [401, "Wrong token\n"]);
  }
  for (const path of ["..%2Fa", "a%2F..%2F..%2Fb", "%2Fetc%2Fpasswd", "a%00"]) {
    for (const method of ["PUT", "GET"]) {
      const answer = await ask(`/files/${path}`, { method });
      await answer.body?.cancel();
      assertEquals(answer.status, 400, `${method} ${path}`);
    }
  }
  for (const args of [["demo", "all"], ["sh"], "tracker", [1], []]) {
    const body = JSON.stringify({ args });
    const answer = await ask("/programs", { method: "POST", body });
    await answer.body?.cancel();
    assertEquals(answer.status, 400, body);
  }
  await (await ask("/files/a/b", { method: "PUT", body: "text" })).body
    ?.cancel();
  assertEquals(await (await ask("/list/a")).json(), ["a/b"]);
  assertEquals(await (await ask("/files/a/b")).text(), "text");
  assertEquals(await (await ask("/list/none")).json(), []);
  const missing = await ask("/files/none");
  await missing.body?.cancel();
  assertEquals(missing.status, 404);

  const args = ["tcp-echo", "--host", "127.0.0.34", "--port", "0"];
  const answer = await ask("/programs", {
    ...{ method: "POST", body: JSON.stringify({ args }) },
  });
  const reader = answer.body!.getReader();
  let said = "";
  // Then the program is silent: nothing it says shows that nobody listens.
  while (!said.includes("role.announced")) {
    const { value } = await reader.read();
    assert(value !== undefined);
    said += new TextDecoder().decode(value);
  }
  await reader.cancel();
  const ended = await program.until("program.ended");
  assertEquals(ended.exitCode, 0);
});
