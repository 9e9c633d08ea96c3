/**
 * Lesson 1, sockets: the upper-case server of the slides, over UDP and TCP on one port number.
 *
 *     python3 UDPServer.py &
 *     ROLECALL_TARGET=udp://127.0.0.1:12000 deno test -A tests/grading/01_sockets_test.ts
 *
 * `udp://` and `tcp://` leave the other transport out; with `HOST:PORT` both are tested.
 */
import { assertEquals } from "@std/assert";
import { graded, isMeant, type Target, target } from "./_target.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Longest wait for an answer. */
const ANSWER_MS = 3000;

/** A UDP client of its own port. */
function udpClient({ host, port }: Target) {
  const socket = Deno.listenDatagram({
    ...{ transport: "udp", hostname: "0.0.0.0", port: 0 },
  });
  const to = { transport: "udp", hostname: host, port } as const;
  return {
    send: (bytes: Uint8Array) => socket.send(bytes, to),
    /** The next answer. @throws {Error} If there is none in time. */
    async receive(): Promise<Uint8Array> {
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => reject(new Error("no answer within 3 s")),
        ANSWER_MS,
      );
      try {
        return (await Promise.race([socket.receive(), promise]))[0];
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Sends `bytes` in one connection, says that no more comes, and returns all that is answered. */
async function askOverTcp(
  { host, port }: Target,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: host, port });
  await connection.write(bytes);
  const parts: number[] = [];
  const buffer = new Uint8Array(4096);
  const wanted = bytes.length;
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    parts.push(...buffer.subarray(0, count));
    // The slides' server closes after its answer; one that goes on with the next line is as good.
    if (parts.length >= wanted) break;
  }
  return Uint8Array.from(parts);
}

function udp(
  name: string,
  run: (server: Target) => Promise<void>,
  options: { readonly extra?: boolean } = {},
): void {
  graded(`udp: ${name}`, async () => {
    await using server = await target(["udp-echo"]);
    await run(server);
  }, { ...options, ignore: !isMeant("udp") });
}

function tcp(
  name: string,
  run: (server: Target) => Promise<void>,
  options: { readonly extra?: boolean } = {},
): void {
  graded(`tcp: ${name}`, async () => {
    await using server = await target(["tcp-echo"]);
    await run(server);
  }, { ...options, ignore: !isMeant("tcp") });
}

/** Sends a datagram and returns the text of the answer. */
async function askOverUdp(server: Target, message: string): Promise<string> {
  using client = udpClient(server);
  await client.send(utf8(message));
  return text(await client.receive());
}

udp("a sentence comes back in capitals", async (server) => {
  const answer = await askOverUdp(server, "input lowercase sentence");
  assertEquals(answer, "INPUT LOWERCASE SENTENCE");
});

udp("what is no small letter stays as it is", async (server) => {
  const answer = await askOverUdp(server, "Ab3 ,.-!?\tZ\n");
  assertEquals(answer, "AB3 ,.-!?\tZ\n");
});

udp("each datagram is answered by one datagram, in turn", async (server) => {
  using client = udpClient(server);
  for (const message of ["one", "two", "three"]) {
    await client.send(utf8(message));
    assertEquals(text(await client.receive()), message.toUpperCase());
  }
});

udp("the answer goes to the client that asked", async (server) => {
  using first = udpClient(server);
  using second = udpClient(server);
  await first.send(utf8("from the first"));
  await second.send(utf8("from the second"));
  assertEquals(text(await second.receive()), "FROM THE SECOND");
  assertEquals(text(await first.receive()), "FROM THE FIRST");
});

udp("a datagram of 2000 bytes comes back whole", async (server) => {
  const message = "abcdefghij".repeat(200);
  assertEquals(await askOverUdp(server, message), message.toUpperCase());
});

udp("letters of other alphabets have capitals too", async (server) => {
  assertEquals(await askOverUdp(server, "γειά σου"), "ΓΕΙΆ ΣΟΥ");
}, { extra: true });

udp("an empty datagram does not end the server", async (server) => {
  using client = udpClient(server);
  await client.send(new Uint8Array(0));
  assertEquals(await askOverUdp(server, "still there?"), "STILL THERE?");
});

tcp("a sentence comes back in capitals", async (server) => {
  const answer = await askOverTcp(server, utf8("input lowercase sentence"));
  assertEquals(text(answer), "INPUT LOWERCASE SENTENCE");
});

tcp("the next client is served as well", async (server) => {
  for (const message of ["first client", "second client", "third client"]) {
    const answer = await askOverTcp(server, utf8(message));
    assertEquals(text(answer), message.toUpperCase());
  }
});

tcp(
  "a client that says nothing and leaves does not end the server",
  async (server) => {
    const { host, port } = server;
    (await Deno.connect({ hostname: host, port })).close();
    const answer = await askOverTcp(server, utf8("still there?"));
    assertEquals(text(answer), "STILL THERE?");
  },
);

tcp(
  "two clients are served at once: one that waits does not hold up the other",
  async (server) => {
    const { host, port } = server;
    using _waiting = await Deno.connect({ hostname: host, port });
    const answer = await askOverTcp(server, utf8("meanwhile"));
    assertEquals(text(answer), "MEANWHILE");
  },
  { extra: true },
);

tcp("several lines in one connection, each answered", async (server) => {
  const { host, port } = server;
  using connection = await Deno.connect({ hostname: host, port });
  const buffer = new Uint8Array(100);
  for (const line of ["first line\n", "second line\n"]) {
    await connection.write(utf8(line));
    const count = await connection.read(buffer);
    assertEquals(text(buffer.subarray(0, count ?? 0)), line.toUpperCase());
  }
}, { extra: true });

tcp("a letter that comes in two pieces is one letter", async (server) => {
  const { host, port } = server;
  using connection = await Deno.connect({ hostname: host, port });
  connection.setNoDelay(true);
  const bytes = utf8("straße γ\n");
  const middle = bytes.length - 2;
  await connection.write(bytes.subarray(0, middle));
  await new Promise((wake) => setTimeout(wake, 1000));
  await connection.write(bytes.subarray(middle));
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(100);
  while (!answer.endsWith("\n")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    answer += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  assertEquals(answer, "STRASSE Γ\n");
}, { extra: true });

// Last, since it ends the slides' own server.
udp("bytes that are no text do not end the server", async (server) => {
  using client = udpClient(server);
  await client.send(Uint8Array.of(0xff, 0xfe, 0x00, 0x80));
  assertEquals(await askOverUdp(server, "still there?"), "STILL THERE?");
}, { extra: true });
