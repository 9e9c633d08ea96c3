import { type ByteRange, rangeLength } from "../../../lib/http/range.ts";
import type { BodySource } from "../../../lib/io/http.ts";
import type { Throttle } from "../../../lib/io/throttle.ts";
import type { Content } from "../site/site.ts";

/** How a body ended. */
export interface BodyEnd {
  /** Bytes handed over. */
  readonly bytes: number;
  /** False when the client left, or the file could not be read to the end. */
  readonly complete: boolean;
}

/** What {@linkcode streamBody} needs beside the content. */
export interface BodyOptions {
  /** Literal bytes, and parts of the resource, in the order they are sent. */
  readonly pieces: readonly (Uint8Array<ArrayBuffer> | ByteRange)[];
  readonly throttle: Throttle;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Called once, when the last byte is handed over or none will be any more. */
  ended(end: BodyEnd): void;
}

/**
 * Streams parts of a resource, a piece at a time and only when the client has taken the one before: a client that
 * stops reading costs one piece, whatever the size of the file. Closes the content in the end.
 */
export function streamBody(
  content: Content,
  options: BodyOptions,
): BodySource {
  const chunks = chunksOf(content, options);
  let bytes = 0;
  let told = false;
  let closed = false;
  const tell = (complete: boolean) => {
    if (!told) options.ended({ bytes, complete });
    told = true;
  };
  const close = async () => {
    if (closed) return;
    closed = true;
    await content[Symbol.asyncDispose]();
  };
  return {
    async next() {
      try {
        const { done, value } = await chunks.next();
        if (done) {
          tell(true);
          await close();
          return null;
        }
        bytes += value.length;
        return value;
      } catch (error) {
        tell(false);
        await close();
        throw error;
      }
    },
    leave() {
      tell(false);
      // Behind a read that is under way.
      void chunks.return(undefined).catch(() => {}).then(close).catch(() => {});
    },
  };
}

async function* chunksOf(
  content: Content,
  { pieces, throttle, signal }: BodyOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      await throttle.take(piece.length, signal);
      yield piece;
      continue;
    }
    let offset = piece.firstByte;
    const end = offset + rangeLength(piece);
    while (offset < end) {
      const readyAt = await content.ready?.(offset, signal) ?? end;
      const length = Math.min(
        throttle.chunkBytes,
        Math.min(readyAt, end) - offset,
      );
      await throttle.take(length, signal);
      yield await content.read(offset, length);
      offset += length;
    }
  }
  content.used?.();
}
