import { assert, assertEquals, assertRejects } from "@std/assert";
import { serveHttp } from "../../lib/io/deno/http.ts";
import { denoNet } from "../../lib/io/deno/net.ts";
import type {
  HttpHandler,
  HttpResponse,
  HttpServer,
} from "../../lib/io/http.ts";
import { eventually } from "../support/eventually.ts";
import { programCommand, startProgram } from "../support/program.ts";

const OK = { status: 200, headers: new Headers() };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Serves with the engine `batch`; fails where that cannot be had. */
function serveBatched(
  handler: HttpHandler,
  at: { readonly host?: string; readonly port?: number } = {},
  shared = false,
): HttpServer {
  return serveHttp(
    { host: at.host ?? "127.0.0.1", port: at.port ?? 0 },
    handler,
    {
      shared,
      cannotBatch(reason) {
        throw new Error(reason);
      },
    },
  );
}

/** Sends `requests` on one connection and returns all that comes until the server closes it. */
async function talk(
  port: number,
  requests: string,
  hostname = "127.0.0.1",
): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(utf8(requests));
  return await new Response(connection.readable).text();
}

const get = (path: string, close = false) =>
  `GET ${path} HTTP/1.1\r\nHost: test\r\n${
    close ? "Connection: close\r\n" : ""
  }\r\n`;

Deno.test("engine batch: hundreds of connections, each with requests in a row", async () => {
  await using server = serveBatched(({ target }) => ({
    ...OK,
    body: utf8(`<${target}>`),
  }));
  const clients = Array.from({ length: 300 }, (_, at) =>
    talk(
      server.port,
      get(`/a${at}`) + get(`/b${at}`) + get(`/c${at}`, true),
    ));
  for (const [at, text] of (await Promise.all(clients)).entries()) {
    const bodies = [...text.matchAll(/<(.*?)>/g)].map((match) => match[1]);
    assertEquals(bodies, [`/a${at}`, `/b${at}`, `/c${at}`]);
  }
});

Deno.test("engine batch: clients are known by their addresses in both families", async () => {
  const handler: HttpHandler = ({ remote }) => ({
    ...OK,
    body: utf8(`<${remote.host} ${remote.port}>`),
  });
  for (
    const [host, from] of [
      ["127.0.0.1", "127.0.0.1"],
      ["::", "127.0.0.1"],
      ["::", "::1"],
      ["::1", "::1"],
    ] as const
  ) {
    await using server = serveBatched(handler, { host });
    assertEquals(server.host, host);
    using connection = await Deno.connect({
      hostname: from,
      port: server.port,
    });
    await connection.write(utf8(get("/", true)));
    const text = await new Response(connection.readable).text();
    const { port } = connection.localAddr as Deno.NetAddr;
    assert(text.includes(`<${from} ${port}>`), text);
  }
});

Deno.test("engine batch: a large answer waits for a slow reader, and others do not", async () => {
  const large = new Uint8Array(16 * 2 ** 20).map((_, at) => at % 251);
  await using server = serveBatched(({ target }): HttpResponse => ({
    ...OK,
    body: target === "/large" ? large : utf8("small"),
  }));
  using slow = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  await slow.write(utf8(get("/large", true)));
  const quick = await talk(server.port, get("/", true));
  assert(quick.endsWith("small"));
  const text = new Uint8Array(
    await new Response(slow.readable).arrayBuffer(),
  );
  assertEquals(text.subarray(text.length - large.length), large);
});

Deno.test("engine batch: what many are sent is right to the last byte, whoever reads late or leaves", async () => {
  // More than stand at once in the file that the system sends from, each asked for more often than it takes to get there.
  const bodies = Array.from(
    { length: 60 },
    (_, at) => new Uint8Array(65_536).fill(at),
  );
  await using server = serveBatched(({ target }): HttpResponse => ({
    ...OK,
    body: bodies[Number(target.slice(1))]!,
  }));
  const wanted = (from: number) =>
    Array.from({ length: 320 }, (_, at) => (from + (at >> 3)) % bodies.length);
  const ask = async (from: number, pauseMs: number) => {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    const paths = wanted(from).map((body) => `/${body}`);
    await connection.write(
      utf8(paths.map((path, at) => get(path, at === 319)).join("")),
    );
    await new Promise((wake) => setTimeout(wake, pauseMs));
    return await new Response(connection.readable).bytes();
  };
  const leave = async () => {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    await connection.write(utf8(get("/0").repeat(50)));
    await connection.read(new Uint8Array(10_000));
  };
  const leaving = Promise.all([leave(), leave(), leave()]);
  const starts = [0, 0, 7, 7, 30, 30];
  const answers = await Promise.all(starts.map((from, n) => ask(from, n * 50)));
  await leaving;
  for (const [n, from] of starts.entries()) {
    let bytes = answers[n]!;
    for (const body of wanted(from)) {
      const head = new TextDecoder().decode(bytes.subarray(0, 500));
      bytes = bytes.subarray(head.indexOf("\r\n\r\n") + 4);
      const sent = bytes.subarray(0, 65_536);
      assert(sent.every((byte) => byte === body), `body ${body} of ${from}`);
      bytes = bytes.subarray(sent.length);
    }
    assertEquals(bytes.length, 0);
  }
});

Deno.test("engine batch: bodies of requests come whole, however they are cut", async () => {
  await using server = serveBatched(async ({ body }) => ({
    ...OK,
    body: utf8(`<${(await new Response(body).text()).length}>`),
  }));
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  const length = 300_000;
  await connection.write(
    utf8(
      `POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
    ),
  );
  const piece = new Uint8Array(7919).fill(0x61);
  for (let left = length; left > 0;) {
    left -= await connection.write(
      piece.subarray(0, Math.min(left, piece.length)),
    );
  }
  const text = await new Response(connection.readable).text();
  assert(text.includes(`<${length}>`), text);
});

Deno.test("engine batch: whoever leaves in the middle is noticed", async () => {
  const begun = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using server = serveBatched(({ signal, target }): HttpResponse => {
    if (target === "/") return { ...OK, body: utf8("<others>") };
    signal.addEventListener("abort", () => gone.resolve(), { once: true });
    begun.resolve();
    return {
      ...OK,
      body: {
        next: () => Promise.resolve(new Uint8Array(65_536)),
        leave: () => {},
      },
    };
  });
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  await connection.write(utf8(get("/endless")));
  await begun.promise;
  connection.close();
  await gone.promise;
  assert((await talk(server.port, get("/", true))).includes("<others>"));
});

Deno.test("engine batch: an answer in flight ends before the server does, and the port is free then", async () => {
  const begun = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  const server = serveBatched(async () => {
    begun.resolve();
    await rest.promise;
    return { ...OK, body: utf8("<late>") };
  });
  const answer = talk(server.port, get("/"));
  await begun.promise;
  const ended = server[Symbol.asyncDispose]();
  rest.resolve();
  await ended;
  assert((await answer).includes("<late>"));
  await assertRejects(() =>
    Deno.connect({ hostname: "127.0.0.1", port: server.port })
  );
  await using _again = serveBatched(() => ({ ...OK, body: null }), {
    port: server.port,
  });
});

Deno.test("engine batch: servers share a port where they ask for it, and only there", async () => {
  const answering = (text: string): HttpHandler => () => ({
    ...OK,
    body: utf8(text),
  });
  await using first = serveBatched(answering("<1>"), {}, true);
  await using second = serveBatched(
    answering("<2>"),
    { port: first.port },
    true,
  );
  assertEquals(second.port, first.port);
  const seen = new Set<string>();
  await eventually(async () => {
    const text = await talk(first.port, get("/", true));
    seen.add(/<(.)>/.exec(text)?.[1] ?? "");
    return seen.size === 2;
  }, { account: () => `answered: ${[...seen]}`, pauseMs: 1 });
  await using other = serveBatched(answering("<3>"));
  const at = { host: "127.0.0.1", port: other.port };
  const error = await assertRejects(() =>
    Promise.resolve().then(() => serveBatched(answering("<4>"), at))
  );
  assert(`${error}`.includes("the port is in use"), `${error}`);
});

Deno.test("engine batch: out of descriptors, idle clients make room for those that wait", async () => {
  await using program = await startProgram(
    ["origin", "--host", "127.0.0.1", "--port", "0", "--engine", "batch"],
    { inside: ["sh", "-c", 'ulimit -n 100; exec "$0" "$@"'] },
  );
  const { port } = await program.until("role.listening");
  const idle: Deno.TcpConn[] = [];
  try {
    for (let count = 0; count < 150; count++) {
      idle.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    }
    const text = await talk(port, get("/manifest.mpd", true));
    assert(text.startsWith("HTTP/1.1 200 "), text.slice(0, 100));
  } finally {
    for (const connection of idle) connection.close();
  }
  assertEquals((await program.stop()).code, 0);
});

Deno.test("engine batch: where the C library may not be called, that is said once and all is served", async () => {
  const command = programCommand();
  const isBinary = command.length === 1;
  await using program = await startProgram(
    ["tracker", "--host", "127.0.0.1", "--port", "0", "--engine", "batch"],
    // The executable has the permission; it is there that the engine works.
    { command },
  );
  const { port } = await program.until("role.listening");
  const answer = await talk(port, get("/", true));
  assert(answer.startsWith("HTTP/1.1 200 "), answer.slice(0, 100));
  assertEquals((await program.stop()).code, 0);
  const told = program.events.filter(({ type }) => type === "engine.rejected");
  assertEquals(told.length, isBinary ? 0 : 1);
});

Deno.test("engine auto, of HTTP servers: batched where it can be had, and not a word where it cannot", async () => {
  const own = await bellsOf(programCommand(true), ["--engine", "portable"]);
  assertEquals(await bellsOf(programCommand(true)), own + 1);
  const command = programCommand();
  // The executable always may.
  const isBinary = command.length === 1;
  assertEquals(await bellsOf(command), isBinary ? own + 1 : own);
});

/** How many bells (eventfd) a tracker has: each loop of the engine needs one, as the runtime does. */
async function bellsOf(
  command: readonly string[],
  flags: readonly string[] = [],
): Promise<number> {
  await using program = await startProgram(
    ["tracker", "--host", "127.0.0.1", "--port", "0", ...flags],
    { command },
  );
  const { port } = await program.until("role.listening");
  const answer = await talk(port, get("/", true));
  assert(answer.startsWith("HTTP/1.1 200 "), answer.slice(0, 100));
  const folder = `/proc/${program.pid}/fd`;
  const open = await Array.fromAsync(Deno.readDir(folder));
  const links = await Promise.all(
    open.map(({ name }) => linkOf(`${folder}/${name}`)),
  );
  assertEquals((await program.stop()).code, 0);
  const told = program.events.filter(({ type }) => type === "engine.rejected");
  assertEquals(told, []);
  return links.filter((link) => link.includes("[eventfd]")).length;
}

Deno.test("engine batch: bytes that come one by one, and long silence between", async () => {
  await using server = denoNet.serveHttp(
    { host: "127.0.0.1", port: 0 },
    () => ({ ...OK, body: utf8("<whole>") }),
    { cannotBatch: (reason) => assertEquals(reason, "") },
  );
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port,
  });
  for (const [at, byte] of utf8(get("/", true)).entries()) {
    await connection.write(Uint8Array.of(byte));
    if (at % 10 === 0) await new Promise((wake) => setTimeout(wake, 20));
  }
  const text = await new Response(connection.readable).text();
  assert(text.includes("<whole>"), text);
});

/** Where a link leads; nothing if it has gone. */
function linkOf(path: string): Promise<string> {
  return Deno.readLink(path).catch(() => "");
}
