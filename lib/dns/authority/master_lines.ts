import type { Word } from "../rdata.ts";

/** A line of a master file: what stands in parentheses counts as one. */
export interface ZoneLine {
  /** Where it starts in the file, from 1. */
  readonly number: number;
  /** The owner is left out: that of the record before holds. */
  readonly startsBlank: boolean;
  readonly words: readonly Word[];
}

/** A line of a master file is not what it should be. */
export class ZoneFileError extends SyntaxError {
  /** Counted from 1. */
  readonly line: number;

  /** Creates the error; the line's number goes before `message`. */
  constructor(line: number, message: string, cause?: unknown) {
    super(`line ${line}: ${message}`, { cause });
    this.name = "ZoneFileError";
    this.line = line;
  }
}

// `\DDD` is `\D` and two plain characters here: were it an alternative of its own, an open quote would be tried in 2^n ways.
const WORD = /(?:\\.|[^\s"();\\])+/y;
const QUOTED = /"((?:\\[^\n]|[^"\\\n])*)"/y;

/** Matches `pattern` exactly at `at`. */
function matchAt(pattern: RegExp, text: string, at: number) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * Cuts a master file into lines of words (RFC 1035 §5.1): quotes keep spaces, `;` begins a comment, parentheses join
 * lines, `\` takes the meaning off the next character. Lines without words are left out.
 *
 * @throws {ZoneFileError} For a quote or parenthesis without its partner.
 */
export function* readLines(text: string): Generator<ZoneLine> {
  let number = 1;
  let depth = 0;
  let line = { number, startsBlank: false, words: [] as Word[] };
  let fresh = true;
  for (let at = 0; at < text.length;) {
    const char = text[at];
    if (fresh) {
      line = { number, startsBlank: char === " " || char === "\t", words: [] };
      fresh = false;
    }
    if (char === "\n") {
      number += 1;
      at += 1;
      if (depth > 0) continue;
      if (line.words.length > 0) yield line;
      fresh = true;
    } else if (char === ";") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (char === "(" || char === ")") {
      depth += char === "(" ? 1 : -1;
      at += 1;
      if (depth < 0) {
        throw new ZoneFileError(number, '")" without "(" before it');
      }
    } else if (/\s/.test(char ?? "")) at += 1;
    else {
      const quoted = char === '"';
      const match = matchAt(quoted ? QUOTED : WORD, text, at);
      if (match === null) {
        throw new ZoneFileError(number, "a quote or backslash without its end");
      }
      line.words.push({ text: match[1] ?? match[0], quoted });
      at += match[0].length;
    }
  }
  if (depth > 0) {
    throw new ZoneFileError(line.number, '"(" without ")" after it');
  }
  if (!fresh && line.words.length > 0) yield line;
}
