/**
 * HTTP/1.1 over sockets, as the grading tests speak it on both sides of a student's program: what was sent is seen, not
 * what a library makes of it.
 */
import { assert, assertEquals } from "@std/assert";

/** A request or an answer. */
export interface Message {
  /** The request line or the status line. */
  readonly first: string;
  /** Fields of one name are joined by a comma. */
  readonly fields: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A {@linkcode Message} that answers. */
export interface Answer extends Message {
  readonly status: number;
  /** The body as text. */
  readonly text: string;
}

/** How long bytes are waited for that should not come. */
const REST_MS = 500;

const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** Reads messages from a connection, one after the other. */
export class MessageReader {
  readonly #connection: Deno.Conn;
  #held = new Uint8Array(0);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Reads once more; false at the end of the stream. */
  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#connection.read(buffer);
    if (count === null) return false;
    const joined = new Uint8Array(this.#held.length + count);
    joined.set(this.#held);
    joined.set(buffer.subarray(0, count), this.#held.length);
    this.#held = joined;
    return true;
  }

  /** Text up to `mark`, which is taken away; null if the stream ends before its first byte. */
  async #textUntil(mark: string): Promise<string | null> {
    for (let at = -1;;) {
      at = latin1.decode(this.#held).indexOf(mark);
      if (at >= 0) {
        const text = latin1.decode(this.#held.subarray(0, at));
        this.#held = this.#held.slice(at + mark.length);
        return text;
      }
      if (await this.#more()) continue;
      if (this.#held.length === 0) return null;
      throw new Error("the connection ended within the head of a message");
    }
  }

  async #take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#held.length < count) {
      if (!await this.#more()) {
        throw new Error(
          `the connection ended after ${this.#held.length} of ${count} B`,
        );
      }
    }
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  async #chunked(): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const line = await this.#textUntil("\r\n");
      const size = Number.parseInt(line ?? "", 16);
      if (Number.isNaN(size)) {
        throw new Error(`no size of a chunk: ${quoted(line)}`);
      }
      if (size === 0) break;
      pieces.push(await this.#take(size));
      await this.#take(2);
    }
    while (await this.#textUntil("\r\n")) { /* Trailers. */ }
    return new Uint8Array(await new Blob(pieces).arrayBuffer());
  }

  /** What comes until the connection ends, or nothing has for a moment. */
  async rest(): Promise<Uint8Array<ArrayBuffer>> {
    const { promise, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), REST_MS);
    const more = () => this.#more().catch(() => false);
    while (await Promise.race([more(), promise])) { /* Held. */ }
    clearTimeout(timer);
    return this.#held;
  }

  /** The next message; null if the connection ended before one. @param hasBody Whether this first line may have a body. */
  async next(
    hasBody: (first: string) => boolean,
  ): Promise<Message | null> {
    const head = await this.#textUntil("\r\n\r\n");
    if (head === null) return null;
    const [first = "", ...lines] = head.split("\r\n");
    const fields = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(":");
      if (colon < 1) throw new Error(`${quoted(line)} is no field`);
      // What may not be in a field is kept visible, for the tests to find.
      const value = line.slice(colon + 1).trim().replace(/[\r\n\0]/g, "\\n");
      fields.append(line.slice(0, colon), value);
    }
    const body = hasBody(first)
      ? await this.#body(fields, first.startsWith("HTTP/"))
      : new Uint8Array(0);
    return { first, fields, body };
  }

  async #body(fields: Headers, answers: boolean) {
    if (/chunked/i.test(fields.get("transfer-encoding") ?? "")) {
      return await this.#chunked();
    }
    const all = fields.get("content-length");
    // As an origin that is no wiser than it must be, the first of two counts.
    const length = answers ? all : all?.split(",")[0] ?? null;
    if (length === null && !answers) return new Uint8Array(0);
    if (length === null) {
      while (await this.#more()) { /* The end of the connection ends it. */ }
      return await this.#take(this.#held.length);
    }
    if (!/^\d+$/.test(length)) throw new Error(`Content-Length: ${length}`);
    return await this.#take(Number(length));
  }
}

/** What a client asks for, beside GET and its URL. */
export interface Question {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The request's target as it is sent; that of the URL otherwise. */
  readonly target?: string;
}

/** What came, for a message: short, and harmless on a terminal. */
function quoted(text: string | null): string {
  return JSON.stringify((text ?? "").slice(0, 60));
}

const connections = new Set<Deno.TcpConn>();

/** Connects to the host of a URL. */
export async function connect({ hostname, port }: URL): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 80),
  });
  connections.add(connection);
  return connection;
}

/** Ends what a test has left open: one that fails must not make the next one fail. */
export function closeAll(): void {
  for (const connection of connections) {
    try {
      connection.close();
    } catch { /* It has ended. */ }
  }
  connections.clear();
}

/** The bytes of a request. */
export function requestOf(url: URL, question: Question): Uint8Array {
  const { method = "GET", fields = {}, body, target } = question;
  const all: Record<string, string> = {
    Host: url.host,
    Connection: "close",
    ...fields,
    ...(body === undefined
      ? {}
      : { "Content-Length": `${utf8.encode(body).length}` }),
  };
  return utf8.encode([
    `${method} ${target ?? url.pathname + url.search} HTTP/1.1`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    "",
    body ?? "",
  ].join("\r\n"));
}

/** Writes all of `bytes`. */
export async function writeAll(
  connection: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

/** Sends bytes that need be no right request; the answer, or null when the connection is closed without one. */
export async function converse(
  url: URL,
  bytes: Uint8Array | string,
  method = "GET",
): Promise<Answer | null> {
  using connection = await connect(url);
  await writeAll(
    connection,
    typeof bytes === "string" ? utf8.encode(bytes) : bytes,
  );
  const reader = new MessageReader(connection);
  const hasBody = (first: string) =>
    method !== "HEAD" && !/^\S+ (1\d\d|204|304)\b/.test(first);
  for (;;) {
    const message = await reader.next(hasBody);
    if (message === null) return null;
    const status = Number(/^HTTP\/1\.\d (\d{3})\b/.exec(message.first)?.[1]);
    if (Number.isNaN(status)) {
      throw new Error(`${quoted(message.first)} is no HTTP`);
    }
    if (status < 200) continue;
    // A body that should not be there is one.
    const body = hasBody(message.first) ? message.body : await reader.rest();
    return { ...message, status, body, text: new TextDecoder().decode(body) };
  }
}

/** Asks in a connection of its own. @throws {Error} If there is no whole answer. */
export async function ask(
  url: URL | string,
  question: Question = {},
): Promise<Answer> {
  const to = new URL(url);
  const answer = await converse(to, requestOf(to, question), question.method);
  if (answer === null) {
    throw new Error("the connection was closed without an answer");
  }
  return answer;
}

/** Compares bytes without writing them down. */
export function assertSameBytes(got: Uint8Array, right: Uint8Array): void {
  assertEquals(got.length, right.length, "length of the body");
  const at = right.findIndex((byte, index) => byte !== got[index]);
  assertEquals(at, -1, "place of the first byte that differs");
}

/** Asks for a file of the machine by paths that lead out of the folder of `url`, in every spelling; fails if it comes. */
export async function assertKeptIn(url: URL): Promise<void> {
  const folder = url.pathname.replace(/[^/]*$/, "");
  const ups = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    ".%2e/",
    "%252e%252e%252f",
  ];
  const more = ["....//", "..\\", "..%5c", "./../", "x/../../", "..%c0%af"];
  const paths = [...ups, ...more].map((up) => `${up.repeat(12)}etc/passwd`);
  const others = [
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "../../../../../../etc/passwd%00.m4s",
  ];
  for (const path of [...paths, ...others]) {
    for (const target of new Set([`/${path}`, `${folder}${path}`])) {
      const answer = await ask(url, { target }).catch(() => null);
      assert(!/root:[^:]*:0:/.test(answer?.text ?? ""), target);
    }
  }
}
