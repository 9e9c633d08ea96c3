import { ProtocolError } from "../../core/errors.ts";
import { Fields, splitList } from "../fields.ts";
import { Backlog } from "./backlog.ts";
import { BodyDecoder } from "./body_decoder.ts";
import type { RequestFraming } from "./request_head.ts";

/** Largest head of an answer, with the interim ones before it. */
const MAX_HEAD_BYTES = 65_536;
/** Most field lines of an answer: with trace headers and cookies some have fifty. */
const MAX_FIELDS = 200;

/** What may not stand in a line: it would end there for somebody else. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Codings beside `chunked`, or `chunked` among others: what they were applied to, nobody could read. */
const KNOWN_CODING =
  /gzip|deflate|compress|br|zstd|identity|chunked.|.chunked/i;

const CR = 13;
const LF = 10;

/** Most interim answers before an answer: one or two are usual. */
const MAX_INTERIM = 16;

/** What a server's bytes mean. */
export type ResponsePart =
  /** An interim answer: hints, before the answer (RFC 9110 §15.2). */
  | {
    readonly kind: "interim";
    readonly status: number;
    readonly fields: Fields;
  }
  | {
    readonly kind: "head";
    readonly status: number;
    /** As sent, those that end at this hop included. */
    readonly fields: Fields;
    readonly hasBody: boolean;
    /** 0 without a body, undefined when nobody knows before its end. */
    readonly bodyBytes: number | undefined;
  }
  /** A piece of the body: a view. */
  | { readonly kind: "body"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

/**
 * Reads the answer to one request out of the bytes of a connection, however they are cut (RFC 9112 §4, §6.3).
 *
 * As strict as our server is with requests: an answer that two programs could delimit differently, as with
 * `Transfer-Encoding` beside `Content-Length`, is an error and not a guess, and control characters in a field are one.
 */
export class ResponseReader {
  readonly #method: string;
  readonly #backlog = new Backlog();
  #state: "head" | "body" | "until-close" | "done" = "head";
  #body: BodyDecoder | undefined;
  #headBytes = 0;
  #interims = 0;
  #keepAlive = false;
  #hasExtra = false;

  /** Creates a reader of the answer to a request with this method. */
  constructor(method: string) {
    this.#method = method;
  }

  /** Whether the answer has begun: not even one byte of it means that the server may not have seen the request. */
  get hasBegun(): boolean {
    return this.#headBytes > 0 || this.#state !== "head";
  }

  /** Whether the answer is complete and the connection good for another request. */
  get canReuse(): boolean {
    return this.#state === "done" && this.#keepAlive && !this.#hasExtra;
  }

  /**
   * Takes what came.
   *
   * @throws {ProtocolError} `answer-malformed`, `body-malformed`: the connection is of no use any more.
   */
  push(bytes: Uint8Array): ResponsePart[] {
    const parts: ResponsePart[] = [];
    let at = 0;
    if (this.#state === "head") at = this.#readHeads(bytes, parts);
    const data = this.#backlog.isEmpty ? bytes : this.#backlog.bytes;
    if (this.#state === "head") return parts;
    this.#readBody(data, at, parts);
    this.#backlog.clear();
    return parts;
  }

  /**
   * The server sends no more.
   *
   * @throws {ProtocolError} `answer-cut-short` when that was too early.
   */
  end(): ResponsePart[] {
    if (this.#state === "done") return [];
    if (this.#state === "until-close") {
      this.#state = "done";
      return [{ kind: "end" }];
    }
    throw new ProtocolError(
      "answer-cut-short",
      "Cannot read the answer: the connection was closed before it was complete",
    );
  }

  /** Reads the head, and the interim ones before it; returns where the body begins. */
  #readHeads(bytes: Uint8Array, parts: ResponsePart[]): number {
    if (!this.#backlog.isEmpty) this.#backlog.push(bytes);
    const data = this.#backlog.isEmpty ? bytes : this.#backlog.bytes;
    // What came before was looked at, but for an end that is cut in two.
    let from = Math.max(0, data.length - bytes.length - 3);
    let at = 0;
    while (this.#state === "head") {
      const end = endOfHead(data, from);
      if ((end ?? data.length) > MAX_HEAD_BYTES) {
        throw malformed(`its head must have at most ${MAX_HEAD_BYTES} bytes`);
      }
      if (end === undefined) {
        // Nobody should wait for the end of a head that will never have one.
        if (hasBareLineFeed(data, from)) {
          throw malformed("its lines must end with CR and LF");
        }
        this.#headBytes = data.length;
        if (at > 0 || this.#backlog.isEmpty) this.#backlog.keepRest(data, at);
        return at;
      }
      this.#headBytes = end;
      this.#takeHead(data.subarray(at, end), parts);
      at = from = end;
    }
    return at;
  }

  #takeHead(bytes: Uint8Array, parts: ResponsePart[]): void {
    const lines = textOf(bytes).split("\r\n");
    const match = /^HTTP\/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?$/
      .exec(lines[0]!);
    if (match === null || CONTROL.test(lines[0]!)) {
      throw malformed("it must begin with HTTP/1.1 and a status");
    }
    const status = Number(match[2]);
    if (status === 101) throw malformed("nobody asked to switch protocols");
    const fields = fieldsOf(lines);
    if (status < 200) {
      this.#interims += 1;
      if (this.#interims > MAX_INTERIM) {
        throw malformed(`at most ${MAX_INTERIM} interim ones may come before`);
      }
      parts.push({ kind: "interim", status, fields });
      return;
    }
    const framing = this.#framingOf(status, fields, match[1]!);
    const hasBody = framing.kind !== "none";
    parts.push({
      kind: "head",
      status,
      fields,
      hasBody,
      bodyBytes: framing.kind === "length"
        ? framing.bytes
        : hasBody
        ? undefined
        : 0,
    });
    if (framing.kind === "until-close") this.#state = "until-close";
    else {
      this.#state = "body";
      this.#body = new BodyDecoder(framing, Number.MAX_SAFE_INTEGER);
    }
  }

  #readBody(data: Uint8Array, from: number, parts: ResponsePart[]): void {
    if (this.#state === "until-close") {
      if (from < data.length) {
        parts.push({ kind: "body", bytes: data.subarray(from) });
      }
      return;
    }
    let at = from;
    if (this.#state === "body") {
      at = this.#body!.push(
        data,
        from,
        (bytes) => void parts.push({ kind: "body", bytes }),
      );
      if (this.#body!.isDone) {
        this.#state = "done";
        parts.push({ kind: "end" });
      }
    }
    // What nobody asked for may be meant for the next request on this connection: response splitting.
    if (at < data.length) this.#hasExtra = true;
  }

  /** RFC 9112 §6.3. */
  #framingOf(
    status: number,
    fields: Fields,
    minorVersion: string,
  ): RequestFraming | { readonly kind: "until-close" } {
    const options = splitList(fields.get("connection")?.toLowerCase() ?? null);
    this.#keepAlive = minorVersion === "0"
      ? options.includes("keep-alive") && !options.includes("close")
      : !options.includes("close");
    const coding = fields.get("transfer-encoding");
    const lengths = new Set(splitList(fields.get("content-length")));
    if (this.#method === "HEAD" || status === 204 || status === 304) {
      return { kind: "none" };
    }
    if (coding !== null) {
      if (lengths.size > 0 || KNOWN_CODING.test(coding)) {
        throw malformed("Transfer-Encoding must be chunked, and stand alone");
      }
      if (coding.toLowerCase() === "chunked") return { kind: "chunked" };
      // RFC 9112 §6.3: any other ends with the connection. It is none that we know, and we asked for none.
      this.#keepAlive = false;
      return { kind: "until-close" };
    }
    if (fields.has("content-length")) {
      const [length] = lengths;
      if (lengths.size !== 1 || !/^[0-9]{1,15}$/.test(length!)) {
        throw malformed("Content-Length must be one number");
      }
      const bytes = Number(length);
      return bytes === 0 ? { kind: "none" } : { kind: "length", bytes };
    }
    this.#keepAlive = false;
    return { kind: "until-close" };
  }
}

/** The position after the first empty line, undefined while there is none. */
function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  for (
    let at = bytes.indexOf(CR, from);
    at >= 0;
    at = bytes.indexOf(CR, at + 1)
  ) {
    if (
      bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF
    ) return at + 4;
  }
  return undefined;
}

/** Whether a line from there on ends as some write them by hand. */
function hasBareLineFeed(bytes: Uint8Array, from: number): boolean {
  for (
    let at = bytes.indexOf(LF, from);
    at >= 0;
    at = bytes.indexOf(LF, at + 1)
  ) if (bytes[at - 1] !== CR) return true;
  return false;
}

const ascii = new TextDecoder();

/** One character for each byte. */
function textOf(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte < 128)) return ascii.decode(bytes);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function fieldsOf(lines: readonly string[]): Fields {
  if (lines.length > MAX_FIELDS + 3) {
    throw malformed(`it must have at most ${MAX_FIELDS} fields`);
  }
  const fields = new Fields();
  for (const line of lines.slice(1, -2)) {
    const match = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/s.exec(line);
    if (match === null || CONTROL.test(match[2]!)) {
      throw malformed("a field must be a name, a colon and a value");
    }
    fields.append(match[1]!, match[2]!);
  }
  return fields;
}

function malformed(rule: string): ProtocolError {
  return new ProtocolError(
    "answer-malformed",
    `Cannot read the answer: ${rule}`,
  );
}
