import { openLibc } from "./libc.ts";

/** Interrupted before anything was done. */
export const EINTR = 4;
/** Nothing there, or no room, just now. */
export const EAGAIN = 11;

const CALLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "i32" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The calls of the C library for TCP sockets; those that fail return -1. */
export interface Library {
  readonly symbols: Deno.DynamicLibrary<typeof CALLS>["symbols"];
  /** Why the last call failed; to be asked right after it. */
  errno(): number;
  /** Lets go of the library. */
  close(): void;
}

/** Opens the C library. @throws {RunError} `no-batches`. */
export function openSockets(): Library {
  const library = openLibc(CALLS);
  const location = library.symbols.__errno_location();
  // Of this thread, and there as long as it is.
  const errno = new Deno.UnsafePointerView(location!);
  return {
    symbols: library.symbols,
    errno: () => errno.getInt32(),
    close: () => library.close(),
  };
}
