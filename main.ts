import { EXIT } from "./lib/cli/exit.ts";
import { nearest } from "./lib/cli/nearest.ts";
import { InputError } from "./lib/core/errors.ts";
import { complain, exitCodeOf } from "./lib/failure.ts";
import { buildInfo } from "./lib/io/deno/build_info.ts";
import { denoTerminal } from "./lib/io/deno/terminal.ts";
import { VERSION } from "./lib/version.ts";
import { ROLES } from "./roles/mod.ts";

// What only some command lines need is imported when one of them is given: start-up time is import time.

/** Says what nobody caught; a run says it in its own log. */
let tellBug: (error: unknown) => void = complain;

/** Runs a command line; returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = "--help", ...rest] = args[0] === "--role"
    ? [args[1] ?? "", ...args.slice(2)]
    : args.map((arg, at) => at === 0 ? arg.replace(/^--role=/, "") : arg);
  switch (first) {
    case "--help":
    case "-h":
    case "help": {
      const [role] = rest;
      if (role !== undefined && !role.startsWith("-")) {
        return await main([role, "--help"]);
      }
      const { programHelp } = await import("./lib/cli/help.ts");
      denoTerminal.write(programHelp(ROLES));
      return EXIT.done;
    }
    case "--version":
    case "-V":
      denoTerminal.write(`rolecall ${VERSION} (${await buildInfo()})\n`);
      return EXIT.done;
    case "completions":
      denoTerminal.write(await completionScript(rest[0] ?? ""));
      return EXIT.done;
  }
  const entry = ROLES.find(({ name }) => name === first);
  if (entry === undefined) throw noSuchRole(first);
  const { runRole } = await import("./lib/run_role.ts");
  return await runRole(await entry.load(), rest, {
    mainModule: import.meta.url,
    onBug: (tell) => tellBug = tell,
  });
}

function noSuchRole(first: string): InputError {
  if (first === "") return new InputError("--role needs a value: --role ROLE");
  const isFlag = first.startsWith("-");
  const near = nearest(
    first,
    isFlag ? ["--role", "--help", "--version"] : ROLES.map(({ name }) => name),
  );
  const said = isFlag
    ? `a role comes first, not ${first.split("=")[0]}`
    : `there is no role "${first}"`;
  return new InputError(
    `${said}; ${
      near === undefined ? "see rolecall --help" : `did you mean ${near}?`
    }`,
  );
}

async function completionScript(shell: string): Promise<string> {
  const { completions, completionsHelp, SHELLS } = await import(
    "./lib/cli/complete.ts"
  );
  if (shell === "--help" || shell === "-h") return completionsHelp();
  const known = SHELLS.find((name) => name === shell);
  if (known === undefined) {
    throw new InputError(
      `completions are made for ${SHELLS.join(", ")}${
        shell === "" ? "; say for which" : `, not for "${shell}"`
      }`,
    );
  }
  return completions(known, await Promise.all(ROLES.map((r) => r.load())));
}

if (import.meta.main) {
  const end = (event: Event, bug: unknown) => {
    event.preventDefault();
    tellBug(bug);
    Deno.exit(EXIT.bug);
  };
  globalThis.addEventListener(
    "unhandledrejection",
    (event) => end(event, event.reason),
  );
  globalThis.addEventListener("error", (event) => end(event, event.error));
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    complain(error);
    Deno.exitCode = exitCodeOf(error);
  }
  Deno.exit();
}
