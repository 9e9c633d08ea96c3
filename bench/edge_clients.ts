/** Clients on plain sockets, as many as a bench wants, that know when each byte came. */

/** What a client saw. */
export interface Seen {
  readonly status: number;
  /** From its start to the first byte of the body, and to the last. */
  readonly firstMs: number;
  readonly doneMs: number;
  readonly bytes: number;
}

function requestOf(path: string, fields: string): Uint8Array {
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`,
  );
}

/** Asks once and reads all, or leaves after so many bytes of the body. */
export async function ask(
  port: number,
  path: string,
  options: { readonly range?: string; readonly leaveAfter?: number } = {},
): Promise<Seen> {
  const startedAt = performance.now();
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const range = options.range === undefined
    ? ""
    : `Range: bytes=${options.range}\r\n`;
  await socket.write(requestOf(path, `${range}Connection: close\r\n`));
  const buffer = new Uint8Array(65_536);
  let head = "";
  let [firstMs, bytes] = [NaN, 0];
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) break;
    let body = count;
    if (!head.includes("\r\n\r\n")) {
      head += new TextDecoder("latin1").decode(buffer.subarray(0, count));
      const end = head.indexOf("\r\n\r\n");
      body = end < 0 ? 0 : head.length - end - 4;
    }
    if (body > 0 && bytes === 0) firstMs = performance.now() - startedAt;
    bytes += body;
    if (bytes >= (options.leaveAfter ?? Infinity)) break;
  }
  const doneMs = performance.now() - startedAt;
  return { status: Number(head.slice(9, 12)), firstMs, doneMs, bytes };
}

/** Opens connections that ask and then do nothing; with `reads`, each first takes one whole answer of up to 16 KiB. */
export async function openMany(
  port: number,
  path: string,
  options: { readonly count: number; readonly reads: boolean },
): Promise<Disposable> {
  const sockets: Deno.TcpConn[] = [];
  const request = requestOf(path, "");
  let left = options.count;
  const work = async () => {
    const buffer = new Uint8Array(16_384);
    while (left-- > 0) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port });
      sockets.push(socket);
      await socket.write(request);
      if (options.reads) await socket.read(buffer);
    }
  };
  await Promise.all(Array.from({ length: 50 }, work));
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.close();
    },
  };
}

/** An origin whose bodies take their time: `/SIZE/MS/anything`. */
export interface PacedOrigin extends AsyncDisposable {
  readonly url: string;
  /** Requests so far for a path. */
  count(path: string): number;
}

/** Starts a {@linkcode PacedOrigin}. */
export function startOrigin(): PacedOrigin {
  const counts = new Map<string, number>();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, (request) => {
    const { pathname } = new URL(request.url);
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
    const [, size = "0", ms = "0"] = pathname.split("/");
    const headers = {
      "cache-control": "max-age=3600",
      "content-length": size,
      etag: '"1"',
    };
    if (ms === "0") return new Response(new Uint8Array(+size), { headers });
    return new Response(paced(+size, +ms), { headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    count: (path) => counts.get(path) ?? 0,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A body in sixty-four pieces, the first at once and the last at the end of its time. */
function paced(size: number, ms: number): ReadableStream<Uint8Array> {
  const startedAt = performance.now();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      const waitMs = startedAt + ms * at / 63 - performance.now();
      if (waitMs > 0) await new Promise((go) => setTimeout(go, waitMs));
      controller.enqueue(new Uint8Array(size / 64).fill(at));
      at += 1;
      if (at === 64) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
