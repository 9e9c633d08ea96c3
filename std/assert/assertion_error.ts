/** Thrown when an assertion does not hold. */
export class AssertionError extends Error {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Returns a value as it is shown in a message. */
export function show(value: unknown): string {
  return Deno.inspect(value, { depth: 6, strAbbreviateSize: 2000 });
}

/** Throws an {@linkcode AssertionError} for `message`, followed by what the test has to say about it. */
export function reject(message: string, msg?: string): never {
  throw new AssertionError(msg ? `${message}: ${msg}` : message);
}
