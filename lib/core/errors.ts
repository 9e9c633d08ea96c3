/**
 * The other side broke the protocol, or we were about to.
 *
 * Thrown by codecs and machines, caught once, by the driver that owns the connection: it emits
 * `protocol.violated`, closes that connection and keeps serving the others.
 */
export class ProtocolError extends Error {
  /** Stable and kebab-case; tests match on this and never on the message. */
  readonly code: string;
  /** Byte offset in the input at which the violation was noticed, where there is one. */
  readonly offset: number | undefined;

  /** Creates the error; `message` is "Cannot <do what>: <rule>, got <value>". */
  constructor(
    code: string,
    message: string,
    options: { readonly offset?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "ProtocolError";
    this.code = code;
    this.offset = options.offset;
  }
}

/**
 * What the user typed, or a file the user gave, cannot be used. `main.ts` prints the message on one line; exit code 2.
 *
 * Parsers of such text throw SyntaxError or RangeError; the role that read the file wraps it in this with the file's name.
 */
export class InputError extends Error {
  /** Creates the error; `message` is one line that says what is wrong and what would be right. */
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "InputError";
  }
}

/** Something failed at run time that is neither a bug nor bad input: a port in use, a tracker that does not answer. One line; exit code 1. */
export class RunError extends Error {
  /** Stable and kebab-case, such as `address-in-use`; tests match on this and never on the message. */
  readonly code: string;

  /** Creates the error; `message` is one line that says what was attempted and what to do about it. */
  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "RunError";
    this.code = code;
  }
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What `decode` makes of bytes that anybody may have sent; undefined where they break the protocol. For those who pass
 * such bytes over: a datagram has no connection that could be closed for it.
 */
export function unlessBroken<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
