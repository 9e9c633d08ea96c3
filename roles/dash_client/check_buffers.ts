import { InputError } from "../../lib/core/errors.ts";
import type { PlayFlags } from "./flags.ts";

/** Refuses buffers that cannot be had. @throws {InputError} If the buffer holds nothing, or less than playing waits for. */
export function checkBuffers(
  { buffer, startBuffer, resumeBuffer }: Pick<
    PlayFlags,
    "buffer" | "startBuffer" | "resumeBuffer"
  >,
): void {
  if (buffer === 0) throw new InputError("--buffer must be above 0");
  const waited = [
    ["--start-buffer", startBuffer],
    ["--resume-buffer", resumeBuffer ?? 0],
  ] as const;
  for (const [name, waitedMs] of waited) {
    if (waitedMs <= buffer) continue;
    throw new InputError(
      `${name} must be at most what --buffer holds, ${buffer / 1000}s, got ${
        waitedMs / 1000
      }s`,
    );
  }
}
