import { family } from "./proc.ts";

/** A program that runs, and is heard until it says what is waited for. */
export interface HeardProcess extends AsyncDisposable {
  readonly pid: number;
  /** When it was started, of `performance.now()`; so is what {@linkcode HeardProcess.done} resolves with. */
  readonly startMs: number;
  /** Resolves with the time when its output, stdout or stderr, first matched. */
  readonly done: Promise<number>;
  /** The last of what it wrote. */
  readonly output: () => string;
}

/** Starts a command. Disposing of it kills it and what it has started. */
export function hear(
  command: readonly string[],
  { doneWhen, limitMs }: {
    readonly doneWhen: RegExp;
    /** How long that may take. */
    readonly limitMs: number;
  },
): HeardProcess {
  const startMs = performance.now();
  const child = new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const name = command.join(" ").slice(0, 200);
  let text = "";
  const done = new Promise<number>((complete, fail) => {
    const late = setTimeout(
      () => fail(new Error(`${name} takes too long: ${text}`)),
      limitMs,
    );
    const watch = async (stream: ReadableStream<Uint8Array>) => {
      for await (const chunk of stream) {
        if (text.length > 100_000) text = text.slice(-10_000);
        text += new TextDecoder().decode(chunk);
        if (!doneWhen.test(text)) continue;
        clearTimeout(late);
        complete(performance.now());
      }
    };
    void Promise.all([watch(child.stdout), watch(child.stderr)]).then(() => {
      clearTimeout(late);
      fail(new Error(`${name} ended: ${text}`));
    });
  });
  done.catch(() => {});
  return {
    pid: child.pid,
    startMs,
    done,
    output: () => text,
    async [Symbol.asyncDispose]() {
      for (const pid of family(child.pid)) {
        try {
          Deno.kill(pid, "SIGKILL");
        } catch { /* It has ended. */ }
      }
      await child.status;
    },
  };
}
