/** Messages over TCP: each after its length in two bytes (RFC 1035 §4.2.2, RFC 7766 §8). */

/** Returns a message with its length before it, to be written in one go. @throws {RangeError} If it is too long. */
export function frameMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  checkLength(message);
  const framed = new Uint8Array(message.length + 2);
  framed[0] = message.length >> 8;
  framed[1] = message.length;
  framed.set(message, 2);
  return framed;
}

/** Messages that are to be written together, each with its length before it; the memory is used again. */
export class FramedMessages {
  #buffer = new Uint8Array(4096);
  #length = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** All that was added: a view, good until the next {@linkcode FramedMessages.add}. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a copy of a message. @throws {RangeError} If it is too long. */
  add(message: Uint8Array): void {
    checkLength(message);
    const end = this.#length + 2 + message.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.#buffer.length, end));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer[this.#length] = message.length >> 8;
    this.#buffer[this.#length + 1] = message.length;
    this.#buffer.set(message, this.#length + 2);
    this.#length = end;
  }

  /** Forgets them. */
  clear(): void {
    this.#length = 0;
  }
}

function checkLength({ length }: Uint8Array): void {
  if (length > 65535) {
    throw new RangeError(`A message has at most 65535 bytes, got ${length}`);
  }
}

/** Cuts a TCP stream into messages, however it was split on the way. */
export class MessageDecoder {
  #buffer: Uint8Array = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  /** How many bytes of an unfinished message are waiting. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes the next bytes; returns the messages they finish. They share no memory with `bytes`, but are only valid until the next `push`. */
  push(bytes: Uint8Array): Uint8Array[] {
    this.#append(bytes);
    const messages: Uint8Array[] = [];
    for (;;) {
      const waiting = this.#end - this.#start;
      if (waiting < 2) break;
      const length = (this.#buffer[this.#start] ?? 0) << 8 |
        (this.#buffer[this.#start + 1] ?? 0);
      if (waiting < 2 + length) break;
      this.#start += 2;
      messages.push(
        this.#buffer.subarray(this.#start, this.#start + length),
      );
      this.#start += length;
    }
    return messages;
  }

  #append(bytes: Uint8Array): void {
    const waiting = this.#end - this.#start;
    const needed = waiting + bytes.length;
    if (this.#end + bytes.length > this.#buffer.length) {
      const size = Math.max(this.#buffer.length, 2 * needed);
      const buffer = needed <= this.#buffer.length
        ? this.#buffer
        : new Uint8Array(size);
      buffer.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = buffer;
      this.#start = 0;
      this.#end = waiting;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }
}
