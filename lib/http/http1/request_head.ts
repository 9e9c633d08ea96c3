import { ProtocolError } from "../../core/errors.ts";
import { Fields, type FieldSource } from "../fields.ts";
import type { HeadScanner } from "./head_scanner.ts";

/** How a request's body is delimited (RFC 9112 §6). */
export type RequestFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" };

const NO_BODY: RequestFraming = { kind: "none" };
const CHUNKED: RequestFraming = { kind: "chunked" };

/** Methods whose requests have no body that means anything: RFC 9110 §9.3.1 names refusing one as a defence against smuggling. */
const BODILESS_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "TRACE"]);

/** No host has one of these (RFC 3986 §3.2.2), nor may it name a user (RFC 9110 §4.2.4). */
const NOT_IN_A_HOST = /[^\w.~%!$&'()*+,;=:[\]-]/;

/** A request line and its fields, read and checked (RFC 9112 §3, §5). */
export class RequestHead {
  readonly method: string;
  /** Path and query as sent, or `*`; bytes that are no ASCII come escaped as `%XX`. */
  readonly target: string;
  /** The host that was asked for; "" when an HTTP/1.0 client did not say. */
  readonly authority: string;
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  readonly minorVersion: 0 | 1;
  readonly framing: RequestFraming;
  /** Whether the client wants more from this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly #text: string;
  readonly #fieldsAt: number;
  #fields: Fields | undefined;

  /**
   * Makes a head of what the scanner found in `bytes`.
   *
   * @throws {ProtocolError} Its code names the rule; {@linkcode statusOf} has the status to answer with.
   */
  constructor(bytes: Uint8Array, scanner: HeadScanner) {
    const { marks, hasHighBytes } = scanner;
    const text = textOf(bytes.subarray(0, scanner.at), hasHighBytes);
    this.#text = text;
    this.#fieldsAt = marks[5]! + 2;
    this.method = text.slice(marks[0], marks[1]);
    this.minorVersion = minorVersionOf(text.slice(marks[4], marks[5]));
    const found = framingFields(text, marks);
    checkHost(found.hosts, this.minorVersion);
    const asked = text.slice(marks[2], marks[3]);
    const target = originForm(asked, this.method);
    this.target = escaped(target?.target ?? asked, hasHighBytes);
    this.authority = target?.authority ?? found.hosts[0] ?? "";
    this.framing = framingOf(found, this.method, this.minorVersion);
    const options = connectionOptions(found.connection);
    this.keepAlive = this.minorVersion === 1
      ? !options.includes("close")
      : options.includes("keep-alive") && !options.includes("close");
    this.expectsContinue = this.framing.kind !== "none" &&
      this.minorVersion === 1 && expectsContinue(found.expect);
  }

  /** The fields; read only when somebody asks. */
  get fields(): FieldSource {
    return this.#fields ??= fieldsOf(this.#text, this.#fieldsAt);
  }
}

/** The status that tells a client what it did wrong. */
export function statusOf(code: string): number {
  switch (code) {
    case "head-too-large":
      return 431;
    case "body-too-large":
      return 413;
    case "head-too-slow":
    case "body-too-slow":
      return 408;
    case "expectation-unknown":
      return 417;
    case "transfer-coding-unknown":
    case "no-tunnel":
      return 501;
    case "version-unknown":
      return 505;
    default:
      return 400;
  }
}

/** The values of the fields that decide how the message is read. */
interface FramingFields {
  hosts: readonly string[];
  lengths: readonly string[];
  codings: readonly string[];
  connection: readonly string[];
  expect: readonly string[];
}

/** Most messages have one of them. */
const NO_VALUES: readonly string[] = [];

function framingFields(text: string, marks: readonly number[]): FramingFields {
  const found: FramingFields = {
    hosts: NO_VALUES,
    lengths: NO_VALUES,
    codings: NO_VALUES,
    connection: NO_VALUES,
    expect: NO_VALUES,
  };
  for (let at = 6; at < marks.length; at += 4) {
    const which = fieldOfInterest(text, marks[at]!, marks[at + 1]!);
    if (which === undefined) continue;
    const value = text.slice(marks[at + 2], marks[at + 3]);
    found[which] = found[which].length === 0
      ? [value]
      : [...found[which], value];
  }
  return found;
}

/** The list a field's value belongs to, undefined for all that matter to handlers only. The length tells most apart. */
function fieldOfInterest(
  text: string,
  from: number,
  to: number,
): keyof FramingFields | undefined {
  switch (to - from) {
    case 4:
      return is(text, from, to, "host") ? "hosts" : undefined;
    case 6:
      return is(text, from, to, "expect") ? "expect" : undefined;
    case 10:
      return is(text, from, to, "connection") ? "connection" : undefined;
    case 14:
      return is(text, from, to, "content-length") ? "lengths" : undefined;
    case 17:
      return is(text, from, to, "transfer-encoding") ? "codings" : undefined;
  }
}

/** Whether the letters and hyphens of `name` stand there, in either case; a token has no character that would pass for one. */
function is(text: string, from: number, to: number, name: string): boolean {
  for (let at = from; at < to; at++) {
    if ((text.charCodeAt(at) | 32) !== name.charCodeAt(at - from)) return false;
  }
  return true;
}

const ascii = new TextDecoder();

/** One character for each byte. */
function textOf(bytes: Uint8Array, hasHighBytes: boolean): string {
  if (!hasHighBytes) return ascii.decode(bytes);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function escaped(target: string, hasHighBytes: boolean): string {
  if (!hasHighBytes) return target;
  return target.replace(
    /[\x80-\xff]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** RFC 9112 §2.3: any later 1.x is answered as 1.1. */
function minorVersionOf(version: string): 0 | 1 {
  if (version === "HTTP/1.1") return 1;
  if (version === "HTTP/1.0") return 0;
  if (/^HTTP\/1\.[0-9]$/.test(version)) return 1;
  throw /^HTTP\/[0-9]\.[0-9]$/.test(version)
    ? new ProtocolError(
      "version-unknown",
      `Cannot read a request: only HTTP/1.1 is spoken here, got ${version}`,
    )
    : malformed("that is no version of HTTP");
}

/** RFC 9112 §3.2: exactly one Host, and one that can be one. */
function checkHost(hosts: readonly string[], minorVersion: 0 | 1): void {
  if (hosts.length === 0 && minorVersion === 0) return;
  if (hosts.length !== 1 || NOT_IN_A_HOST.test(hosts[0]!)) {
    throw new ProtocolError(
      "host-malformed",
      `Cannot read a request: it must have one Host, got ${
        hosts.length === 1 ? "one that is none" : hosts.length
      }`,
    );
  }
}

/**
 * Path and query of a target that is not in origin-form (RFC 9112 §3.2), with the host it names; undefined when it is
 * as it should be.
 */
function originForm(
  target: string,
  method: string,
): { readonly target: string; readonly authority: string } | undefined {
  if (method === "CONNECT") {
    throw new ProtocolError(
      "no-tunnel",
      "Cannot make a tunnel: this is no proxy for CONNECT",
    );
  }
  if (target.startsWith("/")) return checkDots(target);
  if (target === "*" && method === "OPTIONS") return undefined;
  const parts = /^https?:\/\/([^/?]+)(.*)$/is.exec(target);
  if (parts === null || NOT_IN_A_HOST.test(parts[1]!)) {
    throw malformed("the target must be a path");
  }
  const path = parts[2]!.startsWith("/") ? parts[2]! : `/${parts[2]}`;
  checkDots(path);
  return { target: path, authority: parts[1]! };
}

/** Refuses a path that climbs above the root: nobody asks for that by mistake. */
function checkDots(target: string): undefined {
  const question = target.indexOf("?");
  const asked = question < 0 ? target : target.slice(0, question);
  const hasEscapedDot = asked.includes("%") && /%2e/i.test(asked);
  if (!asked.includes("/.") && !hasEscapedDot) return;
  let depth = 0;
  const path = asked.replace(/%2e/gi, ".");
  for (const name of path.split(/[/\\]|%2f|%5c/i)) {
    if (name === "..") depth -= 1;
    else if (name !== "." && name !== "") depth += 1;
    if (depth < 0) throw malformed("the path must not leave the root");
  }
}

/** RFC 9112 §6.3, without any of the repairs it allows. */
function framingOf(
  { lengths, codings }: FramingFields,
  method: string,
  minorVersion: 0 | 1,
): RequestFraming {
  if (lengths.length === 0 && codings.length === 0) return NO_BODY;
  if (codings.length > 0 && (lengths.length > 0 || minorVersion === 0)) {
    throw new ProtocolError(
      "framing-ambiguous",
      "Cannot read a request: Transfer-Encoding must stand alone, and in HTTP/1.1",
    );
  }
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked") {
      throw new ProtocolError(
        "transfer-coding-unknown",
        "Cannot read a request: the only transfer coding is chunked",
      );
    }
    return forbidden(method) ?? CHUNKED;
  }
  if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(lengths[0]!)) {
    throw new ProtocolError(
      "framing-ambiguous",
      "Cannot read a request: Content-Length must be one number",
    );
  }
  const bytes = Number(lengths[0]);
  return bytes === 0 ? NO_BODY : forbidden(method) ?? { kind: "length", bytes };
}

function forbidden(method: string): undefined {
  if (BODILESS_METHODS.has(method)) {
    throw new ProtocolError(
      "body-unexpected",
      `Cannot read a request: ${method} has no body`,
    );
  }
}

const NO_OPTIONS: readonly string[] = [];

function connectionOptions(values: readonly string[]): readonly string[] {
  if (values.length === 0) return NO_OPTIONS;
  return values.join(",").toLowerCase().split(",").map((name) => name.trim());
}

/** RFC 9110 §10.1.1. */
function expectsContinue(values: readonly string[]): boolean {
  if (values.length === 0) return false;
  if (values.length > 1 || values[0]!.toLowerCase() !== "100-continue") {
    throw new ProtocolError(
      "expectation-unknown",
      "Cannot meet an expectation: the only one known is 100-continue",
    );
  }
  return true;
}

function fieldsOf(text: string, from: number): Fields {
  const fields = new Fields();
  let at = from;
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end <= at) return fields;
    const colon = text.indexOf(":", at);
    fields.append(text.slice(at, colon), trimmed(text, colon + 1, end));
    at = end + 2;
  }
}

/** Without the spaces and tabs around it; `trim` would take other characters, too. */
function trimmed(text: string, from: number, to: number): string {
  let begin = from;
  let end = to;
  const blank = (at: number) => text[at] === " " || text[at] === "\t";
  while (begin < end && blank(begin)) begin += 1;
  while (end > begin && blank(end - 1)) end -= 1;
  return text.slice(begin, end);
}

function malformed(rule: string): ProtocolError {
  return new ProtocolError(
    "head-malformed",
    `Cannot read a request: ${rule}`,
  );
}
