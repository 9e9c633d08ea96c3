import { concat } from "../../lib/core/bytes.ts";
import { Fields } from "../../lib/http/fields.ts";
import type {
  BodySource,
  HttpRequest,
  HttpResponse,
} from "../../lib/io/http.ts";

/** A request as a handler sees it, with no connection behind it. */
export function requestOf(
  target: string,
  rest: Partial<HttpRequest> = {},
): HttpRequest {
  return {
    method: "GET",
    target,
    authority: "server.test",
    headers: new Fields(),
    protocol: "HTTP/1.1",
    body: null,
    remote: { host: "192.0.2.1", port: 50_000 },
    signal: new AbortController().signal,
    ...rest,
  };
}

/** What was read of a body by the runtime, as a source; its pieces lie in memory that is used again, as those of a connection. */
export function sourceOf(
  stream: ReadableStream<Uint8Array> | null,
): BodySource | null {
  if (stream === null) return null;
  const reader = stream.getReader();
  let last = new Uint8Array(0);
  return {
    async next() {
      const { value } = await reader.read();
      last.fill(0);
      if (value === undefined) return null;
      return last = value.slice();
    },
    leave: () => void reader.cancel().catch(() => {}),
  };
}

/** All bytes of an answer's body. */
export async function bytesOf(
  body: HttpResponse["body"],
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array(0);
  if (body instanceof Uint8Array) return body.slice();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = await body.next(65_536);
    if (piece === null) return concat(...pieces);
    pieces.push(piece.slice());
  }
}
