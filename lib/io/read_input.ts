import { InputError, RunError } from "../core/errors.ts";
import type { Files } from "./files.ts";

/**
 * Reads a file that the user named. A wrong name is the user's to put right, like a wrong flag.
 *
 * @throws {InputError} If it is not there, cannot be read, or has more than `maxBytes`.
 */
export async function readInput(
  path: string,
  files: Pick<Files, "read">,
  options: { readonly maxBytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await files.read(path, options);
  } catch (cause) {
    if (!(cause instanceof RunError)) throw cause;
    throw new InputError(cause.message, { cause });
  }
}
