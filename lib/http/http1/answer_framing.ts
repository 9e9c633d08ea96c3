import type { ProtocolError } from "../../core/errors.ts";
import { utf8 } from "../../core/bytes.ts";
import { Fields, type FieldSource } from "../fields.ts";
import { type RequestHead, statusOf } from "./request_head.ts";
import { formatResponseHead, type ResponseFraming } from "./response_head.ts";

/** How the body of an answer to `request` is delimited (RFC 9112 §6.3). */
export function framingOf(
  answer: {
    readonly status: number;
    readonly fields: FieldSource;
    readonly body:
      | Uint8Array
      | { readonly lengthBytes?: number | undefined }
      | null;
  },
  request: RequestHead,
): ResponseFraming {
  const { status, body } = answer;
  if (status === 204) return { kind: "none", mayDescribe: false };
  if (status === 304) return { kind: "none", mayDescribe: true };
  if (status === 205) return { kind: "length", bytes: 0 };
  if (request.method === "HEAD") {
    const bytes = body instanceof Uint8Array ? body.length : body?.lengthBytes;
    return { kind: "none", mayDescribe: true, bytes };
  }
  if (body === null) return { kind: "length", bytes: 0 };
  if (body instanceof Uint8Array) return { kind: "length", bytes: body.length };
  const bytes = body.lengthBytes ?? announced(answer.fields);
  if (bytes !== undefined) return { kind: "length", bytes };
  return request.minorVersion === 1
    ? { kind: "chunked" }
    : { kind: "until-close" };
}

function announced(fields: FieldSource): number | undefined {
  const value = fields.get("content-length");
  return value !== null && /^[0-9]{1,15}$/.test(value)
    ? Number(value)
    : undefined;
}

/** What `Connection` must say: HTTP/1.1 goes on unless told otherwise, HTTP/1.0 ends unless told otherwise (RFC 9112 §9.3). */
export function keptAlive(
  request: RequestHead,
  isLast: boolean,
): "close" | "keep-alive" | undefined {
  if (isLast) return "close";
  return request.minorVersion === 0 ? "keep-alive" : undefined;
}

/** The answer to what is no request: a line that says why. */
export function errorAnswer(
  error: ProtocolError,
  date: string,
): { readonly text: string; readonly bytes: Uint8Array<ArrayBuffer> } {
  const bytes = utf8(`${error.message}\n`);
  const fields = new Fields([
    ["content-type", "text/plain; charset=utf-8"],
    ["cache-control", "no-store"],
  ]);
  const text = formatResponseHead(
    { status: statusOf(error.code), fields },
    {
      framing: { kind: "length", bytes: bytes.length },
      connection: "close",
      date,
    },
  );
  return { text, bytes };
}
