import type { Terminal } from "../../../lib/io/terminal.ts";

/** Shows how a scenario goes on stdout. */
export interface ProgressView extends Disposable {
  /** A new act. */
  heading(title: string): void;
  /** The state of one program; a later text replaces the earlier. */
  row(name: string, text: string): void;
  /** A line that stays. */
  note(line: string): void;
}

/** Least time between two plain lines about the same program. */
const PLAIN_PAUSE_MS = 5000;

/** A live table on a terminal; a plain log where stdout is none. */
export function progressView(
  terminal: Terminal,
  nowMs: () => number,
): ProgressView {
  return terminal.stdoutIsTerminal
    ? liveView(terminal, nowMs)
    : plainView(terminal, nowMs);
}

function stamp(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)}s`;
}

function plainView(terminal: Terminal, nowMs: () => number): ProgressView {
  const saidAtMs = new Map<string, number>();
  const line = (text: string) => terminal.write(`${stamp(nowMs())}  ${text}\n`);
  return {
    heading: (title) => line(`=== ${title}`),
    row(name, text) {
      const atMs = nowMs();
      if (atMs - (saidAtMs.get(name) ?? -Infinity) < PLAIN_PAUSE_MS) return;
      saidAtMs.set(name, atMs);
      line(`${name}: ${text}`);
    },
    note: line,
    [Symbol.dispose]() {},
  };
}

function liveView(terminal: Terminal, nowMs: () => number): ProgressView {
  const rows = new Map<string, string>();
  let shown = 0;
  const fit = (text: string) =>
    [...text].slice(0, terminal.columns() - 1).join("");
  const clear = () => shown === 0 ? "" : `\x1b[${shown}F\x1b[0J`;
  const draw = (above: string) => {
    const width = Math.max(0, ...[...rows.keys()].map((name) => name.length));
    const lines = [...rows].map(([name, text]) =>
      `${fit(`        ${name.padEnd(width)}  ${text}`)}\n`
    );
    terminal.write(`${clear()}${above}${lines.join("")}`);
    shown = lines.length;
  };
  const stamped = (text: string) => fit(`${stamp(nowMs())}  ${text}`);
  return {
    heading(title) {
      rows.clear();
      draw(`\x1b[1m${stamped(title)}\x1b[0m\n`);
    },
    row(name, text) {
      if (rows.get(name) === text) return; // Nothing new to see: a redraw would only flicker.
      rows.set(name, text);
      draw("");
    },
    note: (line) => draw(`${stamped(line)}\n`),
    [Symbol.dispose]() {
      terminal.write(clear());
      shown = 0;
    },
  };
}
