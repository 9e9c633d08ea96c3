import { assert, assertEquals, assertMatch } from "@std/assert";
import { utf8 } from "../../../lib/core/bytes.ts";
import { countingOrigin } from "../../support/counting_origin.ts";
import { type StartedProgram, startProgram } from "../../support/program.ts";

// What clients can do to any HTTP server of ours; origin and edge stand for all, which share it.

const HOST = "127.0.0.1";
/** No head may take longer. */
const HEAD_LIMIT_MS = 10_000;

async function serve(
  ...args: string[]
): Promise<{ readonly program: StartedProgram; readonly port: number }> {
  const program = await startProgram([...args, "--host", HOST, "--port", "0"]);
  const { port } = await program.until("role.listening");
  return { program, port };
}

/** A client that writes bytes as they are. */
async function connect(port: number) {
  const stream = await Deno.connect({ hostname: HOST, port });
  const send = async (text: string) => {
    const bytes = utf8(text);
    for (let at = 0; at < bytes.length;) {
      at += await stream.write(bytes.subarray(at));
    }
  };
  /** All that comes until the other side ends. */
  const rest = async () => {
    let text = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await stream.read(buffer).catch(() => null);
      if (count === null) return text;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  };
  return { stream, send, rest, [Symbol.dispose]: () => stream.close() };
}

const HOST_LINE = `Host: ${HOST}\r\n`;

/** What some server of nginx, Varnish, Squid, Traffic Server, Deno and Node refuses, and what we refuse besides. */
const MALFORMED: readonly (readonly [name: string, request: string])[] = [
  [
    "Content-Length and Transfer-Encoding",
    `POST / HTTP/1.1\r\n${HOST_LINE}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "two Content-Length",
    `POST / HTTP/1.1\r\n${HOST_LINE}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
  ],
  [
    "an unknown transfer coding",
    `POST / HTTP/1.1\r\n${HOST_LINE}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "chunked, then another coding",
    `POST / HTTP/1.1\r\n${HOST_LINE}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  ],
  ["a space before the colon", `GET / HTTP/1.1\r\n${HOST_LINE}X : y\r\n\r\n`],
  ["a folded line", `GET / HTTP/1.1\r\n${HOST_LINE}X: a\r\n b\r\n\r\n`],
  ["bare LF", `GET / HTTP/1.1\nHost: ${HOST}\n\n`],
  ["bare CR", `GET / HTTP/1.1\r\n${HOST_LINE}X: a\rb\r\n\r\n`],
  ["NUL", `GET / HTTP/1.1\r\n${HOST_LINE}X: a\0b\r\n\r\n`],
  ["two Hosts", `GET / HTTP/1.1\r\n${HOST_LINE}Host: other\r\n\r\n`],
  ["no Host", "GET / HTTP/1.1\r\n\r\n"],
  [
    "Content-Length with a sign",
    `POST / HTTP/1.1\r\n${HOST_LINE}Content-Length: +5\r\n\r\nhello`,
  ],
  [
    "a chunk size in C's notation",
    `POST / HTTP/1.1\r\n${HOST_LINE}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
  ],
  [
    "GET with a body",
    `GET / HTTP/1.1\r\n${HOST_LINE}Content-Length: 5\r\n\r\nhello`,
  ],
  ["a path above the root", `GET /../a HTTP/1.1\r\n${HOST_LINE}\r\n`],
  [
    "a head of 100 kB",
    `GET / HTTP/1.1\r\n${HOST_LINE}X: ${"x".repeat(100_000)}\r\n\r\n`,
  ],
  ["no version", "GET /\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["random bytes", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"],
];

Deno.test("edge and origin refuse what is malformed, end the connection, and tell", async () => {
  const origin = await serve("origin");
  await using _origin = origin.program;
  const edge = await serve(
    "edge",
    "--origin",
    `http://${HOST}:${origin.port}/`,
  );
  await using _edge = edge.program;
  for (const { program, port } of [origin, edge]) {
    for (const [name, request] of MALFORMED) {
      using client = await connect(port);
      const good = `GET / HTTP/1.1\r\n${HOST_LINE}Connection: close\r\n\r\n`;
      await client.send(request + good).catch(() => {});
      const text = await client.rest();
      // A body that is refused may have been answered before: as what it was sent to deserves, and nothing after it.
      assertMatch(text, /^HTTP\/1\.1 [45]\d\d /, name);
      assertEquals(text.match(/^HTTP\/1\.1 /gm)?.length, 1, `${name}: ${text}`);
      assertMatch(text, /^connection: close\r$/m, name);
    }
    const told = program.events.filter(({ type }) =>
      type === "protocol.violated"
    );
    assert(told.length >= MALFORMED.length - 1, String(told.length));
    assertEquals((await program.stop()).code, 0);
  }
});

/** Sends `first`, then a byte now and then; resolves with how long the server bore it, and its answer. */
async function linger(port: number, first: string, byte = "") {
  using client = await connect(port);
  const from = performance.now();
  await client.send(first);
  const dribbling = byte === ""
    ? undefined
    : setInterval(() => client.send(byte).catch(() => {}), 500);
  const late = setTimeout(() => client.stream.close(), 6 * HEAD_LIMIT_MS);
  const text = await client.rest();
  clearInterval(dribbling);
  clearTimeout(late);
  return { ms: performance.now() - from, text };
}

Deno.test("edge gives slow clients 10 s, whatever they are slow at", async () => {
  await using origin = countingOrigin(() => new Response("hello"));
  const { program, port } = await serve("edge", "--origin", origin.url);
  await using _ = program;
  const slow = await Promise.all([
    linger(port, ""),
    linger(port, `GET / HTTP/1.1\r\n${HOST_LINE}X: `),
    linger(port, "GET /", "a"),
    linger(port, `GET / HTTP/1.1\r\n${HOST_LINE}`, "X: y\r\n"),
    linger(port, `PUT / HTTP/1.1\r\n${HOST_LINE}Content-Length: 9\r\n\r\nhal`),
  ]);
  const statuses = slow.map(({ text }) => text.slice(9, 12));
  assertEquals(statuses, ["", "408", "408", "408", "408"]);
  for (const { ms } of slow) {
    // A body has 10 s from its last byte on; what the machine adds is not ours, if it is less than the time itself.
    assert(ms > 8000 && ms < 2 * HEAD_LIMIT_MS, String(ms));
  }
  const codes = program.events.flatMap((event) =>
    event.type === "protocol.violated" ? [event.code] : []
  );
  assertEquals(codes.toSorted(), [
    "body-too-slow",
    "head-too-slow",
    "head-too-slow",
    "head-too-slow",
  ]);
  assertEquals((await program.stop()).code, 0);
});

Deno.test("--head-timeout of edge and origin is how long a head may take", async () => {
  const short = ["--head-timeout", "2s"];
  const origin = await serve("origin", ...short);
  await using _origin = origin.program;
  const edge = await serve("edge", "--origin", `http://${HOST}:1`, ...short);
  await using _edge = edge.program;
  const slow = await Promise.all(
    [origin, edge].map(({ port }) => linger(port, "GET / HTTP/1.1\r\n")),
  );
  for (const { ms, text } of slow) {
    assertEquals(text.slice(9, 12), "408");
    assert(ms > 1000 && ms < HEAD_LIMIT_MS, String(ms));
  }
});

async function rssKib(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}

Deno.test({
  name:
    "edge keeps serving beside 1,000 clients that never read, for 64 KiB each",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const bytes = 2 ** 20;
    await using origin = countingOrigin(() =>
      new Response(new Uint8Array(bytes), {
        headers: { "cache-control": "max-age=60" },
      })
    );
    const { program, port } = await serve("edge", "--origin", origin.url);
    await using _ = program;
    const get = async () =>
      (await (await fetch(`http://${HOST}:${port}/film`)).bytes()).length;
    for (let count = 0; count < 5; count++) assertEquals(await get(), bytes);
    const before = await rssKib(program.pid);
    const held: Deno.TcpConn[] = [];
    const request = utf8(`GET /film HTTP/1.1\r\n${HOST_LINE}\r\n`);
    for (let count = 0; count < 1000; count++) {
      const stream = await Deno.connect({ hostname: HOST, port });
      held.push(stream);
      await stream.write(request);
    }
    for (let count = 0; count < 5; count++) assertEquals(await get(), bytes);
    const each = (await rssKib(program.pid) - before) / held.length;
    assert(each <= 64, `${each.toFixed(1)} KiB each`);
    assertEquals(origin.requests.length, 1);
    assertEquals((await program.stop()).code, 0);
    for (const stream of held) stream.close();
  },
});

Deno.test({
  name: "origin bears 1,000 heads that never end, for 64 KiB each",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { program, port } = await serve("origin");
    await using _ = program;
    const get = async () => {
      const answer = await fetch(`http://${HOST}:${port}/manifest.mpd`);
      return (await answer.text()).includes("<MPD");
    };
    assert(await get());
    const before = await rssKib(program.pid);
    const held: Deno.TcpConn[] = [];
    const half = utf8(`GET / HTTP/1.1\r\nX: ${"x".repeat(16_000)}`);
    for (let count = 0; count < 1000; count++) {
      const stream = await Deno.connect({ hostname: HOST, port });
      held.push(stream);
      await stream.write(half).catch(() => {});
    }
    assert(await get());
    const each = (await rssKib(program.pid) - before) / held.length;
    assert(each <= 64, `${each.toFixed(1)} KiB each`);
    assertEquals((await program.stop()).code, 0);
    for (const stream of held) stream.close();
  },
});
