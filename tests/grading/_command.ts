/** The program of a student that the tests start themselves: `ROLECALL_COMMAND`. */

/** Most of what a program says that is shown when a test fails. */
const MOST_SAID = 2000;

/** A program that runs. */
export interface RunningCommand {
  /** Its exit code; undefined as long as it runs. */
  readonly code: number | undefined;
  /** The end of what it said on stderr. */
  said(): string;
  /** Ends it, and kills it if it does not end. */
  stop(): Promise<void>;
}

/**
 * Returns `ROLECALL_COMMAND`, its words split at spaces and with each value in its place, such as `{url}`; undefined
 * without one.
 *
 * @throws {Error} If a place is missing: the program could not know what to do.
 */
export function givenCommand(
  values: Readonly<Record<string, string>>,
): [string, ...string[]] | undefined {
  const given = Deno.env.get("ROLECALL_COMMAND")?.trim();
  if (!given) return undefined;
  const missing = Object.keys(values).filter((key) =>
    !given.includes(`{${key}}`)
  );
  if (missing.length > 0) {
    const places = missing.map((key) => `{${key}}`).join(" and ");
    throw new Error(
      `ROLECALL_COMMAND must have ${places}, where the test puts it in, got "${given}"`,
    );
  }
  const [first, ...rest] = given.split(/\s+/).map((word) =>
    Object.entries(values).reduce(
      (text, [key, value]) => text.replaceAll(`{${key}}`, value),
      word,
    )
  );
  return [first!, ...rest];
}

/** Starts a program. */
export function startCommand(
  [command, ...args]: readonly [string, ...string[]],
): RunningCommand {
  const child = new Deno.Command(command, {
    args,
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let said = "";
  const read = (async () => {
    const parts = child.stderr.pipeThrough(new TextDecoderStream());
    for await (const part of parts) said = (said + part).slice(-MOST_SAID);
  })();
  let code: number | undefined;
  const ended = child.status.then((status) => void (code = status.code));
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch { /* It has ended. */ }
  };
  return {
    get code() {
      return code;
    },
    said: () => said,
    async stop() {
      kill("SIGTERM");
      const late = setTimeout(() => kill("SIGKILL"), 2000);
      await ended;
      clearTimeout(late);
      // What it started may hold its stderr open.
      await Promise.race([read, new Promise((wake) => setTimeout(wake, 500))]);
    },
  };
}
