/** `rolecall dashboard` and the roles it shows, on loopback. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { EventStreamReader } from "../../lib/core/event_stream.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../support/program.ts";
import { freePort } from "../support/tools.ts";

const HOST = ["--host", "127.0.0.1", "--port", "0"];
const NAME = `dashboard-test-${Deno.pid}`;
/** Longest wait for what a page is told. */
const TOLD_MS = 120_000;

/** What a page is told, as it comes. */
async function* told(port: number) {
  const signal = AbortSignal.timeout(TOLD_MS);
  const response = await fetch(`http://127.0.0.1:${port}/stream`, { signal });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = new EventStreamReader({ maxLineBytes: 1 << 20 });
  for await (const bytes of response.body!) {
    for (const { event, data } of reader.push(bytes)) {
      yield { event, ...JSON.parse(data) };
    }
  }
}

interface Source {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly where: string;
}

/** Reads until a source is in a state. */
async function untilState(
  port: number,
  state: string,
  matches: (source: Source) => boolean,
): Promise<Source> {
  for await (const { event, sources } of told(port)) {
    const found = event !== "sources" ? undefined : (sources as Source[])
      .find((source) => source.state === state && matches(source));
    if (found !== undefined) return found;
  }
  throw new Error(`not ${state}`);
}

Deno.test("dashboard: finds roles, follows the events of those with --admin, and sees them go", async () => {
  await using board = await startProgram(["dashboard", ...HOST]);
  const { port } = await board.until("role.listening");
  await using echo = await startProgram([
    ...["tcp-echo", ...HOST, "--name", `${NAME}-a`, "--admin", "0"],
  ]);
  await using silent = await startProgram([
    ...["udp-echo", ...HOST, "--name", `${NAME}-b`],
  ]);
  const at = await echo.until("role.listening");
  const isA = ({ name }: Source) => name === `${NAME}-a`;
  const isB = ({ name }: Source) => name === `${NAME}-b`;
  await untilState(port, "live", isA);
  assertMatch((await untilState(port, "silent", isB)).reason, /--admin/);
  const said = await runProgram([
    ...["tcp-echo", "--connect", `127.0.0.1:${at.port}`, "--message", "hi"],
  ]);
  assertEquals(said.stdout.trim(), "HI");
  const sentences: string[] = [];
  for await (const { event, events = [] } of told(port)) {
    if (event !== "events") continue;
    for (const { source, text } of events) {
      if (source === `${NAME}-a`) sentences.push(text);
    }
    if (sentences.some((text) => text.includes("closed"))) break;
  }
  assertEquals(sentences[0], `listening on tcp 127.0.0.1:${at.port}`);
  await echo.stop();
  await untilState(port, "gone", isA);
  await silent.stop();
  assertEquals((await board.stop()).code, 0);
});

Deno.test("dashboard --alone --watch: waits for a role that is not there yet, and asks again when it was away", async () => {
  const admin = `127.0.0.1:${freePort()}`;
  await using board = await startProgram([
    ...["dashboard", ...HOST, "--alone", "--watch", admin],
  ]);
  const { port } = await board.until("role.listening");
  const lost = await board.until("feed.lost");
  assertEquals([lost.source, lost.at], [admin, admin]);
  for (let round = 1; round <= 2; round++) {
    await using echo = await startProgram([
      ...["tcp-echo", ...HOST, "--name", NAME, "--admin", admin],
    ]);
    await echo.until("admin.listening");
    const live = await untilState(port, "live", ({ name }) => name === NAME);
    assertEquals(live.id, admin);
    await echo.stop();
    await untilState(port, "waiting", ({ id }) => id === admin);
  }
  const { sources } = await (await fetch(`http://127.0.0.1:${port}/board`))
    .json();
  assertEquals(sources.length, 1);
  assert(board.events.every(({ type }) => type !== "instance.found"));
});

Deno.test("dashboard --watch: a role that the LAN has as well is there once", async () => {
  await using echo = await startProgram([
    ...["tcp-echo", ...HOST, "--name", `${NAME}-c`, "--admin", "0"],
  ]);
  const admin = `127.0.0.1:${(await echo.until("admin.listening")).port}`;
  await using board = await startProgram([
    ...["dashboard", ...HOST, "--watch", admin],
  ]);
  const { port } = await board.until("role.listening");
  // Where it is, is told by the LAN.
  const found = await untilState(
    port,
    "live",
    ({ name, where }) => name === `${NAME}-c` && /tcp/.test(where),
  );
  assertEquals(found.id, admin);
  const { sources } = await (await fetch(`http://127.0.0.1:${port}/board`))
    .json();
  const same = sources.filter(({ name }: Source) => name === `${NAME}-c`);
  assertEquals(same.length, 1);
});

Deno.test("demo --watchable: the dashboard follows the programs of a demo", async () => {
  await using folder = await temporaryFolder();
  const scenario = join(folder.path, "small.json");
  const act = {
    ...{ act: "echo", loss: 0.3, pings: 16, interval: "250ms" },
    ...{ delay: "1ms", lines: ["hi"] },
  };
  await Deno.writeTextFile(
    scenario,
    JSON.stringify({ title: "Small", acts: [act] }),
  );
  await using board = await startProgram(["dashboard", ...HOST]);
  const { port } = await board.until("role.listening");
  await using demo = await startProgram(["demo", scenario, "--watchable"]);
  const live = await untilState(
    port,
    "live",
    ({ name }) => name === "udp-server",
  );
  assertMatch(live.where, /^127\.0\.0\.[0-9]+, udp/);
  const { code, stderr } = await demo.exited;
  assertEquals(code, 0, stderr);
});

Deno.test("dashboard: what is no stream of events is said to be none", async () => {
  await using stranger = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("hello"),
  );
  await using board = await startProgram([
    ...["dashboard", ...HOST, "--alone"],
    ...["--watch", `127.0.0.1:${stranger.addr.port}`],
  ]);
  const lost = await board.until("feed.lost");
  assertMatch(lost.reason, /has no events: status 200/);
});
