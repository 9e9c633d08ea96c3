import { EVENTS, textOf } from "../events/mod.ts";
import type { Sink } from "./emitter.ts";

const COLOURS = { debug: "", info: "", warn: "\x1b[33m", error: "\x1b[31m" };

/** Returns a sink that writes JSON lines. */
export function jsonLog(write: (text: string) => void): Sink {
  return (event) => write(`${JSON.stringify(event)}\n`);
}

/** Returns a sink that writes a line per event for people; `debug` events are left out. */
export function textLog(
  write: (text: string) => void,
  options: { readonly colours: boolean },
): Sink {
  return (event) => {
    const { level } = EVENTS[event.type];
    if (level === "debug") return;
    const line = `${event.time.slice(11, 23)} ${event.name}  ${textOf(event)}`;
    const colour = options.colours ? COLOURS[level] : "";
    write(colour === "" ? `${line}\n` : `${colour}${line}\x1b[0m\n`);
  };
}
