import { EVENTS, textOf } from "../events/mod.ts";
import type { Sink } from "./emitter.ts";

const COLOURS = { debug: "", info: "", warn: "\x1b[33m", error: "\x1b[31m" };

/** Returns a sink that writes JSON lines. */
export function jsonLog(write: (text: string) => void): Sink {
  return (event) => write(`${JSON.stringify(event)}\n`);
}

/** Strangers choose some of what is told: what would end the line, move the cursor or colour the terminal is shown as a dot. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "·");
}

/** Goes to the start of the line and clears it. */
const CLEAR = "\r\x1b[2K";

/** A log on a terminal. */
export interface TerminalLog {
  readonly sink: Sink;
  /** Takes the passing line away, before something else is written. */
  settle(): void;
}

/** Returns a log like {@linkcode textLog} in which passing events are one last line that rewrites itself, as wide as the terminal at most. */
export function terminalLog(
  write: (text: string) => void,
  options: { readonly colours: boolean; readonly columns: () => number },
): TerminalLog {
  let passing = "";
  const log = textLog(
    (text) => write(passing === "" ? text : `${CLEAR}${text}${passing}`),
    options,
  );
  return {
    sink(event) {
      if (EVENTS[event.type].passing !== true) return log(event);
      passing = printable(textOf(event)).slice(
        0,
        Math.max(1, options.columns() - 1),
      );
      write(`${CLEAR}${passing}`);
    },
    settle() {
      if (passing !== "") write(CLEAR);
      passing = "";
    },
  };
}

/** Returns a sink that writes a line per event for people; `debug` events are left out. */
export function textLog(
  write: (text: string) => void,
  options: { readonly colours: boolean },
): Sink {
  return (event) => {
    const { level } = EVENTS[event.type];
    if (level === "debug") return;
    const line = printable(
      `${event.time.slice(11, 23)} ${event.name}  ${textOf(event)}`,
    );
    const colour = options.colours ? COLOURS[level] : "";
    write(colour === "" ? `${line}\n` : `${colour}${line}\x1b[0m\n`);
  };
}
