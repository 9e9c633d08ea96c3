import { type Rng, seededRng } from "./core/rng.ts";
import { denoClock } from "./io/deno/clock.ts";
import { denoFiles } from "./io/deno/files.ts";
import { denoNet } from "./io/deno/net.ts";
import { denoTerminal } from "./io/deno/terminal.ts";
import { runThread } from "./io/deno/threads.ts";
import type { RoleContext } from "./role.ts";

/** What a part of a role has of the outside world in a thread of its own: events go to the thread that started it. */
export type ThreadContext =
  & Pick<
    RoleContext,
    "name" | "clock" | "net" | "files" | "terminal" | "signal" | "emit"
  >
  & { readonly rng: Rng };

/**
 * Called by a module that {@linkcode Processes.startThread} starts: does the task it is given with the real world around
 * it. In the first thread, where such a module is imported like any other, nothing.
 */
export function runAsThread<T>(
  work: (task: T, ctx: ThreadContext) => Promise<void>,
): void {
  runThread<T>((task, { name, seed, signal, emit }) =>
    work(task, {
      ...{ name, signal, emit },
      rng: seededRng(seed),
      clock: denoClock,
      net: denoNet,
      files: denoFiles,
      terminal: denoTerminal,
    })
  );
}
