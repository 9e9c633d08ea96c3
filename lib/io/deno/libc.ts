import { RunError } from "../../core/errors.ts";

/**
 * Opens the C library for `calls` through FFI.
 *
 * @throws {RunError} `no-batches`; the message says why not.
 */
export function openLibc<const Calls extends Deno.ForeignLibraryInterface>(
  calls: Calls,
): Deno.DynamicLibrary<Calls> {
  const is64Bit = ["x86_64", "aarch64"].includes(Deno.build.arch);
  if (Deno.build.os !== "linux" || !is64Bit) {
    throw noBatches("it needs Linux on 64 bits");
  }
  // Asked first: where there is a terminal, dlopen would ask the person at it.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw noBatches("this program may not call the C library (--allow-ffi)");
  }
  try {
    return Deno.dlopen("libc.so.6", calls);
  } catch (cause) {
    throw noBatches("the C library lacks what it needs", cause);
  }
}

/** The error where the engine `batch` cannot be had. */
export function noBatches(reason: string, cause?: unknown): RunError {
  const message = `Cannot use the engine batch: ${reason}`;
  return new RunError("no-batches", message, { cause });
}
