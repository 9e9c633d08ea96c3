import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, fromUtf8, utf8 } from "../../../../lib/core/bytes.ts";
import { ProtocolError } from "../../../../lib/core/errors.ts";
import { BodyDecoder } from "../../../../lib/http/http1/body_decoder.ts";
import type { RequestFraming } from "../../../../lib/http/http1/request_head.ts";
import { fuzz } from "../../bittorrent/_fuzz.ts";

const CHUNKED: RequestFraming = { kind: "chunked" };

/** Decodes bytes that come in pieces of `step`. */
function decode(
  bytes: Uint8Array,
  { framing = CHUNKED, step = bytes.length || 1, maxBytes = 1000 }: {
    readonly framing?: RequestFraming;
    readonly step?: number;
    readonly maxBytes?: number;
  } = {},
) {
  const decoder = new BodyDecoder(framing, maxBytes);
  const pieces: Uint8Array[] = [];
  let used = 0;
  for (let at = 0; at < bytes.length && !decoder.isDone; at += step) {
    const piece = bytes.subarray(at, at + step);
    used += decoder.push(piece, 0, (data) => void pieces.push(data));
  }
  return { body: fromUtf8(concat(...pieces)), used, isDone: decoder.isDone };
}

const BODY =
  '5\r\nhello\r\nA;ext="v"\r\n0123456789\r\n01\r\n!\r\n0;x\r\nTrailer: a\r\nB: c\r\n\r\n';

Deno.test("BodyDecoder reads chunks, drops extensions and trailers, stops at the end", () => {
  const bytes = utf8(`${BODY}GET /`);
  for (let step = 1; step <= bytes.length; step++) {
    assertEquals(decode(bytes, { step }), {
      body: "hello0123456789!",
      used: BODY.length,
      isDone: true,
    });
  }
});

Deno.test("BodyDecoder waits for the rest of a body that is cut anywhere", () => {
  for (let length = 0; length < BODY.length; length++) {
    assertEquals(decode(utf8(BODY.slice(0, length))).isDone, false);
  }
});

Deno.test("BodyDecoder takes as many bytes as Content-Length says", () => {
  const framing = { kind: "length", bytes: 5 } as const;
  for (const step of [1, 2, 5, 8]) {
    assertEquals(decode(utf8("helloGET"), { framing, step }), {
      body: "hello",
      used: 5,
      isDone: true,
    });
  }
  assert(new BodyDecoder({ kind: "none" }, 0).isDone);
});

Deno.test("BodyDecoder refuses chunks that are none, and too many bytes", () => {
  const rows: readonly [string, string][] = [
    ["0x5\r\nhello\r\n", "body-malformed"],
    ["+5\r\nhello\r\n", "body-malformed"],
    ["5 \r\nhello\r\n", "body-malformed"],
    [" 5\r\nhello\r\n", "body-malformed"],
    ["\r\n", "body-malformed"],
    ["5\nhello\r\n", "body-malformed"],
    ["5\r\rhello", "body-malformed"],
    ["5;a\nb\r\nhello\r\n", "body-malformed"],
    ["5\r\nhello0\r\n\r\n", "body-malformed"],
    ["5\r\nhello\n0\r\n\r\n", "body-malformed"],
    ["0\r\nA: b\n\r\n", "body-malformed"],
    ["0\r\nA: \0\r\n\r\n", "body-malformed"],
    ["1000000000000\r\n", "body-malformed"],
    [`5;${"x".repeat(5000)}`, "body-malformed"],
    [`0\r\n${"A: b\r\n".repeat(1000)}`, "body-malformed"],
    ["3e9\r\n", "body-too-large"],
    [`${"64\r\n" + "x".repeat(100) + "\r\n"}`.repeat(11), "body-too-large"],
    ["FFFFFFFFFFFF\r\n", "body-too-large"],
  ];
  for (const [text, code] of rows) {
    for (const step of [1, text.length]) {
      const error = assertThrows(
        () => decode(utf8(text), { step }),
        ProtocolError,
        undefined,
        text.slice(0, 40),
      );
      assertEquals(error.code, code, text.slice(0, 40));
    }
  }
  assertThrows(
    () => new BodyDecoder({ kind: "length", bytes: 1001 }, 1000),
    ProtocolError,
  );
});

Deno.test("BodyDecoder fails on any bytes with nothing but ProtocolError, and alike however they are cut", () => {
  const outcome = (bytes: Uint8Array, step: number) => {
    try {
      return decode(bytes, { step });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return error.code;
    }
  };
  const { accepted, refused } = fuzz([utf8(BODY)], (bytes) => {
    assertEquals(outcome(bytes, 1), outcome(bytes, bytes.length || 1));
    decode(bytes);
  }, { seed: 6, rounds: 3000 });
  assert(accepted > 100 && refused > 300, `${accepted} ${refused}`);
});
