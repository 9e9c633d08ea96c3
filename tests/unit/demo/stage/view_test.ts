import { assertEquals } from "@std/assert";
import type { Terminal } from "../../../../lib/io/terminal.ts";
import { progressView } from "../../../../roles/demo/stage/view.ts";

/** A terminal of `columns` that keeps what is written to it. */
function fakeTerminal(columns: number, stdoutIsTerminal = true) {
  const written: string[] = [];
  const terminal: Terminal = {
    stdoutIsTerminal,
    stdinIsTerminal: false,
    columns: () => columns,
    write: (text) => void written.push(text),
    lines: () => {
      throw new Error("no input here");
    },
  };
  return { terminal, written };
}

Deno.test("progressView draws a row again only when its text has changed", () => {
  const { terminal, written } = fakeTerminal(80);
  using view = progressView(terminal, () => 0);
  view.row("peer", "1 %");
  view.row("peer", "1 %");
  view.row("peer", "2 %");
  assertEquals(written, [
    "        peer  1 %\n",
    "\x1b[1F\x1b[0J        peer  2 %\n",
  ]);
});

Deno.test("progressView cuts a heading to the terminal and ends its bold type all the same", () => {
  const { terminal, written } = fakeTerminal(20);
  using view = progressView(terminal, () => 1500);
  view.heading("File distribution to four clients");
  assertEquals(written, ["\x1b[1m  1.5s  File distri\x1b[0m\n"]);
});

Deno.test("progressView keeps a note above the rows and takes the rows away at the end", () => {
  const { terminal, written } = fakeTerminal(80);
  {
    using view = progressView(terminal, () => 0);
    view.row("a", "1");
    view.row("b", "2");
    view.note("done");
  }
  assertEquals(written.slice(2), [
    "\x1b[2F\x1b[0J  0.0s  done\n        a  1\n        b  2\n",
    "\x1b[2F\x1b[0J",
  ]);
});

Deno.test("progressView without a terminal writes lines, one per program in 5 s, and no escape codes", () => {
  const { terminal, written } = fakeTerminal(80, false);
  let nowMs = 0;
  using view = progressView(terminal, () => nowMs);
  view.heading("An act");
  for (nowMs = 0; nowMs < 6000; nowMs += 1000) view.row("peer", `${nowMs}`);
  assertEquals(written, [
    "  0.0s  === An act\n",
    "  0.0s  peer: 0\n",
    "  5.0s  peer: 5000\n",
  ]);
});
