/** Lines of the small text files that courses hand out. */

/** A line that is not what it should be; the message starts with its number. */
export class FileLineError extends SyntaxError {
  /** Creates the error for line `line`, counted from 1. */
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "FileLineError";
  }
}

/** A line with something in it. */
export interface FileLine {
  /** Counted from 1. */
  readonly number: number;
  readonly words: readonly string[];
}

/** Cuts a text into lines of words. Lines without any are left out, and so is what stands after `#`. */
export function readFileLines(text: string): FileLine[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.replace(/#.*$/, "").trim().split(/\s+/);
    return words[0] === "" ? [] : [{ number: index + 1, words }];
  });
}

/** Reads with `parse`, and says in which line when it cannot. */
export function inLine<T>(line: FileLine, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FileLineError(line.number, error.message);
  }
}

/**
 * Reads the lines of a section `NAME: n`: n lines after it, the first of `lines`. Takes them off `lines`.
 *
 * @throws {SyntaxError} If it does not start here, or has fewer lines.
 */
export function takeSection(lines: FileLine[], name: string): FileLine[] {
  const head = lines.shift();
  if (head === undefined) {
    throw new SyntaxError(`there must be a line "${name}: n"`);
  }
  const [first = "", second = "", ...more] = head.words.join(" ").split(
    /[:\s]+/,
  );
  const count = /^[0-9]{1,6}$/.test(second) ? Number(second) : NaN;
  if (first !== name || Number.isNaN(count) || more.length > 0) {
    throw new FileLineError(
      head.number,
      `must be "${name}: n", got "${head.words.join(" ")}"`,
    );
  }
  if (lines.length < count) {
    throw new FileLineError(
      head.number,
      `${count} lines must follow, got ${lines.length}`,
    );
  }
  return lines.splice(0, count);
}
