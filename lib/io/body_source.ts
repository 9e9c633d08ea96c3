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
