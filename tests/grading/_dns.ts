/**
 * The grader's own writer and reader of DNS messages (RFC 1035 section 4), and its client. It takes what a server says
 * apart far enough to judge it, and follows names that are compressed. Nothing of rolecall's own reader is in it.
 */
import type { Target } from "./_target.ts";

/** Longest wait for an answer. */
const ANSWER_MS = 3000;

/** Most pointers followed in a name. */
const MAX_POINTERS = 50;

/** Types and codes, as IANA numbers them. */
export const TYPE = { A: 1, CNAME: 5, AAAA: 28, OPT: 41 } as const;
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;

/** What to ask. */
export interface Query {
  readonly id: number;
  readonly name: string;
  /** A unless given. */
  readonly type?: number;
  /** 0, a query, unless given. */
  readonly opcode?: number;
  /** QR: the message says that it is an answer. */
  readonly isAnswer?: boolean;
  /** With an OPT record (RFC 6891). */
  readonly edns?: boolean;
  /** With an OPT record that names a client's network: the first three bytes of its addresses (RFC 7871). */
  readonly subnet?: readonly [number, number, number];
}

/** Writes a query. */
export function writeQuery(query: Query): Uint8Array<ArrayBuffer> {
  const { id, name, type = TYPE.A, opcode = 0, isAnswer = false } = query;
  const { subnet, edns = subnet !== undefined } = query;
  const flags = (isAnswer ? 0x80 : 0) | (opcode << 3);
  const header = [...pair(id), flags, 0, 0, 1, 0, 0, 0, 0, 0, edns ? 1 : 0];
  const labels = name.split(".").filter((label) => label !== "");
  const written = labels.flatMap((label) => [
    label.length,
    ...new TextEncoder().encode(label),
  ]);
  const question = [...written, 0, ...pair(type), 0, 1];
  return Uint8Array.from([
    ...header,
    ...question,
    ...(edns ? optRecord(subnet) : []),
  ]);
}

/** An OPT record for answers of up to 1232 bytes: root, type, size, extended RCODE and flags, options. */
function optRecord(subnet: Query["subnet"]): readonly number[] {
  const option = subnet === undefined
    ? []
    : [...pair(8), ...pair(7), ...pair(1), 24, 0, ...subnet];
  return [
    ...[0, ...pair(TYPE.OPT), ...pair(1232), 0, 0, 0, 0],
    ...pair(option.length),
    ...option,
  ];
}

function pair(value: number): readonly [number, number] {
  return [value >> 8, value & 0xff];
}

/** A record of an answer. */
export interface Rr {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: Uint8Array;
}

/** What a server said. Names are as they were written, without a dot at the end. */
export interface Message {
  readonly id: number;
  readonly isAnswer: boolean;
  readonly opcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly rcode: number;
  readonly questions: readonly Pick<Rr, "name" | "type" | "class">[];
  readonly answers: readonly Rr[];
  readonly authorities: readonly Rr[];
  readonly additionals: readonly Rr[];
}

/** Reads a message. @throws {Error} If it is none. */
export function readMessage(bytes: Uint8Array): Message {
  const reader = new Reader(bytes);
  const [id, flags] = [reader.uint16(), reader.uint16()];
  const counts = [1, 2, 3, 4].map(() => reader.uint16());
  const many = <T>(at: number, read: () => T) =>
    Array.from({ length: counts[at]! }, read);
  return {
    id,
    isAnswer: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    isAuthoritative: (flags & 0x0400) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    rcode: flags & 15,
    questions: many(0, () => reader.question()),
    answers: many(1, () => reader.record()),
    authorities: many(2, () => reader.record()),
    additionals: many(3, () => reader.record()),
  };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    if (taken.length < count) {
      throw new Error(
        `the answer of ${this.#bytes.length} bytes ends too early: ${count} more were to come at byte ${this.#at}`,
      );
    }
    this.#at += count;
    return taken;
  }

  uint8(): number {
    return this.take(1)[0]!;
  }

  uint16(): number {
    return this.uint8() * 256 + this.uint8();
  }

  name(): string {
    const labels: string[] = [];
    let end: number | undefined;
    for (let pointers = 0;;) {
      const length = this.uint8();
      if (length === 0) break;
      if (length < 64) {
        labels.push(new TextDecoder().decode(this.take(length)));
        continue;
      }
      if (length < 192) throw new Error(`no label begins with ${length}`);
      const to = (length - 192) * 256 + this.uint8();
      end ??= this.#at;
      if (++pointers > MAX_POINTERS) {
        throw new Error("a name in the answer points at itself");
      }
      this.#at = to;
    }
    this.#at = end ?? this.#at;
    return labels.join(".");
  }

  question(): Message["questions"][number] {
    return { name: this.name(), type: this.uint16(), class: this.uint16() };
  }

  record(): Rr {
    const question = this.question();
    const ttlSeconds = this.uint16() * 65_536 + this.uint16();
    return { ...question, ttlSeconds, data: this.take(this.uint16()) };
  }
}

/** Lets `promise` take no longer than `ms`. */
async function within<T>(
  promise: Promise<T>,
  ms: number,
  late: string,
): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(late)), ms);
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** A client with a UDP port of its own. */
export class UdpClient implements Disposable {
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  /** The next datagram, asked for but not yet here. */
  #next: Promise<Uint8Array> | undefined;

  constructor({ host, port }: Target) {
    this.#socket = Deno.listenDatagram({
      ...{ transport: "udp", port: 0 },
      hostname: host.includes(":") ? "::" : "0.0.0.0",
    });
    this.#to = { transport: "udp", hostname: host, port };
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#socket.send(bytes, this.#to);
  }

  /** The next answer. @throws {Error} If there is none in time. */
  async receive(ms = ANSWER_MS): Promise<Message> {
    this.#next ??= this.#socket.receive().then(([bytes]) => bytes);
    const next = this.#next;
    next.catch(() => {}); // The socket is closed while it waits.
    const bytes = await within(next, ms, `no answer within ${ms / 1000} s`);
    this.#next = undefined;
    return readMessage(bytes);
  }

  /** Sends a query, and returns the next answer. */
  async ask(query: Query, ms = ANSWER_MS): Promise<Message> {
    await this.send(writeQuery(query));
    return await this.receive(ms);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Asks once, from a port of its own. */
export async function askOverUdp(
  server: Target,
  query: Query,
): Promise<Message> {
  using client = new UdpClient(server);
  return await client.ask(query);
}

/** Sends `parts` one after the other in one connection, and returns as many answers as are `wanted`. */
export async function askOverTcp(
  { host, port }: Target,
  parts: readonly Uint8Array[],
  wanted: number,
): Promise<readonly Message[]> {
  using connection = await Deno.connect({ hostname: host, port });
  connection.setNoDelay(true);
  const exact = async (count: number) => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await connection.read(bytes.subarray(at));
      if (read === null) throw new Error("the server closed without an answer");
      at += read;
    }
    return bytes;
  };
  const talk = async () => {
    for (const part of parts) {
      await connection.write(part);
      if (parts.length > 1) await new Promise((wake) => setTimeout(wake, 5));
    }
    const messages: Message[] = [];
    while (messages.length < wanted) {
      const [high, low] = await exact(2);
      messages.push(readMessage(await exact(high! * 256 + low!)));
    }
    return messages;
  };
  return await within(talk(), ANSWER_MS, "no answer over TCP within 3 s");
}

/** A message as TCP carries it: after its length in two bytes. */
export function withLength(message: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...pair(message.length), ...message]);
}
