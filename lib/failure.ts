import { EXIT } from "./cli/exit.ts";
import { InputError, messageOf, RunError } from "./core/errors.ts";
import { writeError } from "./io/deno/terminal.ts";

/** The exit code that stands for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) return EXIT.usage;
  return error instanceof RunError ? EXIT.failed : EXIT.bug;
}

/** Says what was thrown on stderr: one line for a person; a trace only for a bug of ours. */
export function complain(error: unknown): void {
  if (exitCodeOf(error) !== EXIT.bug) {
    // What JSON.parse says has lines in it, and a word of a file that is no text would reach the terminal.
    const line = messageOf(error).replace(/\s*\n\s*/g, " ")
      .replace(/\p{Cc}/gu, "\ufffd");
    writeError(`rolecall: ${line}\n`);
    return;
  }
  writeError(
    `rolecall: this is a bug in rolecall; please report it\n${
      traceOf(error)
    }\n`,
  );
}

/** The fields of `role.finished` that say how a run failed; `error` undefined: it did not. */
export function failureFields(error: unknown): {
  readonly exitCode: number;
  readonly error?: string;
  readonly trace?: string;
} {
  if (error === undefined) return { exitCode: EXIT.done };
  const exitCode = exitCodeOf(error);
  const fields = { exitCode, error: messageOf(error) };
  return exitCode === EXIT.bug ? { ...fields, trace: traceOf(error) } : fields;
}

function traceOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined
    ? error.stack
    : String(error);
}
