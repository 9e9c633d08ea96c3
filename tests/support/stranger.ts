import { concat } from "../../lib/core/bytes.ts";

/** A hostile connection. */
export class Stranger {
  readonly stream: Deno.TcpConn;
  readonly hello: Uint8Array;

  constructor(stream: Deno.TcpConn, hello: Uint8Array) {
    this.stream = stream;
    this.hello = hello;
  }

  /** Writes all of it, or as much as the other side lets through; false when that was not all. */
  async offer(...parts: readonly Uint8Array[]): Promise<boolean> {
    const bytes = concat(...parts);
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.stream.write(bytes.subarray(at));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Reads for so long, or until the other side has closed; returns whether it has. */
  async drain(ms: number): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.close();
    }, ms);
    try {
      while (await this.stream.read(buffer) !== null);
    } catch { /* Reset, or closed by the timer. */ }
    clearTimeout(timer);
    return !late;
  }

  close(): void {
    try {
      this.stream.close();
    } catch { /* It is closed. */ }
  }
}

/** A message of any kind: its length, its id, its body. */
export function message(
  id: number,
  body: Uint8Array,
  length?: number,
): Uint8Array {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(0, length ?? 1 + body.length);
  head[4] = id;
  return concat(head, body);
}
