import type { Address } from "./address.ts";
import type { HttpHandler, HttpOptions, HttpServer } from "./http.ts";

export type { Address };

/** The sockets a role may open. `deno/net.ts` opens real ones; tests pass their own. */
export interface Net {
  /**
   * Binds a UDP socket.
   *
   * @throws {RunError} `address-in-use`, `address-not-available`, `permission-denied`.
   */
  listenUdp(at: ListenAddress): UdpSocket;
  /**
   * Joins a multicast group on every interface of its family that is up, or on the one whose address is `host`; on
   * loopback only if there is no other, or with `loopback`. Several programs of one machine may join the same group and port.
   *
   * @throws {RunError} `no-multicast` if no interface can; `address-in-use`.
   */
  joinMulticast(
    group: Address,
    options?: MulticastOptions,
  ): Promise<MulticastSocket>;
  /** Binds a TCP socket and listens. Same rules and errors as {@linkcode Net.listenUdp}. */
  listenTcp(at: ListenAddress): TcpListener;
  /**
   * Opens a TCP connection to a name or an address; with `tls`, TLS on it, the certificate checked against that name.
   *
   * @throws {RunError} `connect-failed` (refused, unreachable, unknown name, a certificate that is not trusted) or
   * `connect-timeout`; `signal`'s reason if it aborts.
   */
  connectTcp(to: Address, options: ConnectOptions): Promise<TcpConnection>;
  /** Serves HTTP/1.1 to {@linkcode HttpHandler}. Same rules and errors as {@linkcode Net.listenUdp}. */
  serveHttp(
    at: ListenAddress,
    handler: HttpHandler,
    options?: HttpOptions,
  ): HttpServer;
  /**
   * Sends one HTTP request; resolves when the head of the response is there. Bodies come as sent (no transparent decompression), redirects are not followed.
   *
   * @throws {RunError} `fetch-failed` or `fetch-timeout`; `signal`'s reason if it aborts.
   */
  fetch(url: string, options?: FetchOptions): Promise<Response>;
  /** Resolves a host name with the system's resolver; a literal address is returned as it is. @throws {RunError} `name-not-found`. */
  resolve(
    name: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly string[]>;
  /** This machine's name and its addresses, loopback last. */
  hostname(): string;
}

/** Where to listen. An empty `host` means all addresses, IPv6 and IPv4; port 0 takes a free one. */
export interface ListenAddress extends Address {
  /** The flag that chose the port: where it is in use, that one chooses another. Default `--port`. */
  readonly portFlag?: string;
}

/** See {@linkcode Net.connectTcp}. */
export interface ConnectOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly tls?: boolean;
}

/** See {@linkcode Net.fetch}. */
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** Ends the body too. It is listened to while it lives: one that outlives many requests should be given linked (`LinkedAbort`). */
  readonly signal?: AbortSignal;
  /** Longest wait for the response's head. Default 10 s. */
  readonly timeoutMs?: number;
  /** Connect here although the URL names another host; the `Host` field keeps the URL's (for http: URLs). */
  readonly connectTo?: Address;
}

/** Largest answer of {@linkcode UdpSocket.serve}: more than an Ethernet frame carries. */
export const MAX_ANSWER_BYTES = 2048;

/** A datagram that is to be answered now: the next one is written over it. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** The sender's address, 4 bytes or 16; never a mapped one. */
  readonly address: Uint8Array;
  /** The sender's port. */
  readonly port: number;
}

/** A bound UDP socket. */
export interface UdpSocket extends AsyncDisposable, Address {
  /** Datagrams as they arrive, until `signal` aborts or the socket is closed. Errors a peer can cause (ICMP unreachable) are skipped. */
  receive(
    signal: AbortSignal,
  ): AsyncIterable<
    { readonly bytes: Uint8Array; readonly host: string; readonly port: number }
  >;
  /**
   * Answers each datagram as it arrives, until `signal` aborts or the socket is closed: the way of servers that answer
   * many and small ones. `answer` writes at most {@linkcode MAX_ANSWER_BYTES} to `reply` and returns how many are to be
   * sent back, 0 for none. An answer that cannot be sent is dropped.
   *
   * @param options.cannotBatch Given, many datagrams are received and sent with one system call; called with the reason
   * where that cannot be had, and then they go one by one.
   */
  serve(
    answer: (datagram: Datagram, reply: Uint8Array) => number,
    signal: AbortSignal,
    options?: { readonly cannotBatch?: (reason: string) => void },
  ): Promise<void>;
  /** Sends one datagram. @throws {RunError} `send-failed`, for instance `message too long`. */
  send(bytes: Uint8Array, to: Address): Promise<void>;
}

/** See {@linkcode Net.joinMulticast}. */
export interface MulticastOptions {
  /** The address of the one interface to join on. */
  readonly host?: string;
  /** Joins on loopback as well as on the others. */
  readonly loopback?: boolean;
  /** Sends from the group's own port, as mDNS wants it, not from any free one. */
  readonly fromGroupPort?: boolean;
}

/** A member of a multicast group. */
export interface MulticastSocket extends AsyncDisposable {
  /** The addresses of the interfaces it joined on. */
  readonly interfaces: readonly string[];
  /** Joins on interfaces that have come since, and leaves those that have gone. Returns whether one has come. */
  renew(): Promise<boolean>;
  /** What anyone sends to the group, ourselves included; see {@linkcode UdpSocket.receive}. */
  receive(signal: AbortSignal): ReturnType<UdpSocket["receive"]>;
  /**
   * Sends one datagram to the group on every interface, the same one or what is made of each one's address.
   *
   * @throws {RunError} `send-failed` if it left by none.
   */
  send(
    bytes: Uint8Array | ((interfaceAddress: string) => Uint8Array),
  ): Promise<void>;
  /** Sends one datagram to one member, from the group's port. @throws {RunError} `send-failed`. */
  reply(bytes: Uint8Array, to: Address): Promise<void>;
}

/** A listening TCP socket. */
export interface TcpListener extends AsyncDisposable, Address {
  /**
   * Connections as they are made, until `signal` aborts. An accept that fails (the client reset at once; no file
   * descriptors left) never ends the loop, unless `lostClient` is `throw`.
   *
   * @throws {RunError} `connection-lost`, with `lostClient: "throw"`, when a client was gone before it was accepted.
   */
  accept(
    signal: AbortSignal,
    options?: { readonly lostClient: "throw" },
  ): AsyncIterable<TcpConnection>;
}

/** One TCP connection. Its owner disposes of it; disposing twice is harmless. */
export interface TcpConnection extends Disposable {
  readonly local: Address;
  readonly remote: Address;
  /** Reads what is there into `buffer`; null at the end of the stream. @throws {RunError} `connection-lost`. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes all of `bytes`. @throws {RunError} `connection-lost`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends FIN: no more writes; the other side's bytes can still be read. */
  closeWrite(): Promise<void>;
  /** Turns Nagle's algorithm off or on. */
  setNoDelay(on: boolean): void;
}
