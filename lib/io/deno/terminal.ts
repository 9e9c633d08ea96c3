import type { Terminal } from "../terminal.ts";
import { systemError } from "./errors.ts";
import { readLines } from "./lines.ts";

/** The process's own standard input and output. */
export const denoTerminal: Terminal = {
  stdoutIsTerminal: Deno.stdout.isTerminal(),
  stdinIsTerminal: Deno.stdin.isTerminal(),
  columns() {
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80;
    }
  },
  write: (text) => void writeOutput(text),
  async *lines(signal) {
    const { readable } = Deno.stdin;
    const reader = readable.getReader();
    const stop = () => void reader.cancel().catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const line of readLines(reader)) {
        if (signal.aborted) return;
        yield line;
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  },
};

/** Width of the terminal stderr is; null where it is none. */
export const errorColumns: (() => number) | null = Deno.stderr.isTerminal()
  ? denoTerminal.columns
  : null;

/** Writes `text` to stdout; returns whether anybody is there to read it. @throws {RunError} See {@linkcode Terminal.write}. */
export function writeOutput(text: string): boolean {
  try {
    return writeAll(Deno.stdout, text);
  } catch (error) {
    throw systemError("write the output", error);
  }
}

/** Writes a line to stderr, where the log is; returns whether anybody is there to read it. Where it cannot be written, such as on a full disk, there is nobody to tell. */
export function writeError(text: string): boolean {
  try {
    return writeAll(Deno.stderr, text);
  } catch {
    return true; // as said
  }
}

/** Synchronous, so that nothing is lost when the process ends. Returns false when the reader has gone (`| head`), which is no error. */
function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): boolean {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return false;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
  }
  return true;
}
