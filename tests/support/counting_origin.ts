/** An HTTP origin for tests that remembers what it was asked. */
export interface CountingOrigin extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Every request so far. */
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
  }[];
  /** How often a path was asked for. */
  count(path: string): number;
}

/** Starts an origin that answers with `handler`; `path` includes the query. */
export function countingOrigin(
  handler: (
    path: string,
    request: Request,
  ) => Response | Promise<Response>,
): CountingOrigin {
  const requests: { method: string; path: string; headers: Headers }[] = [];
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen() {},
      onError: () => new Response("origin error", { status: 500 }),
    },
    (request) => {
      const { pathname, search } = new URL(request.url);
      const path = pathname + search;
      requests.push({ method: request.method, path, headers: request.headers });
      return handler(path, request);
    },
  );
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    count: (path) => requests.filter((one) => one.path === path).length,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A gate that is closed until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open };
}
