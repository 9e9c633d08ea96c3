/** The origin with files in memory and without a socket. */
import { assertEquals } from "@std/assert";
import { fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { HttpHandler } from "../../../lib/io/http.ts";
import { type OriginFlags, serveOrigin } from "../../../roles/origin/serve.ts";
import { bytesOf, requestOf } from "../../support/http_exchange.ts";
import { MemoryFiles } from "../../support/memory_files.ts";
import { roleContext } from "../../support/role_context.ts";

/** Starts an origin for `/r` whose files `open` as it says; gives what answers. */
async function originOf(
  open: (path: string) => ReturnType<MemoryFiles["open"]>,
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
      open,
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
    const { status, body } = await answer(requestOf(target, { headers }));
    return [status, fromUtf8(await bytesOf(body)).length > 0];
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
    assertEquals(await ask("/film.mp4"), [status, true]);
    const gzip = new Headers({ "accept-encoding": "gzip" });
    assertEquals(await ask("/film.mpd", gzip), [status, true]);
    await stop();
  }
});
