import { assertEquals, assertThrows } from "@std/assert";
import { fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { seededRng } from "../../../../lib/core/rng.ts";
import { ResponseReader } from "../../../../lib/http/http1/response_reader.ts";

interface Read {
  status?: number;
  bodyBytes?: number | undefined;
  interim?: number;
  text: string;
  ended: boolean;
  reuse: boolean;
  failed?: string;
}

/** Reads `text`, cut after each of `cuts`, then the end of the connection unless the answer is complete. */
function read(text: string, method = "GET", cuts: number[] = []): Read {
  const reader = new ResponseReader(method);
  const bytes = utf8(text);
  const seen: Read = { text: "", ended: false, reuse: false };
  const take = (parts: ReturnType<ResponseReader["push"]>) => {
    for (const part of parts) {
      if (part.kind === "body") seen.text += fromUtf8(part.bytes);
      else if (part.kind === "end") seen.ended = true;
      else if (part.kind === "interim") seen.interim = part.status;
      else {
        seen.status = part.status;
        seen.bodyBytes = part.bodyBytes;
      }
    }
  };
  try {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      take(reader.push(bytes.slice(from, to)));
      from = to;
    }
    seen.reuse = reader.canReuse;
    if (!seen.ended) take(reader.end());
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    seen.failed = error.code;
  }
  return seen;
}

const OK = "HTTP/1.1 200 OK\r\n";

const ANSWERS: readonly (readonly [string, string, Partial<Read>])[] = [
  [`${OK}Content-Length: 5\r\n\r\nhello`, "GET", {
    status: 200,
    text: "hello",
    bodyBytes: 5,
    reuse: true,
  }],
  [
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX: y\r\n\r\n`,
    "GET",
    {
      text: "hello",
      reuse: true,
    },
  ],
  [`${OK}\r\nhello`, "GET", { text: "hello", reuse: false, ended: true }],
  // RFC 9112 §6.3: the end of the connection ends what no chunk does.
  [`${OK}Transfer-Encoding: x\r\n\r\nhello`, "GET", {
    text: "hello",
    reuse: false,
    ended: true,
  }],
  ["HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", {
    text: "hello",
    reuse: false,
  }],
  [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK +
    "Content-Length: 2\r\n\r\nhi",
    "GET",
    {
      interim: 103,
      status: 200,
      text: "hi",
      reuse: true,
    },
  ],
  [`${OK}Content-Length: 5\r\n\r\n`, "HEAD", { text: "", reuse: true }],
  ["HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", "GET", {
    status: 304,
    reuse: true,
  }],
  ["HTTP/1.1 204\r\n\r\n", "GET", { status: 204, reuse: true }],
  [`${OK}Content-Length: 5\r\nConnection: Close\r\n\r\nhello`, "GET", {
    reuse: false,
    text: "hello",
  }],
  // What comes after the answer makes the connection useless, and is nobody's.
  [`${OK}Content-Length: 2\r\n\r\nhi${OK}\r\n`, "GET", {
    text: "hi",
    reuse: false,
    ended: true,
  }],
  [`${OK}Content-Length: 5, 5\r\n\r\nhello`, "GET", { text: "hello" }],
];

Deno.test("ResponseReader delimits each kind of answer, however it is cut", () => {
  const rng = seededRng(7);
  for (const [text, method, wanted] of ANSWERS) {
    const whole = read(text, method);
    assertEquals({ ...whole, ...wanted }, whole, text);
    assertEquals(whole.failed, undefined, text);
    const bytes = Array.from({ length: text.length }, (_, at) => at);
    assertEquals(read(text, method, bytes), whole, text);
    for (let n = 0; n < 20; n++) {
      const cuts = bytes.filter(() => rng() < 0.1);
      assertEquals(read(text, method, cuts), whole, text);
    }
  }
});

Deno.test("ResponseReader refuses what two programs could read in two ways", () => {
  const bad: readonly (readonly [string, string])[] = [
    ["SSH-2.0-OpenSSH\r\n\r\n", "answer-malformed"],
    ["HTTP/2.0 200 OK\r\n\r\n", "answer-malformed"],
    ["HTTP/1.1 20 OK\r\n\r\n", "answer-malformed"],
    ["HTTP/1.1 101 Switching\r\n\r\n", "answer-malformed"],
    [
      `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "answer-malformed",
    ],
    [
      `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
      "answer-malformed",
    ],
    [`${OK}Content-Length: +5\r\n\r\nhello`, "answer-malformed"],
    [`${OK}Content-Length:\r\n\r\nhello`, "answer-malformed"],
    [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, "answer-malformed"],
    [`${OK}Transfer-Encoding: xchunked\r\n\r\n`, "answer-malformed"],
    ["HTTP/1.1 103 x\r\n\r\n".repeat(17) + OK, "answer-malformed"],
    ["HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "answer-malformed"],
    [`${OK}Content-Length: 5\n\nhello`, "answer-malformed"],
    [`${OK}X : y\r\n\r\n`, "answer-malformed"],
    [`${OK}X: a\r\n b\r\n\r\n`, "answer-malformed"],
    [`${OK}X: a\nSet-Cookie: b\r\n\r\n`, "answer-malformed"],
    [`${OK}X: a\rb\r\n\r\n`, "answer-malformed"],
    [`${OK}X: a\0b\r\n\r\n`, "answer-malformed"],
    [`${OK}X: ${"x".repeat(70_000)}\r\n\r\n`, "answer-malformed"],
    [OK + "X: y\r\n".repeat(250) + "\r\n", "answer-malformed"],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
      "body-malformed",
    ],
    [`${OK}Content-Length: 9\r\n\r\nhello`, "answer-cut-short"],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, "answer-cut-short"],
    ["HTTP/1.1 200", "answer-cut-short"],
    ["", "answer-cut-short"],
  ];
  for (const [text, code] of bad) {
    const seen = read(text);
    assertEquals([seen.failed, seen.ended], [code, false], text.slice(0, 90));
  }
});

Deno.test("ResponseReader fails on any bytes with nothing but ProtocolError", () => {
  const rng = seededRng(11);
  for (let run = 0; run < 2000; run++) {
    const [text] = ANSWERS[Math.floor(rng() * ANSWERS.length)]!;
    const bytes = utf8(text).slice();
    for (let n = 0; n < 3; n++) {
      bytes[Math.floor(rng() * bytes.length)] = Math.floor(rng() * 256);
    }
    const reader = new ResponseReader("GET");
    try {
      reader.push(bytes.subarray(0, 40));
      reader.push(bytes.subarray(40));
      reader.end();
    } catch (error) {
      assertThrows(() => {
        throw error;
      }, ProtocolError);
    }
  }
});
