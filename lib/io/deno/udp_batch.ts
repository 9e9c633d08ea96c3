/**
 * Receives and sends many datagrams with one system call (recvmmsg, sendmmsg of Linux, through FFI).
 *
 * Deno's own calls handle one datagram each and cost about 15 µs for one received and one sent; with 32 at a time both
 * cost about 2.5 µs. Deno still waits for the first datagram; what else comes soon is taken from under it, which its
 * runtime bears: it asks the system again.
 */
import { type Datagram, MAX_ANSWER_BYTES } from "../net.ts";
import { noBatches, openLibc } from "./libc.ts";

/** Datagrams of one call; of 16, 32 and 64 the best where the asker has a processor of its own to ask anew meanwhile. */
const BATCH = 32;
/** Longest datagram that is received; of longer ones the start. */
const SLOT_BYTES = 2048;
/** Room for an address: struct sockaddr_in6 has 28. */
const NAME_BYTES = 32;
/** Between two slots, so that their first lines, all that most datagrams fill, do not compete for the same places in the processor's cache. */
const GAP_BYTES = 64;
/** 64-bit words of struct mmsghdr, and which of them are what. */
const HEAD_WORDS = 8;
const NAME_WORD = 0;
const NAME_LENGTH_WORD = 1;
const VECTOR_WORD = 2;
const VECTOR_COUNT_WORD = 3;
const LENGTH_WORD = 7;
const AF_INET = 2;
const AF_INET6 = 10;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SOCK_DGRAM = 2;
const POLLIN = 1;
/** File descriptors that are looked through for the socket. */
const MAX_DESCRIPTOR = 1024;

const CALLS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
  },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof CALLS>;

interface Slot extends Datagram {
  bytes: Uint8Array;
  address: Uint8Array;
  port: number;
  /** The parts of the name that may be the address. */
  readonly ipv4: Uint8Array;
  readonly mapped: Uint8Array;
  readonly ipv6: Uint8Array;
}

/** Answers a datagram: writes to `reply` and returns how many bytes. */
type Answer = (datagram: Datagram, reply: Uint8Array) => number;

/** Answers the datagrams of one socket, many at a time. */
export class DatagramBatch implements Disposable {
  readonly #library: Library;
  readonly #descriptor: number;
  readonly #names = new Uint8Array(BATCH * NAME_BYTES);
  readonly #received = new Messages(SLOT_BYTES, this.#names);
  readonly #replies = new Messages(MAX_ANSWER_BYTES, this.#names);
  readonly #slots: readonly Slot[];
  /** struct pollfd. */
  readonly #waiting: Uint8Array<ArrayBuffer>;

  private constructor(library: Library, descriptor: number) {
    this.#library = library;
    this.#descriptor = descriptor;
    this.#waiting = new Uint8Array(Int32Array.of(descriptor, POLLIN).buffer);
    this.#slots = Array.from({ length: BATCH }, (_, at) => ({
      bytes: this.#received.slot(at),
      address: this.#names,
      port: 0,
      ipv4: this.#nameAt(at, 4, 8),
      mapped: this.#nameAt(at, 20, 24),
      ipv6: this.#nameAt(at, 8, 24),
    }));
    for (let at = 0; at < BATCH; at++) {
      this.#received.setName(at, at, NAME_BYTES);
    }
  }

  /** Returns the batch of a socket that is bound to `port`. @throws {RunError} `no-batches`; the message says why not. */
  static of(port: number): DatagramBatch {
    const library = openLibc(CALLS);
    const descriptor = descriptorOf(port, library);
    if (descriptor >= 0) return new DatagramBatch(library, descriptor);
    library.close();
    throw noBatches("the socket was not found");
  }

  /** Waits on the spot until a datagram arrives, which nothing else of this thread can do meanwhile; false if none does. */
  wait(forMs: number): boolean {
    return this.#library.symbols.poll(this.#waiting, 1n, forMs) > 0;
  }

  /** Answers what has arrived, at most 32 datagrams; returns how many have. */
  answerAll(answer: Answer): number {
    const count = this.#library.symbols.recvmmsg(
      this.#descriptor,
      this.#received.heads,
      BATCH,
      MSG_DONTWAIT,
      null,
    );
    let replies = 0;
    for (let at = 0; at < count; at++) {
      const slot = this.#slots[at]!;
      const received = this.#received.length(at);
      // the same length again, most often: a new view costs as much as a name to look up
      if (slot.bytes.length !== received) {
        slot.bytes = this.#received.slot(at).subarray(0, received);
      }
      slot.address = this.#addressIn(slot, at * NAME_BYTES);
      slot.port = this.#names[at * NAME_BYTES + 2]! << 8 |
        this.#names[at * NAME_BYTES + 3]!;
      const length = answer(slot, this.#replies.slot(replies));
      if (length === 0) continue;
      this.#replies.setName(replies, at, this.#received.nameLength(at));
      this.#replies.setLength(replies, length);
      replies += 1;
    }
    this.#send(replies);
    return Math.max(count, 0);
  }

  #send(count: number): void {
    const { heads } = this.#replies;
    for (let at = 0; at < count;) {
      const sent = this.#library.symbols.sendmmsg(
        this.#descriptor,
        at === 0 ? heads : heads.subarray(at * 8 * HEAD_WORDS),
        count - at,
        MSG_DONTWAIT,
      );
      // What the system does not take is lost, as datagrams may be; the others are not.
      at += sent > 0 ? sent : 1;
    }
  }

  /** Lets go of the C library. */
  [Symbol.dispose](): void {
    this.#library.close();
  }

  /** The address of a received datagram's sender, whose name starts at `from`. */
  #addressIn(slot: Slot, from: number): Uint8Array {
    const names = this.#names;
    if (names[from] === AF_INET) return slot.ipv4;
    if (names[from + 18] !== 0xff || names[from + 19] !== 0xff) {
      return slot.ipv6;
    }
    for (let at = from + 8; at < from + 18; at++) {
      if (names[at] !== 0) return slot.ipv6;
    }
    return slot.mapped;
  }

  #nameAt(slot: number, from: number, to: number): Uint8Array {
    const at = slot * NAME_BYTES;
    return this.#names.subarray(at + from, at + to);
  }
}

/**
 * The memory of a batch, as the system calls want it: struct mmsghdr, each with one struct iovec and a name. It is
 * written in halves of words, the lower one first on both processors, since 64-bit numbers would be objects.
 */
class Messages {
  readonly heads: Uint8Array<ArrayBuffer>;
  readonly #heads = new Uint32Array(2 * HEAD_WORDS * BATCH);
  readonly #vectors = new Uint32Array(4 * BATCH);
  readonly #slots: readonly Uint8Array[];
  /** Where the names are. */
  readonly #names: Uint32Array;

  constructor(slotBytes: number, names: Uint8Array<ArrayBuffer>) {
    const stride = slotBytes + GAP_BYTES;
    const bytes = new Uint8Array(BATCH * stride);
    this.heads = new Uint8Array(this.#heads.buffer);
    this.#slots = Array.from(
      { length: BATCH },
      (_, at) => bytes.subarray(at * stride, at * stride + slotBytes),
    );
    this.#names = new Uint32Array(
      BigUint64Array.from(
        { length: BATCH },
        (_, at) => addressOf(names, at * NAME_BYTES),
      ).buffer,
    );
    const heads = new BigUint64Array(this.#heads.buffer);
    const vectors = new BigUint64Array(this.#vectors.buffer);
    for (let at = 0; at < BATCH; at++) {
      vectors[2 * at] = addressOf(bytes, at * stride);
      vectors[2 * at + 1] = BigInt(slotBytes);
      heads[HEAD_WORDS * at + VECTOR_WORD] = addressOf(this.#vectors, 16 * at);
      heads[HEAD_WORDS * at + VECTOR_COUNT_WORD] = 1n;
    }
  }

  /** The bytes of a message. */
  slot(at: number): Uint8Array {
    return this.#slots[at]!;
  }

  /** Lets a message use the name in slot `name`. */
  setName(at: number, name: number, length: number): void {
    const head = 2 * HEAD_WORDS * at;
    this.#heads[head + 2 * NAME_WORD] = this.#names[2 * name]!;
    this.#heads[head + 2 * NAME_WORD + 1] = this.#names[2 * name + 1]!;
    this.#heads[head + 2 * NAME_LENGTH_WORD] = length;
  }

  /** How long the name of a message is. */
  nameLength(at: number): number {
    return this.#heads[2 * (HEAD_WORDS * at + NAME_LENGTH_WORD)]!;
  }

  /** Sets how many bytes are to be sent. */
  setLength(at: number, length: number): void {
    this.#vectors[4 * at + 2] = length;
  }

  /** How many bytes were received. */
  length(at: number): number {
    return this.#heads[2 * (HEAD_WORDS * at + LENGTH_WORD)]!;
  }
}

function addressOf(
  array: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  offset: number,
): bigint {
  const pointer = Deno.UnsafePointer.of(array);
  return BigInt(Deno.UnsafePointer.value(pointer)) + BigInt(offset);
}

/** The file descriptor of the UDP socket that is bound to `port`; -1 if there is none. Deno does not tell. */
function descriptorOf(port: number, { symbols: calls }: Library): number {
  const name = new Uint8Array(128);
  const type = new Uint32Array(1);
  const length = new Uint32Array(1);
  for (let descriptor = 0; descriptor < MAX_DESCRIPTOR; descriptor++) {
    length[0] = type.byteLength;
    const [typeBytes, lengthBytes] = [type, length].map((array) =>
      new Uint8Array(array.buffer)
    ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    const isSocket = calls.getsockopt(
      descriptor,
      SOL_SOCKET,
      SO_TYPE,
      typeBytes,
      lengthBytes,
    ) === 0;
    if (!isSocket || type[0] !== SOCK_DGRAM) continue;
    length[0] = name.byteLength;
    if (calls.getsockname(descriptor, name, lengthBytes) !== 0) continue;
    const family = name[0];
    const isInternet = family === AF_INET || family === AF_INET6;
    if (isInternet && (name[2]! << 8 | name[3]!) === port) return descriptor;
  }
  return -1;
}
