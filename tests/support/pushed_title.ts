/** A web server that is sent a title's files while they are made, and hands out of each what it has, as it comes. */

/** A file, whole or on its way. */
interface Pushed {
  readonly parts: Uint8Array[];
  isWhole: boolean;
  changed: PromiseWithResolvers<void>;
}

/** Disposing of it ends it. */
export interface PushedTitle extends AsyncDisposable {
  /** Without a slash at the end; files are sent there with PUT, and `/time` tells it. */
  readonly url: string;
  /** Resolves when the file has begun to come. */
  has(path: string): Promise<void>;
}

/** Starts one on a free port. */
export function servePushedTitle(): PushedTitle {
  const files = new Map<string, Pushed>();
  const ending = new AbortController();
  let more = Promise.withResolvers<void>();
  const take = async (path: string, request: Request) => {
    const file: Pushed = {
      parts: [],
      isWhole: false,
      changed: Promise.withResolvers(),
    };
    const change = () => {
      file.changed.resolve();
      file.changed = Promise.withResolvers();
    };
    const put = () => {
      files.set(path, file);
      more.resolve();
      more = Promise.withResolvers();
    };
    // Of a manifest that is written anew the old one stands until then.
    if (!path.endsWith(".mpd")) put();
    try {
      for await (const part of request.body ?? []) {
        file.parts.push(part);
        change();
      }
    } catch { /* ffmpeg leaves without waiting for an answer. */ }
    file.isWhole = true;
    change();
    put();
    return new Response(null, { status: 201 });
  };
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      signal: ending.signal,
      onError: () => new Response(null, { status: 500 }),
    },
    (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "PUT") return take(pathname, request);
      if (pathname === "/time") return new Response(new Date().toISOString());
      const file = files.get(pathname);
      if (file === undefined) return new Response(null, { status: 404 });
      let at = 0;
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          while (at === file.parts.length && !file.isWhole) {
            await file.changed.promise;
          }
          if (at === file.parts.length) return controller.close();
          controller.enqueue(file.parts[at++]! as Uint8Array<ArrayBuffer>);
        },
      });
      const age = pathname.endsWith(".mpd") ? 1 : 60;
      return new Response(body, {
        headers: { "cache-control": `max-age=${age}` },
      });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async has(path) {
      while (!files.has(path)) await more.promise;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await server.finished;
    },
  };
}
