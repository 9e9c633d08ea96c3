/** Longest line kept, in characters; what is longer is cut into pieces. */
const MAX_LINE = 1 << 20;

/** Lines of a byte stream without their ends (`\n` or `\r\n`); the last one may have none. */
export async function* readLines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    pending += decoder.decode(value, { stream: !done });
    const lines = pending.split("\n");
    pending = lines.pop()!;
    for (const line of lines) yield line.replace(/\r$/, "");
    if (pending.length > MAX_LINE) {
      yield pending;
      pending = "";
    }
    if (done) break;
  }
  if (pending !== "") yield pending;
}
