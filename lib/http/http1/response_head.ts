import type { Fields, FieldSource } from "../fields.ts";

/** What stands behind a status code for people (RFC 9110 §15, RFC 6585). */
const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** Fields that say how this connection goes on: the connection writes them itself, whatever a handler thinks. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
]);

/** How an answer's body is delimited, and so what the head says of it (RFC 9112 §6). */
export type ResponseFraming =
  /** No body follows; a `Content-Length` of the handler, or else `bytes`, describes what a GET would have (HEAD, 304). */
  | {
    readonly kind: "none";
    readonly mayDescribe: boolean;
    readonly bytes?: number | undefined;
  }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** The end of the connection is the end of the body: all that HTTP/1.0 has for a length nobody knows. */
  | { readonly kind: "until-close" };

/** What the head of an answer depends on beside status and fields. */
interface HeadOptions {
  readonly framing: ResponseFraming;
  /** What `Connection` says; nothing when that is what the version means anyway. */
  readonly connection: "close" | "keep-alive" | undefined;
  /** Sent when the answer has no `Date` of its own (RFC 9110 §6.6.1). */
  readonly date: string;
}

/** Fields that do not change any more: of many answers with the same, the head is written once. */
export class SealedFields implements FieldSource {
  readonly #fields: Fields;
  #written:
    | (HeadOptions & { readonly status: number; readonly text: string })
    | undefined;

  /** Takes the fields over. */
  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** See {@linkcode FieldSource.get}. */
  get(name: string): string | null {
    return this.#fields.get(name);
  }

  /** See {@linkcode FieldSource}. */
  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#fields[Symbol.iterator]();
  }

  /** The head of an answer, as {@linkcode formatResponseHead} writes it. */
  head(status: number, options: HeadOptions): string {
    const { framing, connection, date } = options;
    const written = this.#written;
    if (
      written !== undefined && written.status === status &&
      written.connection === connection && written.date === date &&
      isSameFraming(written.framing, framing)
    ) return written.text;
    const text = newHead({ status, fields: this.#fields }, options);
    this.#written = { ...options, status, text };
    return text;
  }
}

function isSameFraming(one: ResponseFraming, other: ResponseFraming): boolean {
  return one.kind === "length" && other.kind === "length" &&
    one.bytes === other.bytes;
}

/**
 * Writes a status line and fields, to the empty line at the end.
 *
 * @throws {TypeError} If a value has a line end in it.
 */
export function formatResponseHead(
  answer: { readonly status: number; readonly fields: FieldSource },
  options: HeadOptions,
): string {
  const { status, fields } = answer;
  return fields instanceof SealedFields
    ? fields.head(status, options)
    : newHead(answer, options);
}

function newHead(
  answer: { readonly status: number; readonly fields: FieldSource },
  { framing, connection, date }: HeadOptions,
): string {
  let head = `HTTP/1.1 ${answer.status} ${REASONS[answer.status] ?? ""}\r\n`;
  let hasDate = false;
  for (const [name, value] of answer.fields) {
    if (OF_THE_CONNECTION.has(name)) continue;
    if (name === "content-length") {
      if (framing.kind !== "none" || !framing.mayDescribe) continue;
    } else if (name === "date") hasDate = true;
    head += fieldLine(name, value);
  }
  if (!hasDate) head += `date: ${date}\r\n`;
  switch (framing.kind) {
    case "length":
      head += `content-length: ${framing.bytes}\r\n`;
      break;
    case "chunked":
      head += "transfer-encoding: chunked\r\n";
      break;
    case "none":
      if (
        framing.bytes !== undefined &&
        answer.fields.get("content-length") === null
      ) {
        head += `content-length: ${framing.bytes}\r\n`;
      }
  }
  if (connection !== undefined) head += `connection: ${connection}\r\n`;
  return `${head}\r\n`;
}

/**
 * Writes an interim answer: nothing in it is of the message that follows (RFC 9110 §15.2).
 *
 * @throws {TypeError} If a value has a line end in it.
 */
export function formatInterimHead(
  { status, fields }: {
    readonly status: number;
    readonly fields: FieldSource;
  },
): string {
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n`;
  for (const [name, value] of fields) {
    const isFraming = OF_THE_CONNECTION.has(name) || name === "content-length";
    if (!isFraming) head += fieldLine(name, value);
  }
  return `${head}\r\n`;
}

/** With a line end of its own, a value would let whoever chose it write the rest of our answer. */
function fieldLine(name: string, value: string): string {
  if (value.includes("\n") || value.includes("\r")) {
    throw new TypeError(`the value of ${name} must be one line`);
  }
  return `${name}: ${value}\r\n`;
}
