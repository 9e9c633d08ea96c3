import type { EventRecord } from "../events/mod.ts";
import type { RunningThread, ThreadStart } from "./threads.ts";

/** Other programs a role may start: this program again, for scenarios, and tools. */
export interface Processes {
  /** Starts this same program with `args`; its events are read from its log. Started processes end with us. */
  startSelf(
    args: readonly string[],
    options?: { readonly cwd?: string },
  ): RunningRole;
  /** Starts another program, as the PATH has it. @throws {RunError} `not-found` if there is none. */
  startTool(command: string, args: readonly string[]): RunningTool;
  /** Starts the module at a URL, which must be one that runs as a thread, in a thread of its own. */
  startThread(module: string, start: ThreadStart): RunningThread;
  /** Processors that programs can run on. */
  readonly cores: number;
  /**
   * Calls `listener` for each SIGHUP until the result is disposed of; never on Windows, which has none. The hang-up of
   * the terminal we were started at asks us to stop instead.
   */
  onHangUp(listener: () => void): Disposable;
}

/** A role in a process of its own. Disposing of it asks it to stop, then, after 7 s, kills it. */
export interface RunningRole extends AsyncDisposable {
  readonly pid: number;
  /** Every event so far, oldest first, at most the newest 100,000. */
  readonly events: readonly EventRecord[];
  /** Calls back for each event from now on. Returns the function that ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void;
  /** Resolves with the first event, past or future, that `matches`. @throws {RunError} `no-such-event` after `timeoutMs` or when the process ends first; the message has its last log lines. */
  until(
    matches: (event: EventRecord) => boolean,
    options: { readonly timeoutMs: number },
  ): Promise<EventRecord>;
  /** Resolves when the process has ended. */
  readonly exited: Promise<{ readonly code: number; readonly stdout: string }>;
  /** Sends SIGTERM (Windows: kills). */
  stop(): void;
}

/** Another program, running. Disposing of it kills it: what a tool writes when it is asked to stop is no whole file. */
export interface RunningTool extends AsyncDisposable {
  /** What it writes to its standard output, as it comes; to be read once, and to the end. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when it has ended and its output was read, with the end of what it wrote to its standard error. */
  readonly exited: Promise<{ readonly code: number; readonly said: string }>;
}
