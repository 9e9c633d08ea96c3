import { eventually } from "./eventually.ts";

/**
 * Below the ports that systems give to whoever names none, so that in the time until the tool listens no other test gets
 * it for a connection or for `--port 0`.
 */
const TOOL_PORTS = { first: 20_000, count: 12_000 };
const given = new Set<number>();

/** A port of this machine that nobody listens on now; for tools that cannot choose one themselves. */
export function freePort(hostname = "127.0.0.1"): number {
  for (let tries = 0; tries < 1000; tries++) {
    const port = TOOL_PORTS.first +
      Math.floor(Math.random() * TOOL_PORTS.count);
    if (given.has(port) || !isFree(hostname, port)) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port is free at ${hostname}`);
}

function isFree(hostname: string, port: number): boolean {
  try {
    using _tcp = Deno.listen({ hostname, port });
    Deno.listenDatagram({ transport: "udp", hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

interface ToolOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What ends it; who has children needs SIGTERM, and is made to end after 10 s. */
  readonly stop?: "SIGTERM" | "SIGKILL";
}

/** A tool that runs, unheard, until it is disposed of. */
export function startTool(
  command: readonly string[],
  { env = {}, stop = "SIGKILL" }: ToolOptions = {},
): AsyncDisposable {
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    env: { ...env },
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  return {
    [Symbol.asyncDispose]: () => end(child, stop, child.status),
  };
}

/** A tool that is listened to. */
export interface HeardTool extends AsyncDisposable {
  /** All that it has said so far. */
  readonly said: () => string;
  /** Resolves when it has ended, by itself or not. */
  readonly ended: Promise<unknown>;
  /** Sends a signal, and waits for the end. */
  readonly end: (signal: Deno.Signal) => Promise<void>;
}

/** As {@linkcode startTool}, for one without children, or which waits for them: what it says is kept. */
export function startHeardTool(
  command: readonly string[],
  { env = {}, stop = "SIGKILL" }: ToolOptions = {},
): HeardTool {
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    env: { ...env },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream) text += new TextDecoder().decode(part);
  };
  const ended = Promise.all([
    ...[read(child.stdout), read(child.stderr)],
    child.status,
  ]);
  return {
    said: () => text,
    ended,
    end: (signal) => end(child, signal, ended),
    [Symbol.asyncDispose]: () => end(child, stop, ended),
  };
}

/** Waits until a tool has said `text`. */
export async function untilSaid(
  tool: HeardTool,
  text: string,
  limitMs = 60_000,
): Promise<void> {
  await eventually(() => tool.said().includes(text), {
    account: () => `no "${text}" in: ${tool.said()}`,
    limitMs,
  });
}

async function end(
  child: Deno.ChildProcess,
  signal: Deno.Signal,
  ended: Promise<unknown>,
): Promise<void> {
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch { /* It has ended. */ }
  };
  kill(signal);
  const late = setTimeout(() => kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(late);
}
