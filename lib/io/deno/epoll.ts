/**
 * Tells which of many file descriptors are ready with one system call (epoll of Linux, through FFI).
 *
 * Deno's own calls ask for one each, and what is ready comes back through a promise of the runtime for each.
 */
import { noBatches, openLibc } from "./libc.ts";

const EPOLLIN = 0x1;
const EPOLLOUT = 0x4;
const EPOLLERR = 0x8;
const EPOLLHUP = 0x10;
const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0x80000;
const EFD_FLAGS = 0x80800; // EFD_CLOEXEC, EFD_NONBLOCK

const POLLIN = 1;
/** Nanoseconds of a brief wait: whoever comes within them spares both sides the way through another thread. */
const BRIEFLY_NS = 200_000n;

/** Descriptors told of by one call. */
const MAX_EVENTS = 256;
/** Words of struct epoll_event, and which of them is the descriptor: it is packed on x86-64 only. */
const EVENT_WORDS = Deno.build.arch === "x86_64" ? 3 : 4;
const DESCRIPTOR_WORD = EVENT_WORDS - 2;

/** What a descriptor is ready for, as bits. */
export const READY = {
  /** Bytes can be sent, or sending fails at once. */
  write: EPOLLOUT,
  /** The other side sends no more, or the connection is broken. */
  end: EPOLLERR | EPOLLHUP | EPOLLRDHUP,
} as const;

const CALLS = {
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  waitAside: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  ppoll: {
    parameters: ["buffer", "usize", "buffer", "pointer"],
    result: "i32",
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** A set of descriptors that are waited for together. */
export class Epoll implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof CALLS>;
  readonly #descriptor: number;
  /** Readable after {@linkcode Epoll.wake}. */
  readonly #bell: number;
  readonly #events = new Uint32Array(EVENT_WORDS * MAX_EVENTS);
  readonly #eventBytes = new Uint8Array(this.#events.buffer);
  readonly #event = new Uint32Array(EVENT_WORDS);
  readonly #eventByte = new Uint8Array(this.#event.buffer);
  /** struct pollfd: a set is itself a descriptor, readable when one of its own is ready. */
  readonly #waiting: Uint8Array<ArrayBuffer>;
  /** struct timespec. */
  readonly #briefly = new Uint8Array(
    BigInt64Array.of(0n, BRIEFLY_NS).buffer,
  );
  /** A counter of 64 bits. */
  readonly #count = new Uint8Array(8).fill(1, 0, 1);

  /** Creates a set without descriptors. @throws {RunError} `no-batches`. */
  constructor() {
    this.#library = openLibc(CALLS);
    const { symbols: calls } = this.#library;
    this.#descriptor = calls.epoll_create1(EPOLL_CLOEXEC);
    this.#bell = calls.eventfd(0, EFD_FLAGS);
    if (this.#descriptor < 0 || this.#bell < 0) {
      this[Symbol.dispose]();
      throw noBatches("the system has no descriptor left for it");
    }
    const waiting = Int32Array.of(this.#descriptor, POLLIN);
    this.#waiting = new Uint8Array(waiting.buffer);
    this.#control(EPOLL_CTL_ADD, this.#bell, EPOLLIN);
  }

  /** Tells of `descriptor` whenever bytes have come, can be sent again, or the other side has ended: once for each time. */
  watch(descriptor: number): void {
    const events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    this.#control(EPOLL_CTL_ADD, descriptor, events);
  }

  /** Tells of `descriptor` as long as somebody waits there. */
  watchListener(descriptor: number): void {
    this.#control(EPOLL_CTL_ADD, descriptor, EPOLLIN);
  }

  /** Stops telling of a listener, or goes on. */
  setListening(descriptor: number, on: boolean): void {
    this.#control(EPOLL_CTL_MOD, descriptor, on ? EPOLLIN : 0);
  }

  /** Looks which are ready; returns how many. */
  look(): number {
    return this.#library.symbols.epoll_wait(
      this.#descriptor,
      this.#eventBytes,
      MAX_EVENTS,
      0,
    );
  }

  /** Waits {@linkcode BRIEFLY_NS} on the spot, where nothing else of this thread runs meanwhile; returns how many are ready. */
  waitBriefly(): number {
    const count = this.#library.symbols.ppoll(
      this.#waiting,
      1n,
      this.#briefly,
      null,
    );
    return count > 0 ? this.look() : 0;
  }

  /** Waits in a thread of the runtime's; resolves to how many are ready. One such wait at a time. */
  waitAside(forMs: number): Promise<number> {
    return this.#library.symbols.waitAside(
      this.#descriptor,
      this.#eventBytes,
      MAX_EVENTS,
      forMs,
    );
  }

  /** Ends a wait that is under way, or the next one. */
  wake(): void {
    this.#library.symbols.write(this.#bell, this.#count, 8n);
  }

  /** Tells `ready` of each of the `count` that the last wait found. */
  each(
    count: number,
    ready: (descriptor: number, events: number) => void,
  ): void {
    for (let at = 0; at < count; at++) {
      const word = EVENT_WORDS * at;
      const descriptor = this.#events[word + DESCRIPTOR_WORD]!;
      if (descriptor === this.#bell) this.#silence();
      else ready(descriptor, this.#events[word]!);
    }
  }

  /** Lets go of the set; none may be waited for any more. */
  [Symbol.dispose](): void {
    this.#library.symbols.close(this.#bell);
    this.#library.symbols.close(this.#descriptor);
    this.#library.close();
  }

  #silence(): void {
    this.#library.symbols.read(this.#bell, this.#count, 8n);
    this.#count.fill(0).fill(1, 0, 1);
  }

  #control(operation: number, descriptor: number, events: number): void {
    this.#event[0] = events;
    this.#event[DESCRIPTOR_WORD] = descriptor;
    this.#library.symbols.epoll_ctl(
      this.#descriptor,
      operation,
      descriptor,
      this.#eventByte,
    );
  }
}
