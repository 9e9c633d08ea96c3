/**
 * Checks again and again until `check` gives something, and returns that. For what no event tells of, such as what
 * another program does; an event of ours is waited for with `until` of the running program.
 *
 * @param check Gives null, undefined or false as long as it is not so.
 * @throws {Error} With what `account` says, when it was not so for `limitMs`.
 */
export async function eventually<T>(
  check: () =>
    | T
    | null
    | undefined
    | false
    | Promise<T | null | undefined | false>,
  { account, limitMs = 60_000, pauseMs = 50 }: {
    readonly account: () => string;
    readonly limitMs?: number;
    /** Between two checks. */
    readonly pauseMs?: number;
  },
): Promise<T> {
  for (const endsAtMs = performance.now() + limitMs;;) {
    const found = await check();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAtMs) {
      throw new Error(`not within ${limitMs} ms: ${account()}`);
    }
    await new Promise((wake) => setTimeout(wake, pauseMs));
  }
}

/** Waits until somebody listens at a TCP port of `hostname`. */
export async function untilListening(
  port: number,
  hostname = "127.0.0.1",
): Promise<void> {
  await eventually(async () => {
    const connection = await Deno.connect({ hostname, port }).catch(() => null);
    connection?.close();
    return connection !== null;
  }, { account: () => `nobody listens at ${hostname}:${port}`, pauseMs: 10 });
}
