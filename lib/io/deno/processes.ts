import { messageOf, RunError } from "../../core/errors.ts";
import type { EventRecord } from "../../events/mod.ts";
import { EventLog } from "../event_log.ts";
import type { Processes, RunningRole, RunningTool } from "../processes.ts";
import { readLines } from "./lines.ts";
import { startThread } from "./threads.ts";

/** How long a process may take to stop before it is killed: its own 5 s and some slack. */
const STOPPING_MS = 7000;

/** Starts real processes. `mainModule` is where this program's main.ts is when it runs from source. */
export function denoProcesses(mainModule: string): Processes {
  return {
    startSelf: (args, options = {}) => {
      const [command, ...first] = selfCommand(mainModule);
      return startRole(command, [...first, ...args, "--log", "json"], options);
    },
    startTool,
    startThread,
    cores: navigator.hardwareConcurrency,
    onHangUp,
  };
}

/** Most characters kept of what a tool says. */
const MAX_SAID = 4000;

/** See {@linkcode Processes.startTool}. */
function startTool(command: string, args: readonly string[]): RunningTool {
  const child = spawnTool(command, args);
  endWithUs(child);
  const listen = async () => {
    let said = "";
    const text = child.stderr.pipeThrough(new TextDecoderStream());
    for await (const part of text) said = (said + part).slice(-MAX_SAID);
    return said.trim();
  };
  const saying = listen();
  const exited = (async () => {
    const { code } = await child.status;
    return { code, said: await saying };
  })();
  return {
    output: child.stdout,
    exited,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* It has ended. */ }
      // Unread output is dropped; a stream that is being read ends by itself.
      if (!child.stdout.locked) await child.stdout.cancel().catch(() => {});
      await exited;
    },
  };
}

function spawnTool(command: string, args: readonly string[]) {
  try {
    return new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new RunError(
        "not-found",
        `Cannot start ${command}: there is none on the PATH`,
      );
    }
    throw new RunError(
      "io-failed",
      `Cannot start ${command}: ${messageOf(error)}`,
    );
  }
}

/** See {@linkcode Processes.onHangUp}. */
function onHangUp(listener: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  const hadTerminal = Deno.stdin.isTerminal();
  const heard = () => {
    // a terminal that was closed is none any more
    if (hadTerminal && !Deno.stdin.isTerminal()) Deno.kill(Deno.pid, "SIGTERM");
    else listener();
  };
  Deno.addSignalListener("SIGHUP", heard);
  return {
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", heard),
  };
}

/** The command that starts this same program: the binary itself, or Deno with main.ts. */
function selfCommand(mainModule: string): [string, ...string[]] {
  return Deno.build.standalone
    ? [Deno.execPath()]
    : [Deno.execPath(), "run", "-A", mainModule];
}

/** Starts a role whose log is JSON lines on stderr and follows its events. Without colours: what else it says is told in lines of ours. */
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
    env: { NO_COLOR: "1", ...options.env },
    clearEnv: options.clearEnv ?? false,
  }).spawn();
  endWithUs(child);
  const log = new EventLog();
  const reading = follow(log, child.stderr);
  const output = new Response(child.stdout).text();
  const exited = (async () => {
    const { code } = await child.status;
    await reading;
    const stdout = await output;
    log.end();
    return { code, stdout };
  })();
  const { signal, stop } = endingOf(child, log);
  return {
    pid: child.pid,
    events: log.events,
    exited,
    stderr: () => log.otherLines.join("\n"),
    subscribe: (listener) => log.subscribe(listener),
    until: (matches, { timeoutMs }) =>
      log.until(matches, timeoutMs).catch((error) => {
        throw new RunError(
          "no-such-event",
          `${args.join(" ")}: ${error.message}; its log ends with:\n${
            log.tail() || "nothing"
          }`,
        );
      }),
    stop,
    async [Symbol.asyncDispose]() {
      stop();
      const timer = setTimeout(() => signal("SIGKILL"), STOPPING_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** How a role's process is ended. */
function endingOf(child: Deno.ChildProcess, log: EventLog) {
  const signal = (name: "SIGTERM" | "SIGKILL") => {
    try {
      if (!log.ended) {
        child.kill(Deno.build.os === "windows" ? "SIGKILL" : name);
      }
    } catch { /* It has ended. */ }
  };
  // A second SIGTERM would end it at once, in the middle of what it has to finish.
  let isAsked = false;
  const stop = () => {
    if (!isAsked) signal("SIGTERM");
    isAsked = true;
  };
  return { signal, stop };
}

const running = new Set<Deno.ChildProcess>();

/** Ends `child` when this process ends in a hurry (`Deno.exit`), so that none is left behind. */
function endWithUs(child: Deno.ChildProcess): void {
  if (running.size === 0) {
    globalThis.addEventListener("unload", endAll);
  }
  running.add(child);
  void child.status.then(() => {
    running.delete(child);
    if (running.size === 0) globalThis.removeEventListener("unload", endAll);
  });
}

function endAll(): void {
  for (const child of running) {
    try {
      child.kill("SIGTERM");
    } catch { /* It has ended. */ }
  }
}

async function follow(
  log: EventLog,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  for await (const line of readLines(stream.getReader())) {
    const event = eventOf(line);
    if (event === null) log.say(line);
    else log.push(event);
  }
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
