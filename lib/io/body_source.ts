import type { BodySource } from "./http.ts";

/** How much of a body is asked for at once. */
const PIECE_BYTES = 65_536;

/** A body as the runtime's own kind of stream. It takes copies, for a source may use its memory again, and nobody says when a stream's reader is done with a piece. */
export function streamOf(source: BodySource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await source.next(PIECE_BYTES);
      if (piece === null) controller.close();
      else controller.enqueue(piece.slice());
    },
    cancel: () => source.leave(),
  }, { highWaterMark: 0 });
}

/** A body piece by piece, whether it is there whole or comes that way. */
export function sourceOf(body: Uint8Array | BodySource): BodySource {
  if (!(body instanceof Uint8Array)) return body;
  let at = 0;
  return {
    lengthBytes: body.length,
    next(maxBytes) {
      if (at >= body.length) return Promise.resolve(null);
      const piece = body.subarray(at, at + maxBytes);
      at += piece.length;
      return Promise.resolve(piece);
    },
    leave() {},
  };
}

/** A body that the runtime's own kind of stream brings. */
export function sourceOfStream(body: ReadableStream<Uint8Array>): BodySource {
  const reader = body.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    leave: () => void reader.cancel().catch(() => {}),
  };
}
