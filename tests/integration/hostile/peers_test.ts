import { assert, assertEquals } from "@std/assert";
import { concat, fromHex, fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import { eventually } from "../../support/eventually.ts";
import {
  portOf,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

// Every server meets the same strangers, one process each; after each of them it must still do its work.

const HOST = "127.0.0.1";
const LIMIT_MS = 60_000;
/** Connections that stay open and say nothing, or half of something. */
const HELD = 60;

interface Server {
  readonly args: readonly string[];
  /** What an honest client sends, and what it must find in the answer. */
  readonly ask: Uint8Array;
  readonly find: string;
  /** Half of something. */
  readonly half: Uint8Array;
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const HALF_HEAD = utf8("GET / HTTP/1.1\r\nHost: x\r\nX-Half: ");
const http = { ask: utf8(GET), find: "HTTP/1.1 200 ", half: HALF_HEAD };

/** `a.example A`, as it goes over TCP. */
const DNS_QUERY = fromHex(
  "001b123401000001000000000000" + "0161076578616d706c65000001" + "0001",
);

const SERVERS: readonly Server[] = [
  {
    args: ["tcp-echo"],
    ask: utf8("hello\n"),
    find: "HELLO",
    half: utf8("hel"),
  },
  { args: ["tracker"], ...http },
  { args: ["origin"], ...http },
  {
    // Nobody is behind it: it says so, and goes on.
    args: ["edge", "--origin", "http://127.0.0.1:9/"],
    ...http,
    find: "HTTP/1.1 502 ",
  },
  {
    args: ["dns-redirector", "--domain", "a.example", "--edge", "127.0.0.3"],
    ask: DNS_QUERY,
    find: "\x7f\x00\x00\x03",
    half: DNS_QUERY.subarray(0, 9),
  },
];

async function connect(port: number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: HOST, port });
}

/** Writes what the other side takes; that it may close or reset is no failure here. */
async function offer(stream: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += await stream.write(bytes.subarray(at));
    }
  } catch { /* It had enough. */ }
}

/** Sends `bytes` and reads until `find` is there or the stream has ended. */
async function answerTo(
  port: number,
  bytes: Uint8Array,
  find = "\0 never \0",
): Promise<string> {
  const stream = await connect(port);
  const late = setTimeout(() => stream.close(), LIMIT_MS);
  let text = "";
  try {
    await offer(stream, bytes);
    const buffer = new Uint8Array(65_536);
    while (!text.includes(find)) {
      const count = await stream.read(buffer).catch(() => null);
      if (count === null) break;
      text += Array.from(
        buffer.subarray(0, count),
        (byte) => String.fromCharCode(byte),
      ).join("");
    }
  } finally {
    clearTimeout(late);
    try {
      stream.close();
    } catch { /* Closed above. */ }
  }
  return text;
}

async function start(args: readonly string[]): Promise<
  { readonly program: StartedProgram; readonly port: number }
> {
  const program = await startProgram([...args, "--host", HOST, "--port", "0"]);
  const port = await portOf(program, "tcp", "http");
  return { program, port };
}

/** Stops the program: whatever it met, it ends well and prints nothing but its log. */
async function stopsWell(program: StartedProgram): Promise<void> {
  const { code, stderr } = await program.stop();
  assertEquals(code, 0);
  const strange = stderr.split("\n").filter((line) =>
    line !== "" && !line.startsWith("{")
  );
  assertEquals(strange, []);
}

for (const { args, ask, find, half } of SERVERS) {
  Deno.test(`${args[0]} keeps serving, whatever its clients do`, async () => {
    const { program, port } = await start(args);
    await using _ = program;
    const serves = async (what: string) => {
      const answer = await answerTo(port, ask, find);
      assert(answer.includes(find), `after ${what}: ${answer.slice(0, 200)}`);
    };
    await serves("nothing");

    const rng = seededRng(11);
    for (let count = 0; count < 60; count++) {
      const stream = await connect(port);
      const length = [0, 1, 7, 68, 500, 20_000][count % 6]!;
      const bytes = Uint8Array.from({ length }, () => Math.floor(rng() * 256));
      await offer(stream, bytes);
      stream.close(); // With bytes unread: a reset, as often as not.
    }
    await serves("random bytes");

    const held: Deno.TcpConn[] = [];
    for (let count = 0; count < HELD; count++) {
      const stream = await connect(port);
      held.push(stream);
      if (count % 2 === 0) await offer(stream, half);
    }
    await serves("connections that stand still");

    // Asks and asks, and never reads.
    for (const stream of held) {
      let open = true;
      const asking = (async () => {
        for (let count = 0; count < 40 && open; count++) {
          await offer(stream, concat(...Array(50).fill(ask)));
        }
      })();
      await Promise.race([asking, new Promise((go) => setTimeout(go, 1))]);
      open = false;
    }
    await serves("clients that do not read");
    // The clients are still there: they must not keep it from stopping.
    await stopsWell(program);
    for (const stream of held) stream.close();
  });
}

for (const { args, ask, find } of SERVERS) {
  Deno.test({
    name: `${args[0]} outlives clients that take every file descriptor`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using program = await startProgram(
        [...args, "--host", HOST, "--port", "0"],
        { inside: ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh"] },
      );
      const port = await portOf(program, "tcp", "http");
      const held: Deno.TcpConn[] = [];
      while (held.length < 100) {
        try {
          held.push(await connect(port));
        } catch {
          break; // It does not even listen now.
        }
      }
      for (const stream of held) stream.close();
      let answer = "";
      await eventually(async () => {
        answer = await answerTo(port, ask, find).catch(() => "");
        return answer.includes(find);
      }, { account: () => `answered: ${answer}` });
      assertEquals((await program.stop()).code, 0);
    },
  });
}

Deno.test("udp servers keep serving after datagrams of every length", async () => {
  await using echo = await startProgram(
    ["udp-echo", "--host", HOST, "--port", "0"],
  );
  await using dns = await startProgram(
    [...SERVERS[4]!.args, "--host", HOST, "--port", "0"],
  );
  await using tracker = await startProgram(
    ["tracker", "--host", HOST, "--port", "0"],
  );
  const connectRequest = fromHex("0000041727101980" + "00000000" + "00000007");
  for (
    const [program, ask, head] of [
      [echo, utf8("hello"), utf8("HELLO")],
      [dns, DNS_QUERY.subarray(2), DNS_QUERY.subarray(2, 4)],
      [tracker, connectRequest, connectRequest.subarray(8)],
    ] as const
  ) {
    const port = await portOf(program, "udp");
    const to = { transport: "udp", hostname: HOST, port } as const;
    const stranger = Deno.listenDatagram({ ...to, port: 0 });
    const rng = seededRng(12);
    for (const length of [0, 1, 11, 12, 15, 16, 97, 98, 512, 9000, 65_507]) {
      const bytes = Uint8Array.from({ length }, () => Math.floor(rng() * 256));
      for (let count = 0; count < 5; count++) await stranger.send(bytes, to);
    }
    stranger.close();
    const client = Deno.listenDatagram({ ...to, port: 0 });
    // A datagram may be lost while the server still has the others before it.
    const again = setInterval(() => void client.send(ask, to), 200);
    await client.send(ask, to);
    const [answer] = await client.receive();
    clearInterval(again);
    client.close();
    assertEquals(answer.subarray(0, head.length), head);
    await stopsWell(program);
  }
});

/** Targets that name what lies outside of the folder, or nothing at all. */
const TARGETS: readonly string[] = [
  "/../secret",
  "/..%2fsecret",
  "/%2e%2e/secret",
  "/%2e%2e%2fsecret",
  "/.%2e/secret",
  "/..%5csecret",
  "/..\\secret",
  "/%252e%252e%252fsecret",
  "/%c0%ae%c0%ae/secret",
  "/folder/../../secret",
  "/folder%2f..%2f..%2fsecret",
  "/link",
  "/outside/secret",
  "/.hidden",
  "/%2ehidden",
  "/secret%00",
  "//secret",
  "/%0d%0aX-Injected:%20yes",
  "/%",
  "/" + "a".repeat(5000),
];

Deno.test("origin --root shows nothing from outside of its folder, also through an edge", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  await Deno.mkdir(`${root}/folder`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/secret`, "the secret");
  await Deno.writeTextFile(`${root}/.hidden`, "the secret");
  await Deno.writeTextFile(`${root}/open.txt`, "open to all");
  await Deno.symlink("../secret", `${root}/link`);
  await Deno.symlink("..", `${root}/outside`);
  const origin = await start(["origin", "--root", root]);
  await using _origin = origin.program;
  const url = `http://${HOST}:${origin.port}/`;
  const edge = await start(["edge", "--origin", url]);
  await using _edge = edge.program;

  for (const { port } of [origin, edge]) {
    const get = (target: string, host = "x") =>
      answerTo(
        port,
        utf8(
          `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        ),
      );
    assert((await get("/open.txt")).endsWith("open to all"));
    for (const target of TARGETS) {
      const answer = await get(target);
      assert(/^HTTP\/1\.1 4\d\d /.test(answer), `${target}: ${answer}`);
      assert(!answer.includes("the secret"), target);
      assert(!/^X-Injected/im.test(answer), target);
    }
    // A Host that is none must not become a part of the path.
    assert((await get("/", "x/open.txt?")).startsWith("HTTP/1.1 400 "));
    // Another host in the target is not where we go.
    const { port: elsewhere } = edge;
    const other = await get(`http://${HOST}:${elsewhere}/metrics`);
    assert(other.startsWith("HTTP/1.1 404 "), other);
  }
  const tunnel = await answerTo(
    edge.port,
    utf8(
      `CONNECT ${HOST}:${origin.port} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ),
  );
  assert(tunnel.startsWith("HTTP/1.1 501 "), tunnel);
  await stopsWell(edge.program);
  await stopsWell(origin.program);
});

Deno.test("edge and origin answer a flood of ranges with no more than the whole", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "x".repeat(10_000));
  const origin = await start(["origin", "--root", folder.path]);
  await using _origin = origin.program;
  const url = `http://${HOST}:${origin.port}/`;
  const edge = await start(["edge", "--origin", url]);
  await using _edge = edge.program;
  for (const { port } of [origin, edge]) {
    for (
      const range of [
        Array(1000).fill("0-").join(),
        Array.from({ length: 1000 }, (_, at) => `${2 * at}-${2 * at}`).join(),
        Array.from({ length: 16 }, (_, at) => `${at}-`).join(),
      ]
    ) {
      const answer = await answerTo(
        port,
        utf8(
          `GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=${range}\r\nConnection: close\r\n\r\n`,
        ),
      );
      assert(/^HTTP\/1\.1 20[06] /.test(answer));
      assert(answer.length < 12_000, `${answer.length} bytes`);
    }
  }
  await stopsWell(edge.program);
  await stopsWell(origin.program);
});

Deno.test("admin keeps answering after garbage and readers that do not read", async () => {
  await using program = await startProgram(
    ["udp-echo", "--host", HOST, "--port", "0", "--admin", `${HOST}:0`],
  );
  const { port } = await program.until("admin.listening");
  const held: Deno.TcpConn[] = [];
  for (let count = 0; count < 70; count++) {
    const stream = await connect(port);
    held.push(stream);
    const line = count % 7 === 0 ? "\xff\0\r\n\r\n" : "GET /events HTTP/1.1";
    await offer(stream, utf8(`${line}\r\nHost: x\r\n\r\n`));
  }
  const answer = await answerTo(
    port,
    utf8(GET.replace("/ ", "/healthz ")),
  );
  assert(answer.includes("ok"));
  await stopsWell(program);
  for (const stream of held) stream.close();
});

Deno.test("edge keeps whole what an origin sends byte by byte", async () => {
  const bytes = 20_000;
  await using listener = Deno.listen({ hostname: HOST, port: 0 });
  const serving = (async () => {
    using stream = await listener.accept();
    await stream.read(new Uint8Array(4096));
    await offer(
      stream,
      utf8(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n" +
          "1\r\nx\r\n".repeat(bytes) + "0\r\n\r\n",
      ),
    );
  })();
  const url = `http://${HOST}:${listener.addr.port}/`;
  const edge = await start(["edge", "--origin", url]);
  await using _edge = edge.program;
  const answer = await answerTo(edge.port, utf8(GET));
  await serving;
  assertEquals(answer.replaceAll(/[^x]/g, "").length >= bytes, true);
  const again = await answerTo(edge.port, utf8(GET)); // From the cache: the listener takes no second connection.
  assert(again.endsWith("x".repeat(bytes)));
  assert(fromUtf8(utf8(again)).includes(`content-length: ${bytes}`));
  await stopsWell(edge.program);
});
