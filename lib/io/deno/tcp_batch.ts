/**
 * Serves many TCP connections with few calls of Deno's: which of them have sent something is one system call, and what
 * they sent, and the answer, one each, through FFI and without a promise of the runtime's.
 *
 * A hit of the edge costs 9.1 µs where Deno's own calls make it 11.0, an announce with a connection of its own 28 and 37.
 * A mistake in such calls is a crash and not an error.
 */
import {
  formatAddress,
  isAddress,
  parseAddress,
  unmapAddress,
} from "../../core/address.ts";
import type { ByteStream } from "../http1/connection.ts";
import type { Address } from "../net.ts";
import { Epoll } from "./epoll.ts";
import { FilePieces } from "./file_pieces.ts";
import { IdleCollector } from "./idle_collector.ts";
import { noBatches } from "./libc.ts";
import { EAGAIN, type Library, openSockets } from "./socket_calls.ts";
import { BatchedStream, type StreamHost } from "./tcp_batch_stream.ts";
import { Turns } from "./turns.ts";

/** After so long all else that the program does gets a turn. */
const TURN_MS = 2;
/** Longest wait when nothing is to be done. */
const IDLE_MS = 1000;
/** Connections accepted before the others get their turn. */
const MAX_ACCEPTS = 64;
/** How long no connection is accepted when the system has no more to give. */
const ACCEPT_PAUSE_MS = 50;
/** Steps of promises that those who were given something may take before the next look at the sockets. */
const MAX_STEPS = 16;
const BACKLOG = 511;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_FLAGS = 0x80800; // SOCK_CLOEXEC, SOCK_NONBLOCK
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** What accept fails with when there is nothing left to accept with: ENOMEM, ENFILE, EMFILE, ENOBUFS. */
const EXHAUSTED: readonly number[] = [12, 23, 24, 105];
/** Words of struct sockaddr_in6, the longest name of a socket here. */
const NAME_WORDS = 7;
const NAME_BYTES = 4 * NAME_WORDS;
const IPV4_NAME_BYTES = 16;

/** Who takes what {@linkcode TcpBatch.serve} accepts. */
export interface BatchHost {
  /** A client has connected. */
  accepted(stream: ByteStream, remoteOf: () => Address): void;
  /** The system has no descriptor left for a client that waits. */
  exhausted(): void;
}

/** A listening socket and all its connections. */
export class TcpBatch implements StreamHost {
  readonly library: Library;
  readonly pieces: FilePieces;
  readonly #epoll: Epoll;
  readonly #listener: number;
  /** By descriptor. */
  readonly #streams: (BatchedStream | undefined)[] = [];
  /** Those that were given something and do not wait for more yet. */
  #busy = 0;
  #isStopped = false;
  #isOver = false;
  /** When to accept again; 0 while it does. */
  #restsUntilMs = 0;
  readonly #name = new Uint32Array(NAME_WORDS);
  readonly #nameBytes = new Uint8Array(this.#name.buffer);
  readonly #nameLength = Uint32Array.of(NAME_BYTES);
  readonly #nameLengthBytes = new Uint8Array(this.#nameLength.buffer);

  private constructor(
    readonly address: Address,
    library: Library,
    epoll: Epoll,
    listener: number,
  ) {
    this.library = library;
    this.pieces = new FilePieces(library);
    this.#epoll = epoll;
    this.#listener = listener;
    epoll.watchListener(listener);
  }

  /**
   * Listens on a literal address; `isShared` where other threads do so too.
   *
   * @throws {RunError} `no-batches`: it cannot be had, or not at that address.
   */
  static listen({ host, port }: Address, isShared: boolean): TcpBatch {
    const epoll = new Epoll();
    const library = openSockets();
    // One with a zone (fe80::1%eth0) is Deno's to listen at, and so is a name.
    const listener = isAddress(host)
      ? listen(library, { host, port }, isShared)
      : -1;
    if (listener >= 0) {
      const at = { host, port: portOf(listener, library) };
      return new TcpBatch(at, library, epoll, listener);
    }
    epoll[Symbol.dispose]();
    library.close();
    throw noBatches("the C library cannot listen at that address");
  }

  /** Accepts connections and carries what they read and write, until {@linkcode TcpBatch.end}. */
  async serve(host: BatchHost): Promise<void> {
    using epoll = this.#epoll;
    using _pieces = this.pieces;
    using turns = new Turns();
    const ready = (descriptor: number, events: number) => {
      if (descriptor === this.#listener) this.#accept(host);
      else this.#streams[descriptor]?.ready(events);
    };
    const collector = new IdleCollector();
    let turnAtMs = 0;
    while (!this.#isOver) {
      let count = epoll.look() || epoll.waitBriefly();
      if (count === 0) {
        collector.rested(performance.now());
        count = await epoll.waitAside(this.#idleMs());
        if (count > 0) collector.served(performance.now());
      }
      epoll.each(count, ready);
      for (let step = 0; step < MAX_STEPS && this.#busy > 0; step++) {
        await undefined;
      }
      // Who is still busy waits for something that is not ours.
      if (this.#busy === 0 && performance.now() < turnAtMs) continue;
      this.#acceptAgain();
      await turns.next();
      turnAtMs = performance.now() + TURN_MS;
    }
    this.library.close();
  }

  /** Accepts no more; what is connected stays. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.library.symbols.close(this.#listener);
  }

  /** Ends {@linkcode TcpBatch.serve}; all its connections must be closed. */
  end(): void {
    this.stop();
    this.#isOver = true;
    this.#epoll.wake();
  }

  /** For {@linkcode BatchedStream}: it does not wait any more. */
  began(): void {
    this.#busy += 1;
  }

  /** For {@linkcode BatchedStream}: it waits again, or is over. */
  rested(): void {
    this.#busy -= 1;
  }

  /** For {@linkcode BatchedStream}. */
  closed(descriptor: number): void {
    this.#streams[descriptor] = undefined;
    this.library.symbols.close(descriptor);
  }

  #accept(host: BatchHost): void {
    for (let count = 0; count < MAX_ACCEPTS && !this.#isStopped; count++) {
      this.#nameLength[0] = NAME_BYTES;
      const descriptor = this.library.symbols.accept4(
        this.#listener,
        this.#nameBytes,
        this.#nameLengthBytes,
        SOCK_FLAGS,
      );
      if (descriptor < 0) {
        const errno = this.library.errno();
        if (errno === EAGAIN) return;
        if (EXHAUSTED.includes(errno)) return this.#pauseAccepting(host);
        continue; // The client has gone already.
      }
      const stream = new BatchedStream(descriptor, this);
      this.#streams[descriptor] = stream;
      this.#epoll.watch(descriptor);
      // An array of numbers costs a tenth of one with memory of its own.
      const [a, b, c, d, e, f] = this.#name as unknown as readonly number[];
      const name = [a!, b!, c!, d!, e!, f!];
      host.accepted(stream, () => addressIn(name));
    }
  }

  #pauseAccepting(host: BatchHost): void {
    host.exhausted();
    this.#restsUntilMs = performance.now() + ACCEPT_PAUSE_MS;
    this.#epoll.setListening(this.#listener, false);
  }

  #acceptAgain(): void {
    if (this.#restsUntilMs === 0 || this.#isStopped) return;
    if (performance.now() < this.#restsUntilMs) return;
    this.#restsUntilMs = 0;
    this.#epoll.setListening(this.#listener, true);
  }

  #idleMs(): number {
    return this.#restsUntilMs === 0 ? IDLE_MS : ACCEPT_PAUSE_MS;
  }
}

/** Binds a socket that listens; -1 if it cannot. */
function listen(
  { symbols: calls }: Library,
  { host, port }: Address,
  isShared: boolean,
): number {
  const address = parseAddress(host);
  const is6 = address.length === 16;
  const family = is6 ? AF_INET6 : AF_INET;
  const listener = calls.socket(family, SOCK_STREAM | SOCK_FLAGS, 0);
  const set = (level: number, option: number, value: number) => {
    const bytes = new Uint8Array(Int32Array.of(value).buffer);
    calls.setsockopt(listener, level, option, bytes, bytes.length);
  };
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (isShared) set(SOL_SOCKET, SO_REUSEPORT, 1);
  if (is6) set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const name = new Uint8Array(is6 ? NAME_BYTES : IPV4_NAME_BYTES);
  new Uint16Array(name.buffer)[0] = family;
  name.set([port >> 8, port & 255], 2);
  name.set(address, is6 ? 8 : 4);
  const isBound = calls.bind(listener, name, name.length) === 0 &&
    calls.listen(listener, BACKLOG) === 0;
  if (isBound) return listener;
  calls.close(listener);
  return -1;
}

/** The port that a socket is bound to. */
function portOf(socket: number, { symbols: calls }: Library): number {
  const name = new Uint8Array(NAME_BYTES);
  const length = new Uint8Array(Uint32Array.of(NAME_BYTES).buffer);
  calls.getsockname(socket, name, length);
  return name[2]! << 8 | name[3]!;
}

/** The address in a socket's name, which is given as words. */
function addressIn(name: readonly number[]): Address {
  const first = name[0]!;
  const port = (first >>> 8 & 0xff00) | first >>> 24;
  if ((first & 0xffff) === AF_INET) return { host: ipv4Text(name[1]!), port };
  const bytes = new Uint8Array(Uint32Array.from(name).buffer, 8, 16);
  return { host: formatAddress(unmapAddress(bytes)), port };
}

/** An array for the bytes, as {@linkcode formatAddress} wants it, costs more than the text. */
function ipv4Text(word: number): string {
  return `${word & 255}.${word >>> 8 & 255}.${word >>> 16 & 255}.${
    word >>> 24
  }`;
}
