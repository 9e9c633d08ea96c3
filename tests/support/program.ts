import { fromFileUrl } from "@std/path";
import type { EventRecord, EventType, RecordOf } from "../../lib/events/mod.ts";
import { startRole } from "../../lib/io/deno/processes.ts";

/** Longest wait for an event of a started program, on a machine that others load. */
const EVENT_MS = 120_000;

/** Longest run of a command of which nothing else is said: ten times what a free machine needs. */
const TOOL_MS = 120_000;

/** What a finished command said. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The command under test: `ROLECALL_BIN`, or Deno with main.ts. From source it may call the C library only if `batched`, so
 * that tests meet both engines: there sockets are the runtime's, as on other systems, and in the executable batched.
 */
export function programCommand(batched = false): [string, ...string[]] {
  const binary = Deno.env.get("ROLECALL_BIN");
  return binary === undefined || binary === ""
    ? [
      Deno.execPath(),
      "run",
      "-A",
      ...(batched ? [] : ["--deny-ffi"]),
      "--quiet",
      fromFileUrl(new URL("../../main.ts", import.meta.url).href),
    ]
    : [binary];
}

/** A role in a process of its own. Disposing of it stops it. */
export interface StartedProgram extends AsyncDisposable {
  readonly pid: number;
  readonly events: readonly EventRecord[];
  /** The first event of `type` (past or future) that `matches`; fails after {@linkcode EVENT_MS}. */
  until<T extends EventType>(
    type: T,
    matches?: (event: RecordOf<T>) => boolean,
  ): Promise<RecordOf<T>>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Finished>;
  readonly exited: Promise<Finished>;
}

/** Roles, as opposed to `--help`, `completions` and whatever is wrong. */
const ROLE =
  /^((udp|tcp)-echo|tracker|peer|origin|edge|dns-redirector|dash-client|demo)$/;

/**
 * What a test is about stays on loopback or in its namespace: a role that is not told its address would announce itself
 * to whatever network this machine is in.
 */
function keptIn(
  args: readonly string[],
  inside: readonly string[] = [],
): readonly string[] {
  const [role = "", ...rest] = args;
  const isKept = args.includes("--host") || inside.length > 0;
  return isKept || !ROLE.test(role) ? args : [role, "--unlisted", ...rest];
}

/** Starts `rolecall ARGS --log json`; `inside` runs it under another command, such as `["ip", "netns", "exec", "a"]`; `command` replaces the program. */
// deno-lint-ignore require-await
export async function startProgram(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly inside?: readonly string[];
    readonly command?: readonly string[];
  } = {},
): Promise<StartedProgram> {
  const [command, ...rest] = [
    ...(options.inside ?? []),
    ...(options.command ?? programCommand(args.includes("batch"))),
    ...keptIn(args, options.inside),
    "--log",
    "json",
  ];
  const role = startRole(command!, rest, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const exited = role.exited.then(({ code, stdout }) => ({
    code,
    stdout,
    stderr: role.stderr(),
  }));
  return {
    pid: role.pid,
    events: role.events,
    exited,
    until: async (type, matches = () => true) =>
      await role.until(
        (event) => event.type === type && matches(event as never),
        { timeoutMs: EVENT_MS },
      ) as never,
    stop() {
      role.stop();
      return exited;
    },
    [Symbol.asyncDispose]: () => role[Symbol.asyncDispose](),
  };
}

/** The port at which a program listens; where it has several, the first over one of `transports`. */
export async function portOf(
  program: StartedProgram,
  ...transports: readonly RecordOf<"role.listening">["transport"][]
): Promise<number> {
  const { port } = await program.until(
    "role.listening",
    ({ transport }) =>
      transports.length === 0 || transports.includes(transport),
  );
  return port;
}

/** Runs `rolecall ARGS` to its end. */
export function runProgram(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const [command, ...first] = programCommand();
  return runTool(command, [...first, ...keptIn(args)], options);
}

/** See {@linkcode runTool}. */
export interface RunOptions {
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a tool to its end. A tool that is missing, or that takes longer than `timeoutMs` fails the test. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  }).spawn();
  const timeoutMs = options.timeoutMs ?? TOOL_MS;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const feeding = options.stdin === undefined
    ? Promise.resolve()
    : feed(child.stdin, options.stdin);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  await feeding;
  const finished = {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
  if (late) {
    throw new Error(
      `${command} ${
        args.join(" ")
      } took longer than ${timeoutMs} ms\n${finished.stdout}${finished.stderr}`,
    );
  }
  return finished;
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  text: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(
      typeof text === "string" ? new TextEncoder().encode(text) : text,
    );
    await writer.close();
  } catch { /* The program did not read it all. */ }
}

/** Makes an empty folder that is removed when it is disposed of. */
export async function temporaryFolder(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "rolecall-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
