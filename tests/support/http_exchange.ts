import { concat } from "../../lib/core/bytes.ts";
import { Fields } from "../../lib/http/fields.ts";
import type { HttpRequest, HttpResponse } from "../../lib/io/http.ts";

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
    pieces.push(piece);
  }
}
