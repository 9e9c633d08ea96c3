import { assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { HttpClient } from "../../../../lib/io/http1/client.ts";
import type { Net, TcpConnection } from "../../../../lib/io/net.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

/** A server that answers each request with `body`, and how many connections to it are open. */
function server(body: string) {
  let open = 0;
  const connectTcp = () => {
    open += 1;
    let asked = Promise.withResolvers<void>();
    let isClosed = false;
    const connection = {
      async read(buffer: Uint8Array) {
        await asked.promise;
        if (isClosed) return null;
        asked = Promise.withResolvers();
        const text =
          `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
        const bytes = utf8(text + body);
        buffer.set(bytes);
        return bytes.length;
      },
      write: () => Promise.resolve(asked.resolve()),
      [Symbol.dispose]() {
        if (!isClosed) open -= 1;
        isClosed = true;
        asked.resolve();
      },
    };
    return Promise.resolve(connection as unknown as TcpConnection);
  };
  return { net: { connectTcp } as Pick<Net, "connectTcp">, open: () => open };
}

const REQUEST = {
  method: "GET",
  headers: [],
  connectMs: 1000,
  firstByteMs: 1000,
  signal: new AbortController().signal,
};

Deno.test("HttpClient closes connections of a busy moment when they have been idle for long", async () => {
  const { net, open } = server("abc");
  const clock = new ManualClock();
  const client = new HttpClient(net, clock);
  const get = () => client.send("http://a.test/", REQUEST);
  const read = async ({ body }: Awaited<ReturnType<typeof get>>) => {
    while (await body!.next(100) !== null) { /* to its end */ }
  };
  const busy = await Promise.all([get(), get(), get()]);
  for (const answer of busy) await read(answer);
  assertEquals(open(), 3);
  for (let second = 0; second < 40; second++) {
    await clock.advanceTo(1000 * (second + 1));
    const answer = await get();
    assertEquals(answer.reused, true);
    await read(answer);
  }
  assertEquals(open(), 1);
  client.close();
  assertEquals(open(), 0);
});
