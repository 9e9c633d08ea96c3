/** The origin that stands behind a student's proxy: it says what a test has told it to, and remembers what it was asked. */
import { type Message, MessageReader, writeAll } from "./_http.ts";

/** A request that came to the origin. */
export interface Asked extends Message {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** What the origin answers. */
export interface Reply {
  /** 200 otherwise. */
  readonly status?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly chunked?: boolean;
  /** Sends half of the body, and the rest after this. */
  readonly halfway?: Promise<unknown>;
  /** Closes the connection: before the answer, or in the middle of its body. */
  readonly breaks?: "before" | "within";
}

/** Answers the nth request (from 1) for a path. */
export type Script = (asked: Asked, nth: number) => Reply | Promise<Reply>;

const utf8 = new TextEncoder();

/** See the head of the file. */
export class ScriptedOrigin {
  readonly #hosts: readonly string[];
  readonly #scripts = new Map<string, Script>();
  readonly #connections = new Set<Deno.Conn>();
  #listeners: Deno.TcpListener[] = [];
  #port: number;
  /** Every request so far. */
  readonly asked: Asked[] = [];

  /** Listens at once. @param port 0 takes a free one. */
  constructor(hosts: readonly string[], port: number) {
    this.#hosts = hosts;
    this.#port = port;
    this.open();
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, also again after {@linkcode close}, at the same port. */
  open(): void {
    for (const hostname of this.#hosts) {
      try {
        const listener = Deno.listen({ hostname, port: this.#port });
        this.#port = listener.addr.port;
        this.#listeners.push(listener);
        void this.#accept(listener);
      } catch (error) {
        // A machine without IPv6 has the other address.
        if (error instanceof Deno.errors.AddrInUse) throw error;
      }
    }
    if (this.#listeners.length === 0) {
      throw new Error(`the grader cannot listen on port ${this.#port}`);
    }
  }

  /** Stops listening, and ends all connections. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
    for (const connection of this.#connections) end(connection);
    this.#connections.clear();
  }

  /** Says what is answered for a path (with its query). */
  on(path: string, script: Script | Reply): void {
    this.#scripts.set(
      path,
      typeof script === "function" ? script : () => script,
    );
  }

  /** The requests for a path. */
  askedFor(path: string): readonly Asked[] {
    return this.asked.filter((one) => one.path === path);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const connection of listener) {
        this.#connections.add(connection);
        this.#serve(connection).catch(() => {}).finally(() => {
          this.#connections.delete(connection);
          end(connection);
        });
      }
    } catch { /* It was closed. */ }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const reader = new MessageReader(connection);
    for (;;) {
      const message = await reader.next(() => true);
      if (message === null) return;
      const [method = "", target = "", version] = message.first.split(" ");
      const path = target.replace(/^http:\/\/[^/]*/i, "");
      const asked = { ...message, method, path };
      this.asked.push(asked);
      const script = this.#scripts.get(path) ?? notThere;
      const reply = await script(asked, this.askedFor(path).length);
      if (reply.breaks === "before") return;
      const isLast = version === "HTTP/1.0" ||
        /close/i.test(message.fields.get("connection") ?? "");
      await send(connection, reply, { method, isLast });
      if (isLast || reply.breaks) return;
    }
  }
}

function notThere(): Reply {
  return { status: 404, fields: { "Cache-Control": "no-store" } };
}

function end(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* It has ended. */ }
}

/** Writes an answer. */
async function send(
  connection: Deno.Conn,
  reply: Reply,
  { method, isLast }: { readonly method: string; readonly isLast: boolean },
): Promise<void> {
  const { status = 200, fields = {}, chunked = false, halfway } = reply;
  const body = typeof reply.body === "string"
    ? utf8.encode(reply.body)
    : reply.body ?? new Uint8Array(0);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const length = chunked
    ? { "Transfer-Encoding": "chunked" }
    : status === 204 || status === 304
    ? {}
    : { "Content-Length": `${body.length}` };
  const all: Record<string, string> = {
    Date: new Date().toUTCString(),
    ...length,
    ...(isLast ? { Connection: "close" } : {}),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} Scripted`, ...lines, "", ""].join("\r\n");
  await writeAll(connection, utf8.encode(head));
  if (!hasBody) return;
  const middle = Math.floor(body.length / 2);
  await writeBody(connection, body.subarray(0, middle), chunked);
  if (reply.breaks === "within") return;
  await halfway;
  await writeBody(connection, body.subarray(middle), chunked);
  if (chunked) await writeAll(connection, utf8.encode("0\r\n\r\n"));
}

async function writeBody(
  connection: Deno.Conn,
  bytes: Uint8Array,
  chunked: boolean,
): Promise<void> {
  if (!chunked) return await writeAll(connection, bytes);
  if (bytes.length === 0) return;
  await writeAll(connection, utf8.encode(`${bytes.length.toString(16)}\r\n`));
  await writeAll(connection, bytes);
  await writeAll(connection, utf8.encode("\r\n"));
}
