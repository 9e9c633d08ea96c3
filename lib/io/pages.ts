import { Fields } from "../http/fields.ts";
import { sourceOfStream } from "./body_source.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "./http.ts";
import type { Address } from "./net.ts";

/** Makes a handler of what answers Request with Response, as hono does: for pages and small APIs. */
export function pages(
  handler: (request: Request, remote: Address) => Response | Promise<Response>,
): HttpHandler {
  return async (request) => {
    let asked: Request;
    try {
      asked = requestOf(request);
    } catch (error) {
      // No URL can be made of this host, or the platform knows no such method.
      if (!(error instanceof TypeError)) throw error;
      return { status: 400, headers: new Fields(), body: null };
    }
    return answerOf(await handler(asked, request.remote));
  };
}

/** Methods whose Request may have no body. */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

function requestOf(request: HttpRequest): Request {
  const { method, target, authority, headers, body, signal } = request;
  const path = target.startsWith("/") ? target : "/";
  return new Request(`http://${authority || "localhost"}${path}`, {
    method,
    headers: [...headers],
    body: BODILESS.has(method) ? null : body,
    signal,
  });
}

function answerOf({ status, headers, body }: Response): HttpResponse {
  return { status, headers, body: body === null ? null : sourceOfStream(body) };
}
