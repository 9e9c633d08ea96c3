/** The origin with files in memory and without a socket. */
import { assertEquals } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { HttpHandler } from "../../../lib/io/http.ts";
import { type OriginFlags, serveOrigin } from "../../../roles/origin/serve.ts";
import { bytesOf, requestOf } from "../../support/http_exchange.ts";
import { MemoryFiles } from "../../support/memory_files.ts";
import { roleContext } from "../../support/role_context.ts";

const GZIP = new Headers({ "accept-encoding": "gzip" });

/** Starts an origin for `/r` whose files `open` as it says; gives what answers. */
async function originOf(
  open: (path: string, files: MemoryFiles) => ReturnType<MemoryFiles["open"]>,
) {
  const files = new MemoryFiles();
  for (const name of ["film.mp4", "film.mpd"]) {
    files.contents.set(`/r/${name}`, utf8("x".repeat(2000)));
  }
  const stop = new AbortController();
  let handler: HttpHandler | undefined;
  const ctx = roleContext({
    signal: stop.signal,
    files: {
      open: (path) => open(path, files),
      stat: (path: string) =>
        path === "/r"
          ? Promise.resolve({
            ...{ kind: "folder", sizeBytes: 0 },
            ...{ allocatedBytes: null, modifiedAtWallMs: 0 },
          })
          : files.stat(path),
      realPath: (path: string) => Promise.resolve(path),
    },
    net: {
      serveHttp(_, given) {
        handler = given;
        return {
          ...{ host: "x", port: 1 },
          [Symbol.asyncDispose]: () => Promise.resolve(),
        };
      },
    },
  });
  const flags = { root: "/r", maxAge: 1000 } as unknown as OriginFlags;
  const served = serveOrigin(flags, ctx);
  while (handler === undefined) await Promise.resolve();
  const answer = handler;
  const ask = async (target: string, headers = new Headers()) => {
    const response = await answer(requestOf(target, { headers }));
    return { ...response, bytes: await bytesOf(response.body) };
  };
  return { ask, stop: () => (stop.abort(), served) };
}

Deno.test("serveOrigin says before anything is sent that a file may not be read, or is gone", async () => {
  const cases = [
    ["permission-denied", 403],
    ["not-found", 404],
    ["io-failed", 500],
  ] as const;
  for (const [code, status] of cases) {
    const { ask, stop } = await originOf((path) =>
      Promise.reject(new RunError(code, `Cannot open ${path}`))
    );
    const plain = await ask("/film.mp4");
    assertEquals([plain.status, plain.bytes.length > 0], [status, true]);
    const coded = await ask("/film.mpd", GZIP);
    assertEquals([coded.status, coded.bytes.length > 0], [status, true]);
    await stop();
  }
});

Deno.test("serveOrigin sends a file that another program replaces between the look and the opening as the new one, whole and under its own tag", async () => {
  const text = (version: number) => utf8("y".repeat(2000 + version));
  for (const headers of [new Headers(), GZIP]) {
    let opened = 0;
    const { ask, stop } = await originOf((path, files) => {
      opened += 1;
      if (opened <= 3) files.contents.set(path, text(opened));
      return files.open(path);
    });
    const { status, headers: fields, bytes } = await ask("/film.mpd", headers);
    const isCoded = fields.get("content-encoding") === "gzip";
    assertEquals([status, isCoded], [200, headers === GZIP]);
    const sent = isCoded
      ? await new Response(
        new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
      ).text()
      : fromUtf8(bytes);
    assertEquals(sent, fromUtf8(text(3)));
    assertEquals(fields.get("content-length"), String(bytes.length));
    const again = await ask("/film.mpd", headers);
    assertEquals(again.headers.get("etag"), fields.get("etag"));
    assertEquals(again.bytes, bytes);
    await stop();
  }
});

Deno.test("serveOrigin gives up on a file that is never the same for long enough", async () => {
  let version = 0;
  const { ask, stop } = await originOf((path, files) => {
    files.contents.set(path, utf8("z".repeat(++version)));
    return files.open(path);
  });
  assertEquals((await ask("/film.mp4")).status, 500);
  await stop();
});
