/**
 * What the grading tests are run against: the program of a student, which runs already, or ours.
 *
 *     ROLECALL_TARGET=127.0.0.1:12000 deno test -A tests/grading/01_sockets_test.ts
 *
 * Without `ROLECALL_TARGET` a role of rolecall stands in for it (`ROLECALL_BIN`, or from source): so it is seen that what
 * is asked for can be done. Nothing of rolecall's code judges a student's program: the tests speak to it over sockets.
 */
import { startProgram } from "../support/program.ts";

/** Longest time for one test: a program that hangs fails, and the next test begins. */
const TEST_MS = 10_000;

/** Where the program under test is. */
export interface Target extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Returns `ROLECALL_TARGET` as it was given (`HOST:PORT`, or a URL); undefined without one. */
export function givenTarget(): string | undefined {
  return Deno.env.get("ROLECALL_TARGET") || undefined;
}

/** Whether a student's program that has this transport is tested: `udp://HOST:PORT` leaves the tests of TCP out. */
export function isMeant(transport: "udp" | "tcp"): boolean {
  const scheme = /^([a-z]+):\/\//.exec(givenTarget() ?? "")?.[1];
  return scheme === undefined || scheme === transport;
}

/** The student's program, or the role that `reference` starts, without the flags of its address. */
export async function target(reference: readonly string[]): Promise<Target> {
  const given = givenTarget();
  if (given !== undefined) {
    return {
      ...parseHostPort(given),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const address = ["--host", "127.0.0.1", "--port", "0"];
  const program = await startProgram([...reference, ...address, "--unlisted"]);
  const { host, port } = await program.until("role.listening");
  return {
    ...{ host, port },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/**
 * The student's server, or the role that `reference` starts, which then serves all tests of a file.
 *
 * @returns Its URL: that of `ROLECALL_TARGET`, where `HOST:PORT` stands for `http://HOST:PORT/`.
 */
export async function lastingUrl(
  reference: () => readonly string[],
): Promise<URL> {
  const given = givenTarget();
  if (given !== undefined) {
    const url = new URL(given.includes("://") ? given : `http://${given}/`);
    if (url.protocol === "http:") return url;
    throw new Error(`ROLECALL_TARGET must be http://…, got "${given}"`);
  }
  const address = ["--host", "127.0.0.1", "--port", "0", "--unlisted"];
  const program = await startProgram([...reference(), ...address]);
  globalThis.addEventListener("unload", () => {
    try {
      Deno.kill(program.pid, "SIGTERM");
    } catch { /* It has ended. */ }
  });
  const { port } = await program.until("role.listening");
  return new URL(`http://127.0.0.1:${port}/`);
}

function parseHostPort(
  text: string,
): { readonly host: string; readonly port: number } {
  const match =
    /^(?:[a-z]+:\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):([0-9]{1,5})(?:\/|$)/
      .exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) {
    throw new Error(
      `ROLECALL_TARGET must be HOST:PORT or a URL, such as 127.0.0.1:12000, got "${text}"`,
    );
  }
  return { host, port: Number(match![3]) };
}

/** What a test of a lesson is worth. */
export interface Graded {
  /** Beyond what the lesson asks for. */
  readonly extra?: boolean;
  /** Left out, for instance because the target has no such part. */
  readonly ignore?: boolean;
  /** Longest time for the test. */
  readonly limitMs?: number;
}

/** One point: a test that is called by what a student can read, and that ends by itself. */
export function graded(
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
  { extra = false, ignore = false, limitMs = TEST_MS }: Graded = {},
): void {
  Deno.test({
    name: extra ? `${name} (extra)` : name,
    ignore,
    // A student's program may leave a connection open when a test ends.
    ...{ sanitizeOps: false, sanitizeResources: false },
    async fn() {
      const late = new AbortController();
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        const error = new Error(`no end after ${limitMs / 1000} s`);
        late.abort(error);
        reject(error);
      }, limitMs);
      try {
        await Promise.race([run(late.signal), promise]);
      } finally {
        clearTimeout(timer);
        if (!late.signal.aborted) late.abort();
      }
    },
  });
}
