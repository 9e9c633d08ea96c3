/** Reads a stream of Server-Sent Events (WHATWG HTML, "Server-sent events", §9.2.6), however it was split on its way. */
import { fromUtf8 } from "./bytes.ts";
import { LineSplitter } from "./line_splitter.ts";

/** One event of a stream. */
export interface StreamedEvent {
  /** `message` unless the stream names another. */
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** See the head of this file. Lines longer than `maxLineBytes`, and what is said in more lines than that holds, are skipped. */
export class EventStreamReader {
  readonly #lines: LineSplitter;
  readonly #maxBytes: number;
  /** In the middle of a line that is too long. */
  #isSkipping = false;
  #event = "";
  #data: string[] = [];
  #dataBytes = 0;
  #id = "";

  /** Creates a reader at the start of a stream. */
  constructor({ maxLineBytes }: { readonly maxLineBytes: number }) {
    this.#lines = new LineSplitter({ maxBytes: maxLineBytes });
    this.#maxBytes = maxLineBytes;
  }

  /** Takes what was read; returns the events that are complete by now. */
  push(bytes: Uint8Array): StreamedEvent[] {
    const events: StreamedEvent[] = [];
    for (const line of this.#lines.push(bytes)) {
      const isWhole = line[line.length - 1] === 0x0a;
      const isRest = this.#isSkipping;
      this.#isSkipping = !isWhole;
      if (!isWhole || isRest) continue;
      const event = this.#take(fromUtf8(line).replace(/\r?\n$/, ""));
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #take(line: string): StreamedEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    switch (field) {
      case "event":
        this.#event = value;
        break;
      case "data":
        this.#dataBytes += value.length;
        if (this.#dataBytes <= this.#maxBytes) this.#data.push(value);
        break;
      case "id":
        if (!value.includes("\0")) this.#id = value;
    }
    return undefined;
  }

  #dispatch(): StreamedEvent | undefined {
    const data = this.#data;
    const event = this.#event || "message";
    const isWhole = this.#dataBytes <= this.#maxBytes;
    this.#data = [];
    this.#dataBytes = 0;
    this.#event = "";
    if (data.length === 0 || !isWhole) return undefined;
    return { event, data: data.join("\n"), id: this.#id };
  }
}
