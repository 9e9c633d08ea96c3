import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../lib/core/bytes.ts";
import {
  runProgram,
  type StartedProgram,
  startProgram,
} from "../support/program.ts";

/** A client's connection without any of our own code in it. */
class ClientConnection implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<ClientConnection> {
    return new ClientConnection(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
  }

  get port(): number {
    return this.#connection.localAddr.port;
  }

  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? utf8(text) : text;
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** Reads until `text` is complete, or to the end of the stream; fails after 10 s. */
  async receive(text: string): Promise<string> {
    const wanted = utf8(text).length;
    let got: Uint8Array = new Uint8Array(0);
    const late = setTimeout(() => this[Symbol.dispose](), 60_000);
    const buffer = new Uint8Array(65_536);
    while (got.length < wanted) {
      const count = await this.#connection.read(buffer);
      if (count === null) break;
      got = concat(got, buffer.subarray(0, count));
    }
    clearTimeout(late);
    return fromUtf8(got);
  }

  /** Whether the server has closed: nothing more can be read. */
  async hasEnded(): Promise<boolean> {
    try {
      return await this.#connection.read(new Uint8Array(1)) === null;
    } catch {
      return true; // reset
    }
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch { /* closed before */ }
  }
}

async function startServer(...flags: string[]) {
  const server = await startProgram(
    ["tcp-echo", "--host", "127.0.0.1", "--port", "0", ...flags],
  );
  const { port } = await server.until("role.listening");
  return { server, port };
}

async function assertSays(
  client: ClientConnection,
  text: string,
  expected: string,
): Promise<void> {
  await client.send(text);
  assertEquals(await client.receive(expected), expected);
}

Deno.test("tcp-echo serves several clients on one port, each on its own socket, an idle one beside them", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  using _idle = await ClientConnection.open(port);
  using first = await ClientConnection.open(port);
  using second = await ClientConnection.open(port);
  await assertSays(first, "one\r\n", "ONE\r\n");
  await assertSays(second, "γειά\n\nstraße 🎉\n", "ΓΕΙΆ\n\nSTRASSE 🎉\n");
  await assertSays(first, "again\n", "AGAIN\n");

  const ports = new Set<number>();
  for (const client of [first, second]) {
    const opened = await server.until(
      "connection.opened",
      ({ remotePort }) => remotePort === client.port,
    );
    assertEquals([opened.localHost, opened.localPort], ["127.0.0.1", port]);
    assertEquals(opened.remoteHost, "127.0.0.1");
    ports.add(opened.remotePort);
  }
  assertEquals(ports.size, 2);

  first[Symbol.dispose]();
  const closed = await server.until("connection.closed");
  assertEquals([closed.reason, closed.remotePort], ["by-client", first.port]);
  assertEquals([closed.receivedBytes, closed.sentBytes], [11, 11]);
  assertEquals(closed.openConnections, 2);
  await assertSays(second, "still here\n", "STILL HERE\n");
});

Deno.test("tcp-echo answers a client that sends no newline and waits", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  using client = await ClientConnection.open(port);
  await assertSays(client, "hello", "HELLO");
  await assertSays(client, "world\n", "WORLD\n");
});

Deno.test("tcp-echo never splits a character, takes one byte a segment and what is not UTF-8", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  using client = await ClientConnection.open(port);
  for (const byte of utf8("ά ß 🎉\n")) {
    await client.send(new Uint8Array([byte]));
    await new Promise((wake) => setTimeout(wake, 2));
  }
  assertEquals(await client.receive("Ά SS 🎉\n"), "Ά SS 🎉\n");
  await client.send(new Uint8Array([0xff, 0x61, 0x0a]));
  assertEquals(await client.receive("\ufffdA\n"), "\ufffdA\n");

  const long = "ä".repeat(100_000);
  const sending = client.send(`${long}\n`);
  assertEquals(
    await client.receive(`${long}\n`),
    `${long.toUpperCase()}\n`,
  );
  await sending;
});

Deno.test("tcp-echo survives clients that leave at once or before their answer", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  for (let round = 0; round < 300; round++) {
    using client = await ClientConnection.open(port);
    if (round % 3 > 0) await client.send("the answer is not read\n");
    if (round % 3 > 1) await client.receive("T");
  }
  using client = await ClientConnection.open(port);
  await assertSays(client, "alive\n", "ALIVE\n");
});

Deno.test("tcp-echo keeps --max-connections and --idle-timeout", async () => {
  const { server, port } = await startServer(
    ...["--max-connections", "1", "--idle-timeout", "4s"],
  );
  await using _server = server;
  using first = await ClientConnection.open(port);
  await assertSays(first, "a\n", "A\n");
  using second = await ClientConnection.open(port);
  assert(await second.hasEnded());
  const refused = await server.until("connection.refused");
  assertEquals([refused.remotePort, refused.maxConnections], [second.port, 1]);

  await assertSays(first, "no newline", "NO NEWLINE");
  assert(await first.hasEnded());
  const closed = await server.until("connection.closed");
  assertEquals([closed.reason, closed.openConnections], ["idle", 0]);
});

Deno.test("tcp-echo cuts off a client that never takes its answers", async () => {
  const { server, port } = await startServer("--idle-timeout", "2s");
  await using _server = server;
  using client = await ClientConnection.open(port);
  const flooding = (async () => {
    try {
      for (;;) await client.send(new Uint8Array(65_536).fill(0x61));
    } catch { /* cut off, as it should be */ }
  })();
  const closed = await server.until("connection.closed");
  assertEquals(closed.reason, "stalled");
  await server.stop();
  await flooding;
});

Deno.test("tcp-echo answers what has come before it stops", async () => {
  const { server, port } = await startServer("--idle-timeout", "0");
  await using _server = server;
  using client = await ClientConnection.open(port);
  await assertSays(client, "a\nhalf a line", "A\n"); // One segment: the server has both parts now.
  const stopping = server.stop();
  assertEquals(await client.receive("HALF A LINE"), "HALF A LINE");
  assertEquals((await stopping).code, 0);
  const closed = await server.until("connection.closed");
  assertEquals(closed.reason, "stopping");
});

Deno.test("tcp-echo client prints echoes and, asked to ping, the statistics", async () => {
  const { server, port } = await startServer();
  await using _server = server;
  const connect = ["tcp-echo", "--connect", `127.0.0.1:${port}`];

  const said = await runProgram([...connect, "--message", "straße\nγειά"]);
  assertEquals([said.code, said.stdout], [0, "STRASSE\nΓΕΙΆ\n"]);

  const nothing = await runProgram([...connect, "--message", ""]);
  assertEquals([nothing.code, nothing.stdout], [0, "\n"], "an empty line");

  const typed = await runProgram(connect, { stdin: "one\n\nzwei 🎉" });
  assertEquals([typed.code, typed.stdout], [0, "ONE\n\nZWEI 🎉\n"]);

  const pinged = await runProgram(
    [
      ...[...connect, "--count", "5", "--interval", "10ms", "--json"],
      ...["--timeout", "30s"],
    ],
  );
  const figures = JSON.parse(pinged.stdout);
  assertEquals([pinged.code, figures.sent, figures.received], [0, 5, 5]);
});

Deno.test("tcp-echo client says with exit code 1 that nobody answers or the server hangs up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connect = ["tcp-echo", "--connect", `127.0.0.1:${listener.addr.port}`];
  const silent = runProgram(
    [...connect, "--message", "hello", "--timeout", "300ms"],
  );
  using _silent = await listener.accept();
  assertEquals((await silent).code, 1);

  const hungUp = runProgram([...connect, "--message", "hello"]);
  const connection = await listener.accept();
  await connection.read(new Uint8Array(100));
  connection.close();
  assertEquals((await hungUp).code, 1);

  listener.close();
  const refused = await runProgram([...connect, "--message", "hello"]);
  assertEquals(refused.code, 1);
  assertEquals(refused.stderr.trim().split("\n").length, 1);
});

Deno.test("tcp-echo --faithful reads once, keeps everyone waiting and dies of invalid UTF-8", async () => {
  const { server, port } = await startServer("--faithful");
  await using _server = server;

  using long = await ClientConnection.open(port);
  await long.send("a".repeat(3000));
  assertEquals(await long.receive("A".repeat(3000)), "A".repeat(1024));

  using idle = await ClientConnection.open(port);
  using waiting = await ClientConnection.open(port);
  await waiting.send("me too");
  await untilOpened(server, idle.port);
  await idle.send("at last");
  assertEquals(await idle.receive("AT LAST, END"), "AT LAST");
  assertEquals(await waiting.receive("ME TOO, END"), "ME TOO");
  const types = server.events.filter((event) =>
    event.type === "connection.opened" || event.type === "connection.closed"
  );
  for (let at = 1; at < types.length; at++) {
    assertNotEquals(types[at]?.type, types[at - 1]?.type); // One at a time.
  }

  using invalid = await ClientConnection.open(port);
  await invalid.send(new Uint8Array([0xff]));
  assertEquals((await server.exited).code, 1);
});

async function untilOpened(
  server: StartedProgram,
  port: number,
): Promise<void> {
  await server.until(
    "connection.opened",
    ({ remotePort }) => remotePort === port,
  );
}
