import { assert, assertEquals, assertMatch } from "@std/assert";
import { concat, utf8 } from "../../../../lib/core/bytes.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import type { ConnectionInput } from "../../../../lib/http/http1/connection_messages.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import { Talk } from "./_talk.ts";

const GET = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

Deno.test("ServerConnection answers one request after the other on one connection", () => {
  const talk = new Talk();
  assertEquals(talk.say(GET).news(), ["GET /a"]);
  assertEquals(talk.machine.wantsBytes, false);
  assertEquals(talk.answer(utf8("hello")).news(), ["write last"]);
  assertEquals(
    talk.text(),
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  );
  assertEquals(talk.wrote().news(), []);
  assertEquals(talk.machine.wantsBytes, true);
  assertEquals(talk.say(GET).news(), ["GET /a"]);
});

Deno.test("ServerConnection keeps pipelined requests until their turn", () => {
  const talk = new Talk();
  talk.say(GET + GET.replace("/a", "/b") + "GET /c HTTP/1.1\r\nHo");
  assertEquals(talk.news(), ["GET /a"]);
  talk.answer(null).wrote();
  assertEquals(talk.news(), ["write last", "GET /b"]);
  talk.answer(null).wrote();
  assertEquals(talk.say("st: x\r\n\r\n").news(), ["write last", "GET /c"]);
});

Deno.test("ServerConnection says and does the same however requests are cut", () => {
  const text = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" +
    "PUT /q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" +
    GET + "BAD\r\n\r\n" + GET;
  const play = (pieces: readonly string[]) => {
    const talk = new Talk();
    let body = "";
    let rest = [...pieces];
    for (let turn = 0; turn < 3000; turn++) {
      for (const news of talk.news()) {
        if (news.startsWith("body ")) body += news.slice(5);
        if (news === "write last") talk.wrote();
        if (/^(GET|body-ended)/.test(news)) talk.answer(utf8(body));
        if (news.startsWith("close")) return talk.sent;
        if (/^P|^body /.test(news)) talk.feed({ kind: "want" });
      }
      if (talk.seen.length > 0) continue;
      if (talk.machine.wantsBytes && rest.length > 0) {
        talk.say(rest[0]!);
        rest = rest.slice(1);
      }
    }
    return `stuck after ${talk.sent}`;
  };
  const whole = play([text]);
  assertMatch(whole, /hello[^]*helloabcde[^]*helloabcde[^]*400 Bad Request/);
  assertEquals(play([...text]), whole);
  const rng = seededRng(9);
  for (let round = 0; round < 200; round++) {
    const pieces: string[] = [];
    for (let at = 0; at < text.length;) {
      const end = at + 1 + Math.floor(rng() * 60);
      pieces.push(text.slice(at, end));
      at = end;
    }
    assertEquals(play(pieces), whole);
  }
});

Deno.test("ServerConnection frames each kind of answer", () => {
  const rows: readonly [
    request: string,
    body: Uint8Array | { readonly lengthBytes?: number } | null,
    answer: { status?: number; fields?: [string, string][] },
    head: string,
  ][] = [
    ["GET / HTTP/1.1", null, {}, "200 OK\r\ncontent-length: 0\r\n"],
    ["GET / HTTP/1.1", null, { status: 204 }, "204 No Content\r\n"],
    [
      "GET / HTTP/1.1",
      null,
      { status: 304, fields: [["content-length", "7"], ["etag", '"e"']] },
      '304 Not Modified\r\ncontent-length: 7\r\netag: "e"\r\n',
    ],
    [
      "HEAD / HTTP/1.1",
      null,
      { fields: [["content-length", "7"]] },
      "200 OK\r\ncontent-length: 7\r\n",
    ],
    [
      "HEAD / HTTP/1.1",
      utf8("hello"),
      {},
      "200 OK\r\ncontent-length: 5\r\n",
    ],
    [
      "GET / HTTP/1.1",
      {},
      { fields: [["content-length", "7"]] },
      "200 OK\r\ncontent-length: 7\r\n",
    ],
    ["GET / HTTP/1.1", {}, {}, "200 OK\r\ntransfer-encoding: chunked\r\n"],
    ["GET / HTTP/1.0", {}, {}, "200 OK\r\nconnection: close\r\n"],
    [
      "GET / HTTP/1.0",
      null,
      {},
      "200 OK\r\ncontent-length: 0\r\nconnection: close\r\n",
    ],
    [
      "GET / HTTP/1.0\r\nConnection: keep-alive",
      null,
      {},
      "200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n",
    ],
    [
      "GET / HTTP/1.1\r\nConnection: close",
      null,
      {
        fields: [["connection", "x"], ["transfer-encoding", "gzip"], [
          "keep-alive",
          "5",
        ]],
      },
      "200 OK\r\ncontent-length: 0\r\nconnection: close\r\n",
    ],
    [
      "GET / HTTP/1.1",
      null,
      { status: 599, fields: [["x", "\xe4"]] },
      "599 \r\nx: \xe4\r\ncontent-length: 0\r\n",
    ],
  ];
  for (const [request, body, answer, head] of rows) {
    const talk = new Talk();
    talk.say(`${request}\r\nHost: x\r\n\r\n`).answer(body, answer);
    assertEquals(talk.text(), `HTTP/1.1 ${head}\r\n`, request);
  }
});

Deno.test("ServerConnection keeps the Date of an answer, and refuses a value that would begin another line", () => {
  const talk = new Talk();
  talk.say(GET).answer(null, { fields: [["date", "then"]] });
  assertMatch(talk.sent, /\r\ndate: then\r\n(?!date)/);
  const other = new Talk().say(GET);
  let thrown: unknown;
  try {
    other.answer(null, { fields: [["x", "a\r\nset-cookie: b"]] });
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof TypeError);
  // The answer can still be given.
  assertEquals(other.answer(null, { status: 500 }).news(), [
    "GET /a",
    "write last",
  ]);
});

Deno.test("ServerConnection sends interim answers before the answer, but to HTTP/1.0 none", () => {
  const hints = {
    kind: "interim",
    status: 103,
    fields: new Fields([["link", "</a>"], ["content-length", "7"]]),
  } as const;
  const talk = new Talk();
  talk.feed(hints).say(GET).feed(hints).wrote().answer(utf8("hi"));
  talk.feed(hints);
  assertEquals(
    talk.text(),
    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" +
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
  );
  const old = new Talk();
  old.say("GET / HTTP/1.0\r\n\r\n").feed(hints).answer(utf8("hi"));
  assertMatch(old.text(), /^HTTP\/1\.1 200 OK/);
});

Deno.test("ServerConnection sends streams piece by piece, and never another length than announced", () => {
  const chunked = new Talk();
  chunked.say(GET).answer({}).wrote();
  chunked.text();
  chunked.feed({ kind: "piece", bytes: utf8("hello") }).wrote();
  chunked.feed({ kind: "piece", bytes: new Uint8Array(0) });
  chunked.feed({ kind: "piece", bytes: utf8("x".repeat(17)) }).wrote();
  chunked.feed({ kind: "ended" }).wrote();
  assertEquals(
    chunked.text(),
    `5\r\nhello\r\n11\r\n${"x".repeat(17)}\r\n0\r\n\r\n`,
  );
  assertEquals(chunked.machine.wantsBytes, true);

  const known = new Talk();
  known.say(GET).answer({ lengthBytes: 5 }).wrote();
  known.feed({ kind: "piece", bytes: utf8("hello") }).wrote();
  known.feed({ kind: "ended" });
  assertEquals(known.machine.wantsBytes, true);

  for (const pieces of [["hel"], ["hello!"], []]) {
    const wrong = new Talk();
    wrong.say(GET).answer({ lengthBytes: 5 }).wrote();
    for (const piece of pieces) {
      wrong.feed({ kind: "piece", bytes: utf8(piece) });
    }
    wrong.feed({ kind: "ended" });
    assertEquals(wrong.news().at(-1), "close");
  }
  const broken = new Talk().say(GET).answer({}).wrote();
  assertEquals(broken.feed({ kind: "failed" }).news().at(-1), "close");
});

Deno.test("ServerConnection reads a body only when somebody wants it, and says 100 only then", () => {
  const talk = new Talk();
  talk.say(
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
  );
  assertEquals(talk.machine.wantsBytes, false);
  assertEquals(talk.text(), "");
  talk.feed({ kind: "want" });
  assertEquals(talk.text(), "HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals(talk.machine.wantsBytes, true);
  talk.say("hello");
  assertEquals(talk.machine.wantsBytes, false);
  talk.feed({ kind: "want" }).say("world" + GET);
  talk.answer(null).wrote();
  assertEquals(talk.news(), [
    "POST /",
    "write",
    "body hello",
    "body world",
    "body-ended",
    "write last",
    "GET /a",
  ]);
});

Deno.test("ServerConnection ends after an answer to a request whose body nobody read", () => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n";
  const whole = new Talk().say(`${head}\r\nhello${GET}`).answer(null).wrote();
  assertEquals(whole.news(), ["POST /", "write last", "GET /a"]);
  for (const rest of ["\r\nhell", "Expect: 100-continue\r\n\r\n"]) {
    const talk = new Talk().say(head + rest).answer(null, { status: 403 });
    assertMatch(talk.text(), /\r\nconnection: close\r\n/);
    assertEquals(talk.wrote().news().at(-1), "close politely");
  }
});

Deno.test("ServerConnection answers what is no request once, and reads no further", () => {
  const rows: readonly [string, string, RegExp][] = [
    ["GET /\r\n\r\n" + GET, "head-malformed", /^HTTP\/1\.1 400 /],
    [`GET /${"a".repeat(1000)}`, "head-too-large", /^HTTP\/1\.1 431 /],
    [
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n",
      "body-too-large",
      /^HTTP\/1\.1 413 /,
    ],
  ];
  for (const [text, code, status] of rows) {
    const talk = new Talk().say(text);
    assertEquals(talk.news(), [`violated ${code}`, "write last"]);
    assertMatch(talk.text(), status);
    assertEquals(talk.machine.wantsBytes, false);
    assertEquals(talk.wrote().news(), ["close politely"]);
    assertEquals(talk.say(GET).news(), []);
  }
});

Deno.test("ServerConnection tells who reads a body that it is malformed, cut short, or too slow", () => {
  const head =
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const broken = new Talk().say(head).feed({ kind: "want" }).say("x\r\n");
  assertEquals(broken.news().slice(1), [
    "violated body-malformed",
    "body-failed body-malformed",
  ]);
  assertMatch(broken.answer(null, { status: 400 }).text(), /connection: close/);
  assertEquals(broken.wrote().news().at(-1), "close politely");
  const short = new Talk().say(head).feed({ kind: "want" }).say("5\r\nhe");
  assertEquals(
    short.feed({ kind: "end" }).news().at(-1),
    "body-failed body-cut-short",
  );
  const slow = new Talk().say(head).feed({ kind: "want" });
  assertEquals(slow.machine.deadlineMs, 5000);
  slow.at(4000).say("5\r\n");
  assertEquals(slow.machine.deadlineMs, 9000);
  assertEquals(slow.at(9000).feed({ kind: "timeout" }).news().slice(1), [
    "violated body-too-slow",
    "body-failed body-too-slow",
  ]);
  // Whoever does not ask for more waits for nobody.
  assertEquals(new Talk().say(head).machine.deadlineMs, Infinity);
});

Deno.test("ServerConnection gives a head 10 s, a silent client the same, an idle one a minute", () => {
  const silent = new Talk();
  assertEquals(silent.machine.deadlineMs, 10_000);
  assertEquals(silent.at(9999).feed({ kind: "timeout" }).news(), []);
  assertEquals(silent.at(10_000).feed({ kind: "timeout" }).news(), ["close"]);

  const slow = new Talk().at(4000).say("GET /");
  assertEquals(slow.machine.deadlineMs, 14_000);
  slow.at(13_000).say("a");
  assertEquals(slow.machine.deadlineMs, 14_000);
  slow.at(14_000).feed({ kind: "timeout" });
  assertMatch(slow.text(), /^HTTP\/1\.1 408 /);
  assertEquals(slow.wrote().news(), [
    "violated head-too-slow",
    "write last",
    "close politely",
  ]);

  const idle = new Talk().say(GET).at(500).answer(null).wrote();
  assertEquals(idle.machine.deadlineMs, 60_500);
  assertEquals(idle.machine.idleSinceMs, 500);
  idle.news();
  assertEquals(idle.at(60_500).feed({ kind: "timeout" }).news(), ["close"]);
});

Deno.test("ServerConnection gives up on a client that does not read, not on one that reads slowly", () => {
  const talk = new Talk().say(GET).answer(utf8("hello"));
  assertEquals(talk.machine.deadlineMs, 30_000);
  talk.at(20_000).feed({ kind: "progress" });
  assertEquals(talk.machine.deadlineMs, 50_000);
  talk.news();
  assertEquals(talk.at(50_000).feed({ kind: "timeout" }).news(), ["close"]);
});

Deno.test("ServerConnection answers a client that has sent FIN, then ends", () => {
  const talk = new Talk().say(GET + GET).feed({ kind: "end" });
  assertEquals(talk.news(), ["GET /a"]);
  assertEquals(talk.answer(null).wrote().news(), ["write last", "GET /a"]);
  assertEquals(talk.answer(null).wrote().news(), ["write last", "close"]);
  assertEquals(new Talk().feed({ kind: "end" }).news(), ["close"]);
  assertEquals(new Talk().say("GET /").feed({ kind: "end" }).news(), ["close"]);
});

Deno.test("ServerConnection that is told to stop finishes the answer it is giving", () => {
  assertEquals(new Talk().feed({ kind: "stop" }).news(), ["close"]);
  const talk = new Talk().say(GET + GET).feed({ kind: "stop" });
  talk.answer(utf8("hello"));
  assertMatch(talk.text(), /\r\nconnection: close\r\n[^]*hello$/);
  assertEquals(talk.wrote().news(), ["GET /a", "write last", "close"]);
});

Deno.test("ServerConnection survives any bytes at any moment", () => {
  const rng = seededRng(10);
  const words = [
    GET,
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    "\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\0",
    "GET ",
    "x",
  ];
  const inputs: readonly ConnectionInput[] = [
    { kind: "want" },
    { kind: "wrote" },
    { kind: "ended" },
    { kind: "piece", bytes: utf8("piece") },
    { kind: "answer", status: 200, fields: new Fields(), body: {} },
    { kind: "answer", status: 200, fields: new Fields(), body: utf8("a") },
    { kind: "progress" },
    { kind: "timeout" },
  ];
  for (let round = 0; round < 2000; round++) {
    const talk = new Talk();
    for (let step = 0; step < 30; step++) {
      talk.at(talk.nowMs + Math.floor(rng() * 3000));
      if (rng() < 0.5) {
        const count = 1 + Math.floor(rng() * 3);
        const parts = Array.from(
          { length: count },
          () => words[Math.floor(rng() * words.length)]!,
        );
        talk.feed({ kind: "bytes", bytes: concat(...parts.map(utf8)) });
      } else talk.feed(inputs[Math.floor(rng() * inputs.length)]!);
    }
    const closes = talk.seen.filter((news) => news.startsWith("close")).length;
    assert(closes <= 1, talk.seen.join());
  }
});
