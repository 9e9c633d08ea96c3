import { formatHostPort, isIpv6 } from "../../core/address.ts";
import { RunError } from "../../core/errors.ts";
import { LinkedAbort } from "../linked_abort.ts";
import type { FetchOptions } from "../net.ts";
import { distrust, noWay } from "./errors.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** The client that sends the `Host` field it is given: the usual one leaves that out without a word. Made when it is first wanted, and kept for its connections. */
let namingClient: Deno.HttpClient | undefined;

/** One request by Deno's own HTTP client, which keeps connections alive. See {@linkcode Net.fetch}. */
export async function fetchOnce(
  url: string,
  options: FetchOptions = {},
): Promise<Response> {
  options.signal?.throwIfAborted();
  const headers = new Headers(options.headers);
  // Without it the client asks for gzip and brotli and hides both from us.
  if (!headers.has("accept-encoding")) {
    headers.set("accept-encoding", "identity");
  }
  let target = url;
  let client: Deno.HttpClient | undefined;
  if (options.connectTo !== undefined) {
    client = namingClient ??= Deno.createHttpClient({ allowHost: true });
    const to = new URL(url);
    headers.set("host", to.host);
    const { host, port } = options.connectTo;
    to.hostname = isIpv6(host) ? `[${host}]` : host;
    to.port = String(port);
    target = to.href;
  }
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Once the head is there it stays linked: the body ends with the signal too.
  const stop = new LinkedAbort(options.signal);
  const timeout = setTimeout(() => stop.abort(), timeoutMs);
  try {
    return await fetch(target, {
      method: options.method ?? "GET",
      headers,
      redirect: "manual",
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(client === undefined ? {} : { client }),
      signal: stop.signal,
    });
  } catch (error) {
    stop[Symbol.dispose]();
    options.signal?.throwIfAborted();
    const where = options.connectTo === undefined
      ? url
      : `${url} at ${formatHostPort(options.connectTo)}`;
    if (stop.signal.aborted) {
      throw new RunError(
        "fetch-timeout",
        `Cannot fetch ${where}: no answer within ${timeoutMs} ms`,
        { cause: error },
      );
    }
    throw new RunError("fetch-failed", `Cannot fetch ${where}: ${why(error)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timeout);
  }
}

/** The reason in words a person knows; the runtime has it in the message or in one of its causes. */
function why(error: unknown): string {
  let text = "";
  let inner = error;
  for (let depth = 0; inner instanceof Error && depth < 4; depth++) {
    text += `${inner.message}\n`;
    inner = inner.cause;
  }
  const way = noWay(text) ?? distrust(text);
  if (way !== undefined) return way;
  if (/refused/i.test(text)) return "nobody listens there";
  if (/dns error|lookup|resolve/i.test(text)) return "no such host";
  if (/ports? \d* ?(is|are) blocked/i.test(text)) {
    return "the runtime keeps that port for other protocols";
  }
  if (/reset|closed|unexpected end|incomplete/i.test(text)) {
    return "the connection was closed";
  }
  return text.split("\n")[0]!.replace(/\s*\(os error \d+\)/g, "");
}
