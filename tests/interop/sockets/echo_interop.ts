// The lecture's Python programs, ncat, nc and ss against the echo roles, in both directions, letter for letter.

import { assert, assertEquals } from "@std/assert";
import { formatHostPort } from "../../../lib/core/address.ts";
import {
  runProgram,
  runTool,
  type StartedProgram,
  startProgram,
} from "../../support/program.ts";
import { PROGRAMS, startPython, UTF8 } from "../../support/python.ts";

const HOSTS = ["127.0.0.1", "::1"];
const SENTENCES: readonly (readonly [string, string])[] = [
  ["hello, world", "HELLO, WORLD"],
  ["γειά σου Κόσμε", "ΓΕΙΆ ΣΟΥ ΚΌΣΜΕ"],
  ["straße", "STRASSE"],
  ["ﬁn 🎉 ǆ", "FIN 🎉 Ǆ"],
];

function python(script: string, args: readonly string[], stdin = "") {
  return runTool("python3", [PROGRAMS + script, ...args], { stdin, env: UTF8 });
}

async function startEcho(
  role: "udp-echo" | "tcp-echo",
  ...flags: string[]
): Promise<{ server: StartedProgram; port: number }> {
  const server = await startProgram([role, "--port", "0", ...flags]);
  const { port } = await server.until("role.listening");
  return { server, port };
}

Deno.test("udp-echo answers the lecture's client, over IPv4 and IPv6 on one socket", async () => {
  const { server, port } = await startEcho("udp-echo");
  await using _server = server;
  for (const host of HOSTS) {
    for (const [sentence, expected] of SENTENCES) {
      const { stdout, stderr } = await python(
        ...["udp_client.py", [host, `${port}`], `${sentence}\n`] as const,
      );
      assertEquals(stdout, `${expected}\n`, stderr);
    }
  }
  const remotes = server.events.flatMap((event) =>
    event.type === "echo.answered" ? [event.remote] : []
  );
  assert(remotes.some((remote) => remote.startsWith("127.0.0.1:")));
  assert(remotes.some((remote) => remote.startsWith("[::1]:")));
});

Deno.test("udp-echo asks the lecture's server, over IPv4 and IPv6", async () => {
  for (const host of HOSTS) {
    await using server = await startPython("udp_server.py", host);
    const connect = [
      "udp-echo",
      "--connect",
      formatHostPort({ host, port: server.port }),
    ];
    for (const [sentence, expected] of SENTENCES) {
      const said = await runProgram([...connect, "--message", sentence]);
      assertEquals([said.code, said.stdout], [0, `${expected}\n`], said.stderr);
    }
    const pinged = await runProgram(
      [
        ...[...connect, "--count", "5", "--interval", "20ms", "--json"],
        ...["--timeout", "30s"],
      ],
    );
    assertEquals(JSON.parse(pinged.stdout).received, 5);
  }
});

Deno.test("udp-echo knows its server's answers however its address was written", async () => {
  const { server, port } = await startEcho("udp-echo");
  await using _server = server;
  for (const host of ["0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"]) {
    const said = await runProgram([
      ...["udp-echo", "--connect", formatHostPort({ host, port })],
      ...["--message", "hello"],
    ]);
    assertEquals([said.code, said.stdout], [0, "HELLO\n"], host);
  }
});

Deno.test("tcp-echo answers the lecture's client, which sends no newline and waits", async () => {
  const { server, port } = await startEcho("tcp-echo");
  await using _server = server;
  for (const host of HOSTS) {
    for (const [sentence, expected] of SENTENCES) {
      const { stdout, stderr } = await python(
        ...["tcp_client.py", [host, `${port}`], `${sentence}\n`] as const,
      );
      assertEquals(stdout, `From server: ${expected}\n`, stderr);
    }
  }
});

Deno.test("tcp-echo asks the lecture's server, and hears that it answers only once", async () => {
  for (const host of HOSTS) {
    await using server = await startPython("tcp_server.py", host);
    const connect = [
      "tcp-echo",
      "--connect",
      formatHostPort({ host, port: server.port }),
    ];
    for (const [sentence, expected] of SENTENCES) {
      const said = await runProgram([...connect, "--message", sentence]);
      assertEquals([said.code, said.stdout], [0, `${expected}\n`], said.stderr);
    }
    const twice = await runProgram(connect, { stdin: "one\ntwo\n" });
    assertEquals([twice.code, twice.stdout], [1, "ONE\n"]);
  }
});

Deno.test("udp-echo answers Python's datagrams of every size a datagram can have", async () => {
  const { server, port } = await startEcho("udp-echo");
  await using _server = server;
  const sizes = [0, 1, 1472, 1473, 2048, 2049, 9000, 65_507];
  const { stdout, stderr } = await python("udp_sizes.py", [
    ...["127.0.0.1", `${port}`],
    ...sizes.map(String),
  ]);
  const expected = sizes.map((size) => `${size} ${size === 0 ? "" : "A"}\n`);
  assertEquals(stdout, expected.join(""), stderr);
  const largest6 = await python("udp_sizes.py", ["::1", `${port}`, "65527"]);
  assertEquals(largest6.stdout, "65527 A\n", largest6.stderr);
});

Deno.test("tcp-echo answers Python's text however it is cut into segments", async () => {
  const { server, port } = await startEcho("tcp-echo");
  await using _server = server;
  const text = "γειά\r\nstraße 🎉\n\nno newline ǆ🎉";
  const expected = "ΓΕΙΆ\r\nSTRASSE 🎉\n\nNO NEWLINE Ǆ🎉";
  const cuts: readonly (readonly [size: number, pauseMs: number])[] = [
    ...[[1, 1], [2, 1], [3, 1], [7, 1]] as const,
    [5, 250], // Each pause is longer than the quiet time.
  ];
  for (const [size, pauseMs] of cuts) {
    const { stdout, stderr } = await python(
      "tcp_pieces.py",
      ["::1", `${port}`, `${size}`, `${pauseMs}`, text],
    );
    assertEquals(stdout, expected, `${size} bytes a segment: ${stderr}`);
  }
});

Deno.test("tcp-echo outlives 1,000 clients that reset at once, and 200 that reset with a line unanswered", async () => {
  const { server, port } = await startEcho("tcp-echo");
  await using _server = server;
  const target = ["127.0.0.1", `${port}`];
  await python("tcp_reset.py", [...target, "1000"]);
  await python("tcp_reset.py", [...target, "200", "a line\nand a half"]);
  const { stdout } = await python("tcp_client.py", target, "alive\n");
  assertEquals(stdout, "From server: ALIVE\n");
});

Deno.test("tcp-echo shows two clients on one port as two sockets, and so does the system", async () => {
  const { server, port } = await startEcho("tcp-echo");
  await using _server = server;
  const clients = await Promise.all(
    [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const ports: number[] = [];
  for (const client of clients) {
    const { port: clientPort } = client.localAddr as Deno.NetAddr;
    ports.push(clientPort);
    const opened = await server.until(
      "connection.opened",
      ({ remotePort }) => remotePort === clientPort,
    );
    assertEquals(opened.localPort, port);
  }
  const { stdout } = await runTool("ss", ["-tnH", `sport = :${port}`]);
  const rows = stdout.trim().split("\n").map((row) => row.split(/\s+/));
  assertEquals(
    rows.map((row) => Number(row[4]?.split(":").at(-1))).toSorted(),
    ports.toSorted(),
  );
  for (const row of rows) assert(row[3]?.endsWith(`:${port}`));
  for (const client of clients) client.close();
});

Deno.test("ncat and nc are clients of both roles", async () => {
  const tcp = await startEcho("tcp-echo");
  await using _tcp = tcp.server;
  const udp = await startEcho("udp-echo");
  await using _udp = udp.server;
  const stdin = "γειά\nstraße\n";
  const expected = "ΓΕΙΆ\nSTRASSE\n";
  for (const host of HOSTS) {
    const ncat = await runTool("ncat", [host, `${tcp.port}`], { stdin });
    assertEquals(ncat.stdout, expected, ncat.stderr);
    const crlf = await runTool("ncat", ["-C", host, `${tcp.port}`], { stdin });
    assertEquals(crlf.stdout, expected.replaceAll("\n", "\r\n"), crlf.stderr);
    const nc = await runTool("nc", ["-N", host, `${tcp.port}`], { stdin });
    assertEquals(nc.stdout, expected, nc.stderr);
    const ncu = await runTool(
      ...["nc", ["-u", "-w", "3", host, `${udp.port}`], { stdin }] as const,
    );
    assertEquals(ncu.stdout, expected, ncu.stderr);
    // ncat ends with its input; the pause lets the answer arrive before.
    const ncatu = await runTool(
      ...["sh", ["-c", `(cat; sleep 3) | ncat -u ${host} ${udp.port}`], {
        stdin,
      }] as const,
    );
    assertEquals(ncatu.stdout, expected, ncatu.stderr);
  }
});

/** A server of the lecture and ours with --faithful: what is done to one is done to the other. */
async function* faithfulPair(transport: "udp" | "tcp") {
  {
    await using server = await startPython(`${transport}_server.py`, "0.0.0.0");
    yield {
      name: "Python",
      port: `${server.port}`,
      died: () => server.exited.then(({ code }) => code),
    };
  }
  const { server, port } = await startEcho(`${transport}-echo`, "--faithful");
  await using _server = server;
  yield {
    name: "--faithful",
    port: `${port}`,
    died: () => server.exited.then(({ code }) => code),
  };
}

Deno.test("udp-echo --faithful fails where the lecture's server fails", async () => {
  for await (const { name, port, died } of faithfulPair("udp")) {
    const target = ["127.0.0.1", port];
    const sizes = await python("udp_sizes.py", [...target, "0", "3000"]);
    assertEquals(sizes.stdout, "0 \n2048 A\n", name);
    await runTool("nc", ["-u", "-w", "1", ...target], {
      stdin: new Uint8Array([0xff, 0xfe]),
    });
    assertEquals(await died(), 1, name);
  }
});

Deno.test("tcp-echo --faithful fails where the lecture's server fails", async () => {
  for await (const { name, port, died } of faithfulPair("tcp")) {
    const pieces = (size: string, text: string) =>
      python("tcp_pieces.py", ["127.0.0.1", port, size, "1000", text]);
    // The second segment is never read: the answer is that to the first, and whoever goes on is reset.
    const two = await pieces("3", "hello");
    assertEquals(two.stdout, "HEL", name);
    const long = await python(
      "tcp_client.py",
      ["127.0.0.1", port],
      "a".repeat(3000),
    );
    assertEquals(long.stdout, `From server: ${"A".repeat(1024)}\n`, name);

    // One idle client, and the next one waits in vain.
    const idle = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(port),
    });
    const waiting = python("tcp_client.py", ["127.0.0.1", port], "me too");
    const first = await Promise.race([
      waiting.then(() => "answered"),
      new Promise((wake) => setTimeout(wake, 1000, "waiting")),
    ]);
    assertEquals(first, "waiting", name);
    idle.close();
    assertEquals((await waiting).stdout, "From server: ME TOO\n", name);

    // A character across the 1024th byte.
    await python("tcp_client.py", ["127.0.0.1", port], `${"a".repeat(1023)}ä`);
    assertEquals(await died(), 1, name);
  }
});

Deno.test("tcp-echo --faithful ends as the lecture's server does when clients reset their connections", async () => {
  for await (const { name, port, died } of faithfulPair("tcp")) {
    // The first that is gone before it is served ends the server; the rest find nobody.
    await python("tcp_reset.py", ["127.0.0.1", port, "1000", "x"]);
    assertEquals(await died(), 1, name);
  }
});
