import { type StartedProgram, startProgram } from "./program.ts";

/** Half a mebibyte in which every place looks different. */
export const BODY = new Uint8Array(512 * 1024).map((_, at) =>
  at * 31 + (at >> 8)
);

/** Starts `rolecall edge` on a free port. */
export async function startEdge(
  origins: readonly string[],
  flags: readonly string[] = [],
): Promise<{ program: StartedProgram; url: string; port: number }> {
  const program = await startProgram([
    "edge",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    ...origins.flatMap((url) => ["--origin", url]),
    ...flags,
  ]);
  const { port } = await program.until("role.listening");
  return { program, url: `http://127.0.0.1:${port}`, port };
}

/** Answers with {@linkcode BODY} in two halves; the second waits for `opened`. */
export function inHalves(opened: Promise<void>, fields: HeadersInit): Response {
  const half = BODY.length / 2;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(BODY.subarray(0, half));
      await opened;
      controller.enqueue(BODY.subarray(half));
      controller.close();
    },
  });
  return new Response(body, { headers: fields });
}

/** How the answers for a path came about, sorted. */
export function statusesOf(program: StartedProgram, path: string): string[] {
  return program.events.flatMap((event) =>
    event.type === "edge.answered" && event.path === path
      ? [event.cacheStatus]
      : []
  ).sort();
}

/** Reads a body of which `first` has come to its end, and fails unless it is `whole`. */
export async function readRest(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array,
  whole: Uint8Array,
): Promise<void> {
  let at = 0;
  for (
    let piece: Uint8Array | undefined = first;
    piece !== undefined;
    piece = (await reader.read()).value
  ) {
    for (let i = 0; i < piece.length; i += 997) {
      if (piece[i] !== whole[at + i]) throw new Error(`byte ${at + i}`);
    }
    at += piece.length;
  }
  if (at !== whole.length) throw new Error(`${at} of ${whole.length} bytes`);
}
