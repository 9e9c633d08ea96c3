import { assertEquals } from "@std/assert";
import { byterangesBody } from "../../../lib/http/multipart.ts";

Deno.test("byterangesBody frames each part as RFC 9110 section 14.6 shows", () => {
  const body = byterangesBody(
    [{ firstByte: 0, lastByte: 1 }, { firstByte: 7, lastByte: 9 }],
    { boundary: "B", mediaType: "text/plain", sizeBytes: 10 },
  );
  const text = "0123456789";
  const sent = body.pieces.map((piece) =>
    piece instanceof Uint8Array
      ? new TextDecoder().decode(piece)
      : text.slice(piece.firstByte, piece.lastByte + 1)
  ).join("");
  assertEquals(
    sent,
    "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01" +
      "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n789" +
      "\r\n--B--\r\n",
  );
  assertEquals(body.lengthBytes, sent.length);
  assertEquals(body.contentType, "multipart/byteranges; boundary=B");
});
