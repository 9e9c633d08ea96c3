import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { HeadScanner } from "../../../../lib/http/http1/head_scanner.ts";
import {
  RequestHead,
  statusOf,
} from "../../../../lib/http/http1/request_head.ts";
import { fuzz } from "../../bittorrent/_fuzz.ts";

/** Characters up to 0xff become one byte each. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Reads a head from bytes that come in pieces of `step`. */
function read(bytes: Uint8Array, step = bytes.length): RequestHead | undefined {
  const scanner = new HeadScanner();
  for (let end = step; end < bytes.length + step; end += step) {
    if (scanner.scan(bytes, Math.min(end, bytes.length))) {
      return new RequestHead(bytes, scanner);
    }
  }
}

function readText(text: string): RequestHead {
  const head = read(bytesOf(text));
  assert(head !== undefined, "the head is not complete");
  return head;
}

const PLAIN =
  "POST /a%20b?c=d HTTP/1.1\r\nHost: h.example:80\r\nx-Empty:\r\nAccept:\t text/*;q=0.5 ,*/* \t\r\nCookie: a\r\nCookie: b\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n";

Deno.test("RequestHead has what the request says", () => {
  const head = readText(`\r\n\r\n${PLAIN}the body`);
  assertEquals(
    {
      method: head.method,
      target: head.target,
      authority: head.authority,
      minorVersion: head.minorVersion,
      framing: head.framing,
      keepAlive: head.keepAlive,
      expectsContinue: head.expectsContinue,
      fields: [...head.fields],
    },
    {
      method: "POST",
      target: "/a%20b?c=d",
      authority: "h.example:80",
      minorVersion: 1,
      framing: { kind: "length", bytes: 12 },
      keepAlive: true,
      expectsContinue: true,
      fields: [
        ["host", "h.example:80"],
        ["x-empty", ""],
        ["accept", "text/*;q=0.5 ,*/*"],
        ["cookie", "a"],
        ["cookie", "b"],
        ["content-length", "12"],
        ["expect", "100-Continue"],
      ],
    },
  );
});

Deno.test("HeadScanner finds the same head however the bytes are cut", () => {
  const bytes = utf8(PLAIN);
  for (let step = 1; step <= bytes.length; step++) {
    const head = read(bytes, step);
    assertEquals([...head!.fields], [...read(bytes)!.fields], `step ${step}`);
  }
});

Deno.test("HeadScanner waits for the rest of a head that is cut anywhere", () => {
  const bytes = utf8(PLAIN);
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(read(bytes.subarray(0, length)), undefined);
  }
});

Deno.test("RequestHead knows whether the connection goes on", () => {
  const rows: readonly [version: string, connection: string, boolean][] = [
    ["1.1", "", true],
    ["1.1", "Connection: Close\r\n", false],
    ["1.1", "Connection: x, close\r\n", false],
    ["1.1", "Connection: keep-alive\r\n", true],
    ["1.1", "Connection: keep-alive\r\nConnection: close\r\n", false],
    ["1.0", "", false],
    ["1.0", "Connection: Keep-Alive\r\n", true],
    ["1.0", "Connection: keep-alive, close\r\n", false],
    ["1.9", "", true],
  ];
  for (const [version, connection, keepAlive] of rows) {
    const text = `GET / HTTP/${version}\r\nHost: x\r\n${connection}\r\n`;
    assertEquals(readText(text).keepAlive, keepAlive, text);
  }
});

Deno.test("RequestHead reads targets in every form a server may get", () => {
  const rows: readonly [line: string, target: string, authority: string][] = [
    ["GET /a?b", "/a?b", "h"],
    ["GET http://Other.example:81/a?b", "/a?b", "Other.example:81"],
    ["GET HTTPS://other.example?b", "/?b", "other.example"],
    ["OPTIONS *", "*", "h"],
    ["GET /\xc3\xbc|{}", "/%C3%BC|{}", "h"],
    ["GET /a/../b/./c?../..", "/a/../b/./c?../..", "h"],
    ["GET /...", "/...", "h"],
  ];
  for (const [line, target, authority] of rows) {
    const head = readText(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`);
    assertEquals([head.target, head.authority], [target, authority], line);
  }
});

Deno.test("RequestHead keeps bytes above 0x7e in values as one character each", () => {
  const head = readText("GET / HTTP/1.1\r\nHost: x\r\nX: \x80\xff\xe4\r\n\r\n");
  assertEquals(head.fields.get("x"), "\x80\xff\xe4");
});

/** What follows the request line and a good Host, and the status it deserves. */
const BAD_FIELDS: readonly [string, number][] = [
  ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400],
  ["Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400],
  ["Content-Length: 5\r\nContent-Length: 6\r\n", 400],
  ["Content-Length: 5\r\nContent-Length: 5\r\n", 400],
  ["Content-Length: 5, 5\r\n", 400],
  ["Content-Length: +5\r\n", 400],
  ["Content-Length: -5\r\n", 400],
  ["Content-Length: 0x5\r\n", 400],
  ["Content-Length: 5 6\r\n", 400],
  ["Content-Length:\r\n", 400],
  ["Content-Length: 9999999999999999\r\n", 400],
  ["Transfer-Encoding: xchunked\r\n", 501],
  ["Transfer-Encoding: chunked, identity\r\n", 501],
  ["Transfer-Encoding: gzip, chunked\r\n", 501],
  ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501],
  ["Transfer-Encoding: chunked;a=b\r\n", 501],
  ["Transfer-Encoding:\r\n", 501],
  ["X : y\r\n", 400],
  ["X\t: y\r\n", 400],
  ["X y: z\r\n", 400],
  [": y\r\n", 400],
  ["X\r\n", 400],
  ["X: a\r\n b\r\n", 400],
  ["X: a\r\n\tb\r\n", 400],
  ["X: a\nY: b\r\n", 400],
  ["X: a\rb\r\n", 400],
  ["X: a\0b\r\n", 400],
  ["X: a\x7fb\r\n", 400],
  ["X\0: a\r\n", 400],
  ["Host: y\r\n", 400],
  ["Content-Length: 1\r\nExpect: magic\r\n", 417],
  [Array.from({ length: 101 }, (_, n) => `X${n}: y\r\n`).join(""), 431],
];

/** Whole requests. */
const BAD_HEADS: readonly [string, number][] = [
  ["POST / HTTP/1.1\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400],
  ["POST / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", 400],
  ["HEAD / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
  ["GET / HTTP/1.1\nHost: x\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\n\n", 400],
  ["GET / HTTP/1.1\r\nHost: x\r\n\n", 400],
  [" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400],
  ["GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /\r\n", 400],
  ["GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400],
  ["G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  [`${"G".repeat(33)} / HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
  ["GET / http/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400],
  ["GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501],
  ["GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /../a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /a/%2e%2E/%2e./a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /..%2fa HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET /..\\a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["GET http://x/../a HTTP/1.1\r\nHost: x\r\n\r\n", 400],
];

Deno.test("RequestHead refuses what neighbours could read otherwise", () => {
  const rows = [
    ...BAD_FIELDS.map(([fields, status]) =>
      [`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`, status] as const
    ),
    ...BAD_HEADS,
  ];
  for (const [text, status] of rows) {
    for (const step of [text.length, 1]) {
      const error = assertThrows(
        () => read(bytesOf(text), step),
        ProtocolError,
        undefined,
        text,
      );
      assertEquals(statusOf(error.code), status, text);
    }
  }
});

Deno.test("RequestHead fails on any bytes with nothing but ProtocolError, and alike however they are cut", () => {
  const outcome = (bytes: Uint8Array, step: number) => {
    try {
      const head = read(bytes, step);
      return head === undefined ? "more" : [...head.fields, head.target];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return error.code;
    }
  };
  const { accepted, refused } = fuzz(
    [
      utf8(PLAIN),
      utf8("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      utf8(
        "PUT http://a/b HTTP/1.0\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
      ),
    ],
    (bytes) => {
      assertEquals(outcome(bytes, 1), outcome(bytes, bytes.length || 1));
      read(bytes, 7);
    },
    { seed: 5, rounds: 4000 },
  );
  assert(accepted > 300 && refused > 300, `${accepted} ${refused}`);
});
