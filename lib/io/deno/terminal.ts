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
  write(text) {
    try {
      writeAll(Deno.stdout, text);
    } catch (error) {
      throw systemError("write the output", error);
    }
  },
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

/** Writes a line to stderr, where the log is. Where that cannot be written, such as on a full disk, there is nobody to tell. */
export function writeError(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch { /* as said */ }
}

/** Synchronous, so that nothing is lost when the process ends; a reader that has gone (`| head`) is no error. */
function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    }
  }
}
