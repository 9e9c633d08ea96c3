import { assert, assertEquals } from "@std/assert";
import { fromUtf8, utf8 } from "../../lib/core/bytes.ts";
import type { EventRecord } from "../../lib/events/mod.ts";
import { runProgram, startProgram } from "../support/program.ts";

/** A client's socket without any of our own code in it. */
class ClientSocket implements Disposable {
  readonly #socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(bytes: Uint8Array<ArrayBuffer>, port: number): Promise<void> {
    const to = { transport: "udp" as const, hostname: "127.0.0.1", port };
    await this.#socket.send(bytes, to);
  }

  /** Sends one datagram and returns the answer; fails after 10 s. */
  async ask(bytes: Uint8Array<ArrayBuffer>, port: number): Promise<Uint8Array> {
    await this.send(bytes, port);
    const late = setTimeout(() => this.#socket.close(), 60_000);
    const [answer] = await this.#socket.receive();
    clearTimeout(late);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A start of the server, its port, and a socket to ask it with. */
async function startServer(...flags: string[]) {
  const server = await startProgram(
    ["udp-echo", "--host", "127.0.0.1", "--port", "0", ...flags],
  );
  const { port } = await server.until("role.listening");
  return { server, port };
}

Deno.test("udp-echo answers any datagram, empty, not UTF-8, largest or with too long an answer", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  using socket = new ClientSocket();
  const answer = async (bytes: Uint8Array<ArrayBuffer>) =>
    fromUtf8(await socket.ask(bytes, port));

  assertEquals(await answer(utf8("γειά, straße 🎉")), "ΓΕΙΆ, STRASSE 🎉");
  assertEquals(await answer(new Uint8Array(0)), "");
  assertEquals(await answer(new Uint8Array([0xff, 0x61])), "\ufffdA");

  const largest = await socket.ask(new Uint8Array(65_507).fill(0x61), port);
  assertEquals(largest.length, 65_507);
  assert(largest.every((byte) => byte === 0x41));

  // "ΰ" takes 2 bytes, its capital three letters in 6: the answer is three times as long.
  const growing = utf8("ΰ".repeat(11_000));
  await socket.send(growing, port);
  const failed = await server.until("echo.failed");
  assertEquals(
    [failed.code, failed.receivedBytes, failed.answerBytes],
    ["answer-too-long", 22_000, 66_000],
  );
  assertEquals(await answer(utf8("still there")), "STILL THERE");

  const { code } = await server.stop();
  assertEquals(code, 0);
  assertEquals(server.events.at(-1)?.type, "role.finished");
});

Deno.test("udp-echo tells a flood in sums that are complete", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  using socket = new ClientSocket();
  for (let index = 0; index < 200; index++) {
    await socket.ask(utf8(`message ${index}`), port);
  }
  await server.stop();
  const singles = server.events.filter(({ type }) => type === "echo.answered");
  const summed = server.events.reduce(
    (sum, event) =>
      sum + (event.type === "echo.summarized" ? event.answered : 0),
    0,
  );
  assert(summed > 0);
  assertEquals(singles.length + summed, 200);
});

Deno.test("udp-echo client prints the echo and, asked to ping, the statistics", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  const connect = ["udp-echo", "--connect", `127.0.0.1:${port}`];

  const said = await runProgram([...connect, "--message", "straße\nγειά"]);
  assertEquals([said.code, said.stdout], [0, "STRASSE\nΓΕΙΆ\n"]);

  const nothing = await runProgram([...connect, "--message", "", "--json"]);
  assertEquals(nothing.code, 0);
  assertEquals(JSON.parse(nothing.stdout).exchanges[0].reply, "");

  const typed = await runProgram(connect, { stdin: "one\n\nzwei 🎉" });
  assertEquals([typed.code, typed.stdout], [0, "ONE\n\nZWEI 🎉\n"]);

  const typedJson = await runProgram([...connect, "--json"], { stdin: "a\nb" });
  const { sent, exchanges } = JSON.parse(typedJson.stdout);
  assertEquals([sent, exchanges[1].reply], [2, "B"]);

  const pinged = await runProgram(
    [
      ...[...connect, "--count", "5", "--interval", "10ms", "--json"],
      ...["--timeout", "30s"],
    ],
  );
  const figures = JSON.parse(pinged.stdout);
  assertEquals([pinged.code, figures.sent, figures.received], [0, 5, 5]);
  assert(figures.rttMinMs > 0 && figures.rttMinMs <= figures.rttAvgMs);
  assert(figures.rttAvgMs <= figures.rttMaxMs);
});

Deno.test("udp-echo --loss loses the same datagrams with the same seed, --delay holds answers back", async () => {
  const pings = await Promise.all([0, 1].map(async () => {
    const { server, port } = await startServer(
      ...["--loss", "0.4", "--delay", "50ms", "--seed", "7"],
    );
    await using _server = server;
    const { code, stdout } = await runProgram([
      ...["udp-echo", "--connect", `127.0.0.1:${port}`, "--json"],
      ...["--count", "20", "--interval", "5ms", "--timeout", "5s"],
    ]);
    assertEquals(code, 0);
    const rttsMs: (number | null)[] = JSON.parse(stdout).rttsMs;
    await server.stop();
    assertEquals(
      droppedBy(server.events),
      rttsMs.filter((rttMs) => rttMs === null).length,
    );
    return rttsMs;
  }));
  const [first, second] = pings.map((rttsMs) =>
    rttsMs.map((rttMs) => rttMs === null)
  );
  assertEquals(first, second);
  const lost = first!.filter((isLost) => isLost).length;
  assert(lost > 0 && lost < 20, `${lost} of 20 lost`);
  for (const rttMs of pings.flat()) assert(rttMs === null || rttMs >= 50);
});

/** How many datagrams a server has dropped, told singly or in sums. */
function droppedBy(events: readonly EventRecord[]): number {
  return events.reduce((sum, event) => {
    if (event.type === "echo.dropped") return sum + 1;
    return sum + (event.type === "echo.summarized" ? event.dropped : 0);
  }, 0);
}

Deno.test("udp-echo client fails with exit code 1 when everything is lost", async () => {
  const { server, port } = await startServer("--loss", "1");
  await using _server = server;
  const client = [
    ...["udp-echo", "--connect", `127.0.0.1:${port}`],
    ...["--timeout", "100ms", "--json"],
  ];
  const pinged = await runProgram(
    [...client, "--count", "2", "--interval", "10ms"],
  );
  assertEquals(pinged.code, 1);
  assertEquals(JSON.parse(pinged.stdout).lossRatio, 1);
  const said = await runProgram([...client, "--message", "hello"]);
  assertEquals([said.code, JSON.parse(said.stdout).received], [1, 0]);
});

Deno.test("udp-echo --faithful loses what is over 2048 bytes and dies of invalid UTF-8", async () => {
  const { server, port } = await startServer("--faithful");
  await using _server = server;
  using socket = new ClientSocket();
  const long = await socket.ask(new Uint8Array(3000).fill(0x61), port);
  assertEquals(fromUtf8(long), "A".repeat(2048));
  await socket.send(new Uint8Array([0xff]), port);
  const { code } = await server.exited;
  assertEquals(code, 1);
});

Deno.test("udp-echo refuses a port in use with exit code 1 and bad flags with 2", async () => {
  using taken = new ClientSocket();
  const inUse = await runProgram(
    ["udp-echo", "--host", "127.0.0.1", "--port", `${taken.port}`],
  );
  assertEquals(inUse.code, 1);
  assertEquals(inUse.stderr.trim().split("\n").length, 1);
  for (
    const flags of [["--loss", "1.5"], ["--lost", "0.5"], [
      ...["--connect", "127.0.0.1:9", "--count", "0"],
    ], ["--connect", "127.0.0.1:9", "--interval", "2s"]]
  ) {
    const bad = await runProgram(["udp-echo", ...flags]);
    assertEquals(bad.code, 2, flags.join(" "));
    assertEquals(bad.stderr.trim().split("\n").length, 1);
  }
});
