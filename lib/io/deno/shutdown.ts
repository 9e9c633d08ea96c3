/** How long a role may take to finish what is in flight. */
const GRACE_MS = 5000;

/** What the process does when it is asked to stop. */
export interface Shutdown extends Disposable {
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Listens for Ctrl-C and SIGTERM: the first aborts `signal`, the second ends the process at once with 130, and
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
  const asked = () => {
    if (controller.signal.aborted) end(130, "interrupted twice");
    controller.abort(new DOMException("asked to stop", "AbortError"));
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
  for (const signal of signals) Deno.addSignalListener(signal, asked);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(grace);
      for (const signal of signals) Deno.removeSignalListener(signal, asked);
    },
  };
}
