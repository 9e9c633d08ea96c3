import { InputError, messageOf, RunError } from "../../core/errors.ts";
import type { RolecallEvent } from "../../events/mod.ts";
import type { RunningThread, ThreadStart } from "../threads.ts";

/** From us to a thread. */
type ToThread =
  | {
    readonly kind: "start";
    readonly name: string;
    readonly seed: number;
    readonly task: unknown;
  }
  | { readonly kind: "stop" };

/** From a thread to us. */
type FromThread =
  | { readonly kind: "events"; readonly events: readonly RolecallEvent[] }
  | { readonly kind: "ended" }
  | {
    readonly kind: "failed";
    readonly code: string;
    readonly message: string;
    /** What was given cannot be used: no failure of the run. */
    readonly isInput: boolean;
  };

/** What a thread sees of the one that started it. */
interface ThreadScope {
  postMessage(message: FromThread): void;
  addEventListener(
    type: "message",
    listener: (event: MessageEvent<ToThread>) => void,
  ): void;
}

/** What a thread has of the world, beside what every thread can import. */
export interface ThreadWorld {
  readonly name: string;
  readonly seed: number;
  /** Aborts when it is asked to stop. */
  readonly signal: AbortSignal;
  emit(event: RolecallEvent): void;
}

/** Starts the module at the URL `module`, which calls {@linkcode runThread}, in a thread of its own. */
export function startThread(module: string, start: ThreadStart): RunningThread {
  const worker = new Worker(module, { type: "module", name: start.name });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.addEventListener("message", ({ data }: MessageEvent<FromThread>) => {
    switch (data.kind) {
      case "events":
        for (const event of data.events) start.emit(event);
        return;
      case "ended":
        return resolve();
      case "failed":
        return reject(
          data.isInput
            ? new InputError(data.message)
            : new RunError(data.code, data.message),
        );
    }
  });
  worker.addEventListener("error", (event) => {
    // Else it would end the program with a stack trace.
    event.preventDefault();
    reject(new RunError("thread-failed", `A thread failed: ${event.message}`));
  });
  const post = (message: ToThread, ports: MessagePort[] = []) =>
    worker.postMessage(message, ports);
  const { name, seed, task } = start;
  post({ kind: "start", name, seed, task }, [...start.ports]);
  return {
    ended: promise,
    stop: () => post({ kind: "stop" }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}

/** In a module that {@linkcode startThread} starts: does the task it is given. In the first thread, nothing. */
export function runThread<T>(
  work: (task: T, world: ThreadWorld) => Promise<void>,
): void {
  if (!("DedicatedWorkerGlobalScope" in globalThis)) return;
  const scope = globalThis as unknown as ThreadScope;
  const stop = new AbortController();
  scope.addEventListener("message", ({ data }) => {
    if (data.kind === "stop") return stop.abort();
    const { name, seed, task } = data;
    const { emit, flush } = batched(scope);
    work(task as T, { name, seed, signal: stop.signal, emit })
      .then<FromThread, FromThread>(
        () => ({ kind: "ended" }),
        (error) => ({
          kind: "failed",
          code: error instanceof RunError ? error.code : "thread-failed",
          message: messageOf(error),
          isInput: error instanceof InputError,
        }),
      ).then((last) => {
        flush();
        scope.postMessage(last);
      });
  });
}

/** Events of one turn of the event loop go as one message. */
function batched(scope: ThreadScope) {
  let events: RolecallEvent[] = [];
  const flush = () => {
    if (events.length === 0) return;
    scope.postMessage({ kind: "events", events });
    events = [];
  };
  return {
    flush,
    emit(event: RolecallEvent) {
      if (events.push(event) === 1) queueMicrotask(flush);
    },
  };
}
