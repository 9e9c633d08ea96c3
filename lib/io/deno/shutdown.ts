/** How long a role may take to finish what is in flight. */
const GRACE_MS = 5000;

/** What the process does when it is asked to stop. */
export interface Shutdown extends Disposable {
  /** Aborts at the first Ctrl-C or SIGTERM, or {@linkcode Shutdown.stop}; the reason's message says why. */
  readonly signal: AbortSignal;
  /** Ends the role as the first Ctrl-C does, for another reason; the second Ctrl-C is still to come. */
  stop(why: string): void;
}

/**
 * Listens for Ctrl-C and SIGTERM: the first aborts `signal`, the second of a kind ends the process at once with 130, and
 * a role that has not finished 5 s after the first is ended with 1.
 *
 * @param cutShort Hears with which exit code and why, before the process is ended.
 */
export function listenForShutdown(
  cutShort: (exitCode: number, reason: string) => void,
): Shutdown {
  const controller = new AbortController();
  const end = (exitCode: number, reason: string) => {
    cutShort(exitCode, reason);
    Deno.exit(exitCode);
  };
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stop = (why: string) => {
    if (controller.signal.aborted) return;
    controller.abort(new DOMException(why, "AbortError"));
    grace = setTimeout(
      () => end(1, "did not finish within 5 s after it was asked to stop"),
      GRACE_MS,
    );
    Deno.unrefTimer(grace as unknown as number);
  };
  // Windows knows SIGINT and SIGBREAK; SIGTERM came to Deno there only in 2.8.
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  // One of each kind is no second one: at a terminal Ctrl-C goes to a demo's programs, which it then tells as well.
  const asked = signals.map((signal) => {
    let isAgain = false;
    return {
      signal,
      listener() {
        if (isAgain) end(130, "interrupted twice");
        isAgain = true;
        stop("asked to stop");
      },
    };
  });
  for (const { signal, listener } of asked) {
    Deno.addSignalListener(signal, listener);
  }
  return {
    signal: controller.signal,
    stop,
    [Symbol.dispose]() {
      clearTimeout(grace);
      for (const { signal, listener } of asked) {
        Deno.removeSignalListener(signal, listener);
      }
    },
  };
}
