import type { CommonValues } from "./cli/common.ts";
import { EXIT } from "./cli/exit.ts";
import { roleHelp, roleHelpJson } from "./cli/help.ts";
import { scanArgs } from "./cli/scan.ts";
import { scanConfig, withConfig } from "./cli/config.ts";
import { type ParsedArgs, parseRoleArgs } from "./cli/parse.ts";
import { seededRng } from "./core/rng.ts";
import { complain, failureFields } from "./failure.ts";
import type { RolecallEvent } from "./events/mod.ts";
import { denoClock } from "./io/deno/clock.ts";
import { denoFiles } from "./io/deno/files.ts";
import { denoNet } from "./io/deno/net.ts";
import { denoProcesses } from "./io/deno/processes.ts";
import {
  denoTerminal,
  errorColumns,
  writeError,
  writeOutput,
} from "./io/deno/terminal.ts";
import { readInput } from "./io/read_input.ts";
import { listenForShutdown, type Shutdown } from "./io/deno/shutdown.ts";
import { messageOf, RunError } from "./core/errors.ts";
import { emitter } from "./observe/emitter.ts";
import { jsonLog } from "./observe/log.ts";
import { observe, type Observed } from "./observe/observe.ts";
import type { Role, RoleContext, RoleResult } from "./role.ts";
import { RosterEntry } from "./roster/entry.ts";
import { VERSION } from "./version.ts";

/** Most bytes of a `--config` file. */
const MAX_CONFIG_BYTES = 1 << 20;

/** What a run has of main.ts. */
export interface MainProgram {
  /** URL of main.ts, with which a scenario starts this program again. */
  readonly mainModule: string;
  /** From now on, `tell` says what nobody caught, before the program ends for it. */
  onBug(tell: (error: unknown) => void): void;
}

/**
 * Runs a role with the real world around it: parses its flags, opens log and sinks, prints its result.
 *
 * @returns The exit code; every failure of the role itself has been said on stderr.
 * @throws {InputError} If the command line or the `--config` file cannot be used.
 * @throws {RunError} If a file for the log cannot be opened; with `--log json` that is said as the only event.
 */
export async function runRole(
  role: Role,
  args: readonly string[],
  main: MainProgram,
): Promise<number> {
  const raw = scanArgs(role, args);
  if (raw.help) {
    denoTerminal.write(
      raw.texts.has("json")
        ? `${JSON.stringify(roleHelpJson(role), null, 2)}\n`
        : roleHelp(role),
    );
    return EXIT.done;
  }
  const configFile = raw.texts.get("config")?.[0];
  const parsed = parseRoleArgs(
    role,
    configFile === undefined ? raw : withConfig(raw, {
      path: configFile,
      texts: await readConfig(role, configFile),
    }),
  );
  const { common } = parsed;
  const name = common.name ?? `${role.name}@${denoNet.hostname()}`;
  const who = { role: role.name, name };
  const config = { ...who, version: VERSION, common, config: parsed.config };
  const opening = observe(config, {
    clock: denoClock,
    files: denoFiles,
    net: denoNet,
    writeError,
    errorColumns,
  });
  if (common.log === "json") {
    const failed = await opening.then(() => undefined, failureFields);
    if (failed !== undefined) {
      const emit = emitter(who, denoClock, [jsonLog(writeError)]);
      emit({ type: "role.finished", ...failed });
      return failed.exitCode;
    }
  }
  await using observed = await opening;
  return await runObserved(role, parsed, { name, observed, main });
}

/** Runs a role whose log is open, until it ends or is ended. */
async function runObserved(
  role: Role,
  parsed: ParsedArgs,
  { name, observed, main }: {
    readonly name: string;
    readonly observed: Observed;
    readonly main: MainProgram;
  },
): Promise<number> {
  const { common, modeName: mode } = parsed;
  const seed = common.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  await using roster = rosterEntry(role, common, { name, observed });
  const emit = introduced((event) => {
    observed.emit(event);
    roster?.see(event);
  }, [
    { type: "role.started", mode, seed, version: VERSION },
    ...observed.introduction,
  ]);
  const end = ending(common, { emit, settle: observed.settle });
  main.onBug((bug) => end({ ...failureFields(bug), exitCode: EXIT.bug }, bug));
  using shutdown = listenForShutdown((exitCode, error) => {
    // Who interrupts twice need not be told.
    const isWanted = exitCode === EXIT.interrupted;
    const untold = isWanted ? undefined : new RunError("cut-short", error);
    end({ exitCode, error }, untold);
  });
  return await perform(role, parsed, {
    ...{ name, seed, observed, roster, emit, end, shutdown },
    mainModule: main.mainModule,
  });
}

/** How a run ended: the fields of `role.finished`, and what was thrown if that is still to be said. */
type End = (fields: ReturnType<typeof failureFields>, untold?: unknown) => void;

/** Ends the log: with the event for programs, and beside a text log with a line for people. Of JSON lines it is a field of the event. */
function ending(
  { log }: CommonValues,
  { emit, settle }: Pick<Observed, "emit" | "settle">,
): End {
  return (fields, untold) => {
    settle();
    emit({ type: "role.finished", ...fields });
    if (untold !== undefined && log !== "json") complain(untold);
  };
}

/** Runs the chosen mode between `role.started` and `role.finished`. */
async function perform(
  role: Role,
  { modeName, flags, common }: ParsedArgs,
  run: {
    readonly name: string;
    readonly seed: number;
    readonly observed: Observed;
    readonly roster: RosterEntry | undefined;
    readonly emit: Observed["emit"];
    readonly end: End;
    readonly shutdown: Shutdown;
    readonly mainModule: string;
  },
): Promise<number> {
  const { observed, emit, shutdown } = run;
  const { signal } = shutdown;
  let result: RoleResult | undefined;
  const ctx: RoleContext = {
    ...realWorld(run.mainModule, common, shutdown),
    name: run.name,
    rng: seededRng(run.seed),
    admin: observed.pages,
    signal,
    emit,
    finish: (given) => void (result = given),
  };
  signal.addEventListener(
    "abort",
    () => emit({ type: "role.stopping", reason: messageOf(signal.reason) }),
    { once: true },
  );
  let failure: unknown;
  try {
    await role.modes[modeName]!.run(flags, ctx);
  } catch (error) {
    if (!(signal.aborted && error === signal.reason)) failure = error;
  }
  await run.roster?.[Symbol.asyncDispose]();
  observed.settle();
  const unshown = await show(result, common, observed);
  failure ??= unshown;
  const fields = failureFields(failure ?? observed.failure()); // The latter has been told.
  run.end(fields, failure);
  return fields.exitCode;
}

/** Prints the result and writes the report; returns why that could not be done. */
async function show(
  result: RoleResult | undefined,
  common: CommonValues,
  observed: Observed,
): Promise<unknown> {
  if (result === undefined) return undefined;
  try {
    denoTerminal.write(
      common.json
        ? `${JSON.stringify(result.json, null, 2)}\n`
        : asLines(result.text),
    );
    await observed.writeReport(result);
  } catch (error) {
    return error;
  }
}

/** Text that ends a line, if there is any. */
function asLines(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** What answers `rolecall roster` for the role; undefined when it is not to be seen. */
function rosterEntry(
  role: Role,
  { unlisted }: CommonValues,
  { name, observed }: { readonly name: string; readonly observed: Observed },
): RosterEntry | undefined {
  if (unlisted || role.name === "roster") return undefined;
  return new RosterEntry({
    ...{ role: role.name, name, version: VERSION },
    ...{ clock: denoClock, net: denoNet, emit: observed.emit },
  });
}

/**
 * Returns an `emit` that puts `introduction` before the first event, or right after it when that is `role.listening`:
 * a server's first event says where it is.
 */
function introduced(
  emit: (event: RolecallEvent) => void,
  introduction: readonly RolecallEvent[],
): (event: RolecallEvent) => void {
  let waiting = introduction;
  return (event) => {
    const due = waiting;
    waiting = [];
    const listens = event.type === "role.listening";
    for (const each of listens ? [event, ...due] : [...due, event]) emit(each);
  };
}

/** The part of a context that is this machine. */
function realWorld(
  mainModule: string,
  { json, log }: CommonValues,
  shutdown: Shutdown,
) {
  // With --json stdout holds one document and nothing else; with --log json stderr holds events only.
  const out = json ? (log === "json" ? () => true : writeError) : writeOutput;
  return {
    clock: denoClock,
    net: denoNet,
    files: denoFiles,
    processes: denoProcesses(mainModule),
    terminal: {
      ...denoTerminal,
      // What it shows is what such a role runs for: `demo all | head -1` has seen enough.
      write(text: string) {
        if (!out(text)) shutdown.stop("nobody reads what it shows any more");
      },
    },
  };
}

async function readConfig(
  role: Role,
  path: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const options = { maxBytes: MAX_CONFIG_BYTES };
  const bytes = await readInput(path, denoFiles, options);
  return scanConfig(role, path, new TextDecoder().decode(bytes));
}
