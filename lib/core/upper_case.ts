import { utf8 } from "./bytes.ts";
import { RunError } from "./errors.ts";

// Without `ignoreBOM` a decoder swallows U+FEFF at the start of the text: one character fewer than was sent.
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * Returns UTF-8 text with every letter in its capital form: the work of the lecture's echo servers.
 *
 * Unicode's full mapping, the same in every language: `straße` becomes `STRASSE`, so an answer can be longer
 * than its question (up to three times). Each character is mapped by itself; text may be cut between any two
 * characters and the pieces converted one after the other.
 *
 * @param bytes UTF-8; what is not becomes U+FFFD, the replacement character.
 */
export function upperCase(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return utf8(LENIENT.decode(bytes).toUpperCase());
}

/**
 * Does the same as {@linkcode upperCase}, but, as Python's `decode()`, insists on UTF-8.
 *
 * @throws {RunError} `invalid-utf8`.
 */
export function upperCaseStrict(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let text: string;
  try {
    text = STRICT.decode(bytes);
  } catch (cause) {
    throw new RunError(
      "invalid-utf8",
      `Cannot decode ${bytes.length} bytes from a client: not valid UTF-8; the lecture's server dies here, and so does --faithful`,
      { cause },
    );
  }
  return utf8(text.toUpperCase());
}

/** Returns UTF-8 bytes as text, a leading U+FEFF included; what is not UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: Uint8Array): string {
  return LENIENT.decode(bytes);
}
