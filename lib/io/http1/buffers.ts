import type { ConnectionOutput } from "../../http/http1/connection_messages.ts";
import { AnswerMemory, encodeHead } from "./answer_memory.ts";

/** What a connection is to send. */
export type WriteOutput = Extract<ConnectionOutput, { readonly kind: "write" }>;

/** A client's connection waits for its next request in this much memory; most heads are smaller. */
const READ_BYTES = 2048;
/** Kept for the next connection. */
const MAX_SPARE_READS = 256;
const SMALL = { sizeBytes: 16_384, maxUsed: Infinity, maxSpare: 256 };
/** For answers of 64 KiB with their heads. Of more clients that do not read, each holds the body that is in the cache. */
const LARGE = { sizeBytes: 65_536 + 4096, maxUsed: 256, maxSpare: 64 };

/** The memory connections read into and write from. It goes round: a request allocates none. */
export class HttpBuffers {
  readonly #reads: Uint8Array[] = [];
  readonly #small = new AnswerMemory(SMALL);
  readonly #large = new AnswerMemory(LARGE);
  readonly #encoder = new TextEncoder();

  /** A buffer to read into. */
  takeRead(): Uint8Array {
    return this.#reads.pop() ?? new Uint8Array(READ_BYTES);
  }

  /** The buffer is not needed any more. */
  giveRead(buffer: Uint8Array): void {
    if (this.#reads.length < MAX_SPARE_READS) this.#reads.push(buffer);
  }

  /** Puts what is to be sent at the end of a queue of writes: head and bytes together when they are small; large bytes as they are, without a copy. */
  fill(
    queue: Uint8Array[],
    { text, bytes, isLast }: Omit<WriteOutput, "kind">,
  ): void {
    if (text !== "") {
      // A body that is a part of some memory, as one just made often is, will not be sent again.
      const mayShare = isLast && bytes !== null &&
        bytes.length === bytes.buffer.byteLength;
      const both = this.#small.put(text, bytes, { mayShare }) ??
        this.#large.put(text, bytes, { mayShare });
      if (both !== undefined) return void queue.push(both);
      queue.push(this.#small.put(text, null) ?? this.#alone(text));
    }
    if (bytes !== null && bytes.length > 0) queue.push(bytes);
  }

  /** Takes back what {@linkcode HttpBuffers.fill} gave, when it is written; leaves alone what it passed on. */
  giveWrite(bytes: Uint8Array): void {
    this.#memoryOf(bytes).give(bytes);
  }

  /** Forgets what a connection that broke will not give back. */
  lose(queue: readonly Uint8Array[]): void {
    for (const bytes of queue) this.#memoryOf(bytes).lose(bytes);
  }

  /** Whose it is if it is ours. */
  #memoryOf({ buffer }: Uint8Array): AnswerMemory {
    return buffer.byteLength === SMALL.sizeBytes ? this.#small : this.#large;
  }

  #alone(text: string): Uint8Array {
    const memory = new Uint8Array(3 * text.length);
    return memory.subarray(0, encodeHead(this.#encoder, text, memory));
  }
}
