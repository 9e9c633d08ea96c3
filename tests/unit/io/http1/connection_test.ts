import { assertEquals } from "@std/assert";
import { utf8 } from "../../../../lib/core/bytes.ts";
import { Fields } from "../../../../lib/http/fields.ts";
import type { ByteStream } from "../../../../lib/io/http1/connection.ts";
import { HttpConnections } from "../../../../lib/io/http1/server.ts";
import { denoClock } from "../../../../lib/io/deno/clock.ts";

/** What was done to a connection, in order; a write is done when the test says so. */
class WatchedStream implements ByteStream {
  readonly calls: string[] = [];
  readonly written = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<void>();
  readonly #requests: Uint8Array[];

  constructor(...requests: string[]) {
    this.#requests = requests.map(utf8);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const request = this.#requests.shift();
    if (request === undefined) {
      await this.closed.promise;
      return null;
    }
    buffer.set(request);
    return request.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.calls.push("write");
    await this.written.promise;
    this.calls.push("written");
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    this.calls.push("FIN");
    return Promise.reject(new Error("reset"));
  }

  close(): void {
    this.calls.push("close");
    this.closed.resolve();
  }

  setNoDelay(): void {}
}

const LAST = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const KEPT = "GET /kept HTTP/1.1\r\nHost: x\r\n\r\n";

Deno.test("who is read in the same turn is answered together, and those behind do not wait for the first to be written", async () => {
  const told: string[] = [];
  const connections = new HttpConnections(({ target }) => {
    told.push(`handle ${target}`);
    return { status: 200, headers: new Fields(), body: new Uint8Array(300) };
  }, { clock: denoClock });
  const streams = ["/a", "/b", "/c"].map((target) => {
    const request =
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const stream = new WatchedStream(request);
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      told.push(`write ${target}`);
      return write(bytes);
    };
    return stream;
  });
  for (const stream of streams) {
    connections.add(stream, () => ({ host: "192.0.2.1", port: 1 }));
  }
  for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  assertEquals(told, [
    "handle /a",
    "handle /b",
    "handle /c",
    "write /a",
    "write /b",
    "write /c",
  ]);
  for (const { written } of streams) written.resolve();
  await Promise.all(streams.map(({ closed }) => closed.promise));
  await connections.close();
});

async function served(stream: WatchedStream, size: number): Promise<string[]> {
  const connections = new HttpConnections(
    () => ({ status: 200, headers: new Fields(), body: new Uint8Array(size) }),
    { clock: denoClock },
  );
  connections.add(stream, () => ({ host: "192.0.2.1", port: 1 }));
  for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  stream.written.resolve();
  await stream.closed.promise;
  await connections.close();
  return stream.calls;
}

Deno.test("a connection's only answer takes FIN along, so that the server is the first to close", async () => {
  assertEquals(await served(new WatchedStream(LAST), 300), [
    "write",
    "FIN",
    "written",
    "close",
  ]);
});

Deno.test("FIN waits for answers that a connection may take in parts only", async () => {
  assertEquals(await served(new WatchedStream(LAST), 5000), [
    "write",
    "written",
    "close",
  ]);
  assertEquals(await served(new WatchedStream(KEPT, LAST), 300), [
    "write",
    "written",
    "write",
    "written",
    "close",
  ]);
});
