import { utf8 } from "../core/bytes.ts";
import { type ByteRange, contentRange, rangeLength } from "./range.ts";

/** A body made of text of ours and parts of a representation, in order. */
export interface ByterangesBody {
  /** For the `Content-Type` field. */
  readonly contentType: string;
  /** For the `Content-Length` field. */
  readonly lengthBytes: number;
  /** What to send: bytes as they are, or a part of the representation. */
  readonly pieces: readonly (Uint8Array<ArrayBuffer> | ByteRange)[];
}

/**
 * Plans a multipart/byteranges body: several parts of one representation in one answer (RFC 9110 section 14.6).
 *
 * @param options.boundary 1 to 70 letters and digits that the representation does not hold.
 */
export function byterangesBody(
  parts: readonly ByteRange[],
  options: {
    readonly boundary: string;
    readonly mediaType: string;
    readonly sizeBytes: number;
  },
): ByterangesBody {
  const { boundary, mediaType, sizeBytes } = options;
  const pieces: (Uint8Array<ArrayBuffer> | ByteRange)[] = [];
  let lengthBytes = 0;
  const say = (text: string) => {
    const bytes = utf8(text);
    pieces.push(bytes);
    lengthBytes += bytes.length;
  };
  for (const part of parts) {
    say(
      `\r\n--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: ${
        contentRange(part, sizeBytes)
      }\r\n\r\n`,
    );
    pieces.push(part);
    lengthBytes += rangeLength(part);
  }
  say(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    lengthBytes,
    pieces,
  };
}
