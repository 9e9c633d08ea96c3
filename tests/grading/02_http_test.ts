/**
 * Lesson 2, HTTP: a web server, asked for one file it has, of more than 100 bytes.
 *
 *     python3 web_server.py --root site --port 8080 &
 *     ROLECALL_TARGET=http://127.0.0.1:8080/numbers.txt deno test -A tests/grading/02_http_test.ts
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Answer,
  ask,
  assertKeptIn,
  assertSameBytes,
  closeAll,
  connect,
  converse,
  MessageReader,
  requestOf,
  writeAll,
} from "./_http.ts";
import { type Graded, graded, lastingUrl } from "./_target.ts";

const extra = { extra: true };
/** A request in so many pieces, one each time. */
const PIECES = 12;
const PIECE_MS = 100;

let shared: Promise<URL> | undefined;

async function start(): Promise<URL> {
  const url = await lastingUrl(() => ["origin", "--duration", "21s"]);
  return Deno.env.get("ROLECALL_TARGET")
    ? url
    : new URL("video_360_1.m4s", url);
}

/** One point: see {@linkcode graded}. All tests share the server, and get what a plain GET of the file gives. */
function server(
  name: string,
  run: (file: URL, whole: Answer) => Promise<void> | void,
  options: Graded = {},
): void {
  graded(name, async (signal) => {
    signal.addEventListener("abort", closeAll);
    const file = await (shared ??= start());
    const whole = await ask(file);
    assertEquals(whole.status, 200, `status of ${file.pathname}`);
    assert(whole.body.length > 100, `${file.pathname} has more than 100 B`);
    await run(file, whole);
  }, options);
}

/** Another path of the same folder. */
function besides(file: URL, name: string): URL {
  return new URL(name, file);
}

/** Whether the other side ends the connection. */
async function ends(connection: Deno.Conn): Promise<boolean> {
  return await connection.read(new Uint8Array(1)).catch(() => null) === null;
}

server(
  "answer: the file is 200, HTTP/1.1, with its type and length",
  async (file, whole) => {
    assertMatch(whole.first, /^HTTP\/1\.1 200\b/);
    const { fields, body } = whole;
    assertMatch(fields.get("content-type") ?? "none", /^[a-z]+\/[\w.+-]+/i);
    const isChunked = /chunked/i.test(fields.get("transfer-encoding") ?? "");
    if (!isChunked) {
      assertEquals(fields.get("content-length"), `${body.length}`);
    }
    assertSameBytes((await ask(file)).body, body);
  },
);

server("answer: Date says when it was made", (_file, { fields }) => {
  const date = fields.get("date") ?? "none";
  assertMatch(date, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  assert(!Number.isNaN(Date.parse(date)), date);
}, extra);

server(
  "answer: a request that comes in pieces is answered when it is whole",
  async (file, whole) => {
    const bytes = requestOf(file, {});
    using connection = await connect(file);
    connection.setNoDelay(true);
    const length = Math.ceil(bytes.length / PIECES);
    for (let at = 0; at < bytes.length; at += length) {
      await writeAll(connection, bytes.subarray(at, at + length));
      await new Promise((wake) => setTimeout(wake, PIECE_MS));
    }
    const answer = await new MessageReader(connection).next(() => true);
    assertMatch(answer?.first ?? "none", /^HTTP\/1\.[01] 200\b/);
    assertSameBytes(answer!.body, whole.body);
  },
);

server(
  "answer: names of fields may be in small letters or capitals",
  async (file) => {
    for (const name of ["host", "HOST"]) {
      const request =
        `GET ${file.pathname} HTTP/1.1\r\n${name}: ${file.host}\r\nCONNECTION: close\r\n\r\n`;
      assertEquals((await converse(file, request))?.status, 200, name);
    }
  },
);

server("missing: what is not there is 404", async (file) => {
  for (const name of ["not-there.html", "no/folder/x.html"]) {
    assertEquals((await ask(besides(file, name))).status, 404, name);
  }
});

server("head: HEAD has the fields of GET and no body", async (file, whole) => {
  const { status, fields, body } = await ask(file, { method: "HEAD" });
  assertEquals([status, body.length], [200, 0]);
  for (const name of ["content-length", "content-type"]) {
    assertEquals(fields.get(name), whole.fields.get(name), name);
  }
});

server(
  "connection: it is kept for a second request, also after a 404",
  async (file, whole) => {
    using connection = await connect(file);
    const reader = new MessageReader(connection);
    for (const [url, status] of [[file, 200], [besides(file, "no"), 404]]) {
      const request = requestOf(new URL(url as URL), {
        fields: { Connection: "keep-alive" },
      });
      await writeAll(connection, request);
      const answer = await reader.next(() => true);
      assertMatch(answer?.first ?? "none", new RegExp(`^HTTP/1.1 ${status}`));
    }
    await writeAll(connection, requestOf(file, {}));
    const last = await reader.next(() => true);
    assertSameBytes(last?.body ?? new Uint8Array(0), whole.body);
  },
);

server(
  "connection: it ends after the answer when the client says close",
  async (file) => {
    using connection = await connect(file);
    await writeAll(connection, requestOf(file, {}));
    await new MessageReader(connection).next(() => true);
    assert(await ends(connection));
  },
);

server(
  "connection: HTTP/1.0 is answered, and the connection ends",
  async (file, whole) => {
    using connection = await connect(file);
    const request = `GET ${file.pathname} HTTP/1.0\r\n\r\n`;
    await writeAll(connection, new TextEncoder().encode(request));
    const answer = await new MessageReader(connection).next(() => true);
    assertMatch(answer?.first ?? "none", /^HTTP\/1\.[01] 200\b/);
    assertSameBytes(answer!.body, whole.body);
    assert(await ends(connection));
  },
);

server(
  "connection: requests sent at once are answered in their order",
  async (file, whole) => {
    using connection = await connect(file);
    const kept = { Connection: "keep-alive" };
    const requests = [
      requestOf(file, { fields: kept }),
      requestOf(besides(file, "not-there.html"), { fields: kept }),
      requestOf(file, {}),
    ];
    const bytes = new Blob(requests.map((each) => each.slice()));
    await writeAll(connection, await bytes.bytes());
    const reader = new MessageReader(connection);
    for (const status of [200, 404, 200]) {
      const answer = await reader.next(() => true);
      assertMatch(answer?.first ?? "none", new RegExp(`^HTTP/1.1 ${status}`));
      if (status === 200) assertSameBytes(answer!.body, whole.body);
    }
  },
  extra,
);

server(
  "unchanged: who has the file (by Last-Modified or ETag) gets 304 without a body",
  async (file, { fields }) => {
    const date = fields.get("last-modified");
    const etag = fields.get("etag");
    assert(date ?? etag, "Last-Modified or ETag");
    const conditions = [
      ...date === null ? [] : [{ "If-Modified-Since": date }],
      ...etag === null ? [] : [{ "If-None-Match": etag }],
    ];
    for (const condition of conditions as Record<string, string>[]) {
      const { status, body } = await ask(file, { fields: condition });
      assertEquals([status, body.length], [304, 0], Object.keys(condition)[0]!);
    }
  },
);

server(
  "unchanged: who has an older one gets the file",
  async (file, whole) => {
    const old = "Thu, 01 Jan 1970 00:00:01 GMT";
    for (
      const fields of [
        { "If-Modified-Since": old },
        { "If-None-Match": '"another"' },
        { "If-Modified-Since": "yesterday" },
      ] as Record<string, string>[]
    ) {
      const { status, body } = await ask(file, { fields });
      assertEquals(status, 200, Object.values(fields)[0]!);
      assertSameBytes(body, whole.body);
    }
  },
);

server(
  "range: bytes 10 to 19 are 206 with Content-Range",
  async (file, whole) => {
    const part = await ask(file, { fields: { Range: "bytes=10-19" } });
    assertEquals(part.status, 206);
    const range = `bytes 10-19/${whole.body.length}`;
    assertEquals(part.fields.get("content-range"), range);
    assertSameBytes(part.body, whole.body.subarray(10, 20));
  },
  extra,
);

server(
  "refused: what is no request is 400 or not answered, and the next is served",
  async (file) => {
    for (const bytes of ["HELLO\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET\r\n\r\n"]) {
      const answer = await converse(file, bytes).catch(() => null);
      const status = answer?.status ?? 400;
      assert(
        status >= 400 && status < 600,
        `${JSON.stringify(bytes)}: ${status}`,
      );
    }
    assertEquals((await ask(file)).status, 200);
  },
);

server("refused: HTTP/1.1 without Host is 400", async (file) => {
  const request = `GET ${file.pathname} HTTP/1.1\r\nConnection: close\r\n\r\n`;
  assertEquals((await converse(file, request))?.status, 400);
}, extra);

server(
  "refused: methods it does not know are 405 or 501",
  async (file) => {
    for (const method of ["BREW", "get"]) {
      const { status } = await ask(file, { method });
      assert([400, 405, 501].includes(status), `${method} is ${status}`);
    }
  },
);

server(
  "refused: nothing outside its folder, by .. in any spelling",
  async (file) => {
    await assertKeptIn(file);
    assertEquals((await ask(file)).status, 200);
  },
);

server(
  "many: a client that says nothing does not hold up another",
  async (file) => {
    using _silent = await connect(file);
    assertEquals((await ask(file)).status, 200);
  },
);

server(
  "many: a client that leaves in the middle of an answer ends nothing but its own",
  async (file) => {
    for (let count = 0; count < 5; count++) {
      const connection = await connect(file);
      await writeAll(connection, requestOf(file, {}));
      connection.close();
    }
    assertEquals((await ask(file)).status, 200);
  },
);

server(
  "many: eight clients at once get the same bytes",
  async (file, whole) => {
    const answers = Array.from({ length: 8 }, () => ask(file));
    for (const { body } of await Promise.all(answers)) {
      assertSameBytes(body, whole.body);
    }
  },
);
