import { type StartedProgram, startProgram } from "./program.ts";

/** Starts `rolecall origin` on a free port. `url` ends without a slash. */
export async function startOrigin(
  ...flags: readonly string[]
): Promise<{ program: StartedProgram; url: string; port: number }> {
  const program = await startProgram([
    ...["origin", "--host", "127.0.0.1", "--port", "0"],
    ...flags,
  ]);
  const { port } = await program.until("role.listening");
  return { program, url: `http://127.0.0.1:${port}`, port };
}
