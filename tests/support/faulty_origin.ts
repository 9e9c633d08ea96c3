import { utf8 } from "../../lib/core/bytes.ts";

/** What an origin does with a request: the bytes to send, and how the connection goes on. */
export interface Behaviour {
  readonly text: string;
  /** `keep`: on to the next request; `close`: FIN; `hang`: nothing more. */
  readonly then: "keep" | "close" | "hang";
}

/** An origin that breaks its promises as it is told to, on raw TCP. */
export interface FaultyOrigin extends AsyncDisposable {
  readonly url: string;
  /** The request lines so far. */
  readonly asked: readonly string[];
  readonly connections: number;
}

/** Starts an origin that does with each path what `behave` says. */
export function faultyOrigin(
  behave: (path: string) => Behaviour,
): FaultyOrigin {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const open = new Set<Deno.TcpConn>();
  let connections = 0;
  const serve = async (stream: Deno.TcpConn) => {
    const buffer = new Uint8Array(8192);
    let text = "";
    for (;;) {
      while (!text.includes("\r\n\r\n")) {
        const count = await stream.read(buffer);
        if (count === null) return;
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
      const line = text.slice(0, text.indexOf("\r\n"));
      text = text.slice(text.indexOf("\r\n\r\n") + 4);
      asked.push(line);
      const { text: answer, then } = behave(line.split(" ")[1]!);
      const bytes = utf8(answer);
      for (let at = 0; at < bytes.length;) {
        at += await stream.write(bytes.subarray(at));
      }
      if (then === "close") return;
      // Waits for the other side to end.
      if (then === "hang") { while (await stream.read(buffer) !== null); }
    }
  };
  const accepting = (async () => {
    const served: Promise<void>[] = [];
    try {
      for await (const stream of listener) {
        connections += 1;
        open.add(stream);
        served.push(
          serve(stream).catch(() => {}).then(() => {
            open.delete(stream);
            stream.close();
          }),
        );
      }
    } catch { /* closed */ }
    await Promise.all(served);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const stream of open) {
        try {
          stream.close();
        } catch { /* it has ended */ }
      }
      await accepting.catch(() => {});
    },
  };
}

/** An answer with a body of known length. */
export function answer(body: string, fields = "", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}
