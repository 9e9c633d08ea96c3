import { RunError } from "../core/errors.ts";
import type { EventRecord } from "../events/mod.ts";
import { readLines } from "./deno_lines.ts";
import type { Processes, RunningRole } from "./processes.ts";

/** Most events kept of one process. */
const MAX_EVENTS = 100_000;
/** Log lines that are no events, kept for error messages. */
const MAX_OTHER_LINES = 50;
/** How long a process may take to stop before it is killed: its own 5 s and some slack. */
const STOPPING_MS = 7000;

/** Starts real processes. `mainModule` is where this program's main.ts is when it runs from source. */
export function denoProcesses(mainModule: string): Processes {
  return {
    startSelf: (args, options = {}) => {
      const [command, ...first] = selfCommand(mainModule);
      return startRole(command, [...first, ...args, "--log", "json"], options);
    },
    run,
  };
}

/** The command that starts this same program: the binary itself, or Deno with main.ts. */
function selfCommand(mainModule: string): [string, ...string[]] {
  return Deno.build.standalone
    ? [Deno.execPath()]
    : [Deno.execPath(), "run", "-A", mainModule];
}

/** Starts a role whose log is JSON lines on stderr and follows its events. */
export function startRole(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly clearEnv?: boolean;
  } = {},
): RunningRole & { readonly stderr: () => string } {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    clearEnv: options.clearEnv ?? false,
  }).spawn();
  const events: EventRecord[] = [];
  const otherLines: string[] = [];
  const listeners = new Set<(event: EventRecord | null) => void>();
  const reading = (async () => {
    for await (const line of readLines(child.stderr.getReader())) {
      const event = eventOf(line);
      if (event === null) {
        otherLines.push(line);
        if (otherLines.length > MAX_OTHER_LINES) otherLines.shift();
        continue;
      }
      events.push(event);
      if (events.length > MAX_EVENTS) events.shift();
      for (const listener of [...listeners]) listener(event);
    }
  })();
  const output = new Response(child.stdout).text();
  const exited = (async () => {
    const { code } = await child.status;
    await reading;
    const stdout = await output;
    for (const listener of [...listeners]) listener(null);
    return { code, stdout };
  })();
  let ended = false;
  exited.then(() => ended = true, () => ended = true);
  const signal = (name: "SIGTERM" | "SIGKILL") => {
    try {
      if (!ended) child.kill(Deno.build.os === "windows" ? "SIGKILL" : name);
    } catch { /* It has ended. */ }
  };
  return {
    pid: child.pid,
    events,
    exited,
    stderr: () => otherLines.join("\n"),
    subscribe(listener) {
      const each = (event: EventRecord | null) => {
        if (event !== null) listener(event);
      };
      listeners.add(each);
      return () => void listeners.delete(each);
    },
    until: (matches, { timeoutMs }) =>
      waitFor({ events, listeners, matches, timeoutMs, isEnded: () => ended })
        .catch((error) => {
          const log = [
            ...events.slice(-5).map((event) => JSON.stringify(event)),
            ...otherLines.slice(-5),
          ].join("\n");
          throw new RunError(
            "no-such-event",
            `${args.join(" ")}: ${error.message}; its log ends with:\n${log}`,
          );
        }),
    stop: () => signal("SIGTERM"),
    async [Symbol.asyncDispose]() {
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), STOPPING_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function waitFor(options: {
  readonly events: readonly EventRecord[];
  readonly listeners: Set<(event: EventRecord | null) => void>;
  readonly matches: (event: EventRecord) => boolean;
  readonly timeoutMs: number;
  readonly isEnded: () => boolean;
}): Promise<EventRecord> {
  const { events, listeners, matches, timeoutMs } = options;
  const past = events.find(matches);
  if (past !== undefined) return Promise.resolve(past);
  if (options.isEnded()) {
    return Promise.reject(new Error("it ended without the expected event"));
  }
  return new Promise((resolve, reject) => {
    const listener = (event: EventRecord | null) => {
      if (event !== null && !matches(event)) return;
      clearTimeout(timer);
      listeners.delete(listener);
      if (event === null) {
        reject(new Error("it ended without the expected event"));
      } else resolve(event);
    };
    const timer = setTimeout(() => {
      listeners.delete(listener);
      reject(new Error(`the expected event did not come in ${timeoutMs} ms`));
    }, timeoutMs);
    listeners.add(listener);
  });
}

function eventOf(line: string): EventRecord | null {
  if (!line.startsWith("{")) return null;
  try {
    const event = JSON.parse(line);
    return typeof event.type === "string" ? event : null;
  } catch {
    return null;
  }
}

async function run(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<
  | {
    readonly code: number;
    readonly stdout: Uint8Array;
    readonly stderr: Uint8Array;
  }
  | null
> {
  const signal = AbortSignal.any([
    AbortSignal.timeout(options.timeoutMs),
    ...(options.signal === undefined ? [] : [options.signal]),
  ]);
  try {
    return await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      signal,
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
