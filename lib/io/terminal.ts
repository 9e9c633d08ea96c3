/** Standard input and output, as a role may use them. Results go to stdout; the log owns stderr. */
export interface Terminal {
  readonly stdoutIsTerminal: boolean;
  readonly stdinIsTerminal: boolean;
  /** Width in characters; 80 where unknown. */
  columns(): number;
  /** Writes `text` to stdout as it is. @throws {RunError} If that cannot be written, such as on a full disk; a reader that has gone is no error. */
  write(text: string): void;
  /** Lines of standard input without their ends, until it ends or `signal` aborts. */
  lines(signal: AbortSignal): AsyncIterable<string>;
}
