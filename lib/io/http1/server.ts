import type { ProtocolError } from "../../core/errors.ts";
import type { ConnectionLimits } from "../../http/http1/connection_messages.ts";
import { formatHttpDate } from "../../http/http_date.ts";
import { ServerConnection } from "../../http/http1/server_connection.ts";
import type { Clock } from "../clock.ts";
import type { HttpHandler, HttpOptions } from "../http.ts";
import type { Address } from "../net.ts";
import { pauseUntil } from "../pause.ts";
import { HttpBuffers } from "./buffers.ts";
import { type ByteStream, HttpConnection } from "./connection.ts";

/** How long answers in flight may take once the server is told to stop. */
const CLOSING_MS = 2000;
/** How often connections are looked at whose time is over: one timer for all of them. */
const SWEEP_MS = 250;
/** Most connections at once. Each costs about 10 KiB while it waits. */
const MAX_CONNECTIONS = 10_240;
/** So many of the longest idle go at once when there are too many: looking for them costs a look at all. */
const GIVE_WAY_PARTS = 64;

/** Longest that a head may take, when nothing else is said. */
const HEAD_TIMEOUT_MS = 10_000;

const LIMITS: Omit<ConnectionLimits, "headMs"> = {
  idleMs: 60_000,
  bodyMs: 10_000,
  writeMs: 60_000,
  maxHeadBytes: 32_768,
  maxBodyBytes: 16 * 2 ** 20,
};

/** The connections of one HTTP server: admits them, watches their deadlines, ends them. */
export class HttpConnections {
  readonly #handler: HttpHandler;
  readonly #options: HttpOptions;
  readonly #clock: Clock;
  /**
   * In no order; each knows its place. A Set that thousands a second enter and leave is rebuilt all the time, and each of
   * its discarded tables kept what had been in it from the young generation's collector: 5 µs for each connection.
   */
  readonly #all: HttpConnection[] = [];
  readonly #limits: ConnectionLimits;
  readonly #buffers = new HttpBuffers();
  readonly #ended = new AbortController();
  readonly #sweeping: Promise<void>;
  /** The time of the last look at the deadlines: near enough for them, and asking the system costs each request 1 µs. */
  #nowMs: number;
  #dateText = "";
  #dateSecond = -1;
  #isClosing = false;
  #emptied: (() => void) | undefined;
  readonly #date = () => this.#currentDate();

  /** Creates a server without connections. */
  constructor(
    handler: HttpHandler,
    options: HttpOptions & { readonly clock: Clock },
  ) {
    this.#handler = handler;
    this.#options = options;
    this.#clock = options.clock;
    // The sweep finds it late by one round, and begins to count by one.
    const headMs = (options.headTimeoutMs ?? HEAD_TIMEOUT_MS) - 3 * SWEEP_MS;
    this.#limits = { ...LIMITS, headMs };
    this.#nowMs = options.clock.nowMs();
    this.#sweeping = this.#sweep();
  }

  /** How many there are. */
  get size(): number {
    return this.#all.length;
  }

  /** Serves a connection that was just made. */
  add(stream: ByteStream, remoteOf: () => Address): void {
    if (this.#all.length >= MAX_CONNECTIONS && !this.giveWay()) {
      return stream.close();
    }
    const machine = new ServerConnection(
      { limits: this.#limits, date: this.#date },
      this.#nowMs,
    );
    const connection = new HttpConnection(stream, {
      machine,
      host: this,
      remoteOf,
    });
    connection.place = this.#all.push(connection) - 1;
    void connection.run();
  }

  /** Ends the connections that have been idle longest, some at once; false when none is idle. */
  giveWay(): boolean {
    const idle = this.#all.filter(({ machine }) =>
      machine.idleSinceMs < Infinity
    );
    idle.sort((a, b) => a.machine.idleSinceMs - b.machine.idleSinceMs);
    const count = Math.ceil(this.#all.length / GIVE_WAY_PARTS);
    for (const connection of idle.slice(0, count)) connection.abort();
    return idle.length > 0;
  }

  /** Lets answers in flight finish for up to 2 s, then ends them. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of [...this.#all]) connection.feed({ kind: "stop" });
    if (this.#all.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#emptied = resolve;
      const timer = setTimeout(resolve, CLOSING_MS);
      await promise;
      clearTimeout(timer);
    }
    for (const connection of [...this.#all]) connection.abort();
    this.#ended.abort();
    await this.#sweeping;
  }

  /** For {@linkcode HttpConnection}. */
  get handler(): HttpHandler {
    return this.#handler;
  }

  /** For {@linkcode HttpConnection}. */
  get buffers(): HttpBuffers {
    return this.#buffers;
  }

  /** For {@linkcode HttpConnection}. */
  nowMs(): number {
    return this.#nowMs;
  }

  /** For {@linkcode HttpConnection}. */
  violated(remote: Address, error: ProtocolError): void {
    this.#options.violated?.(remote, error);
  }

  /** For {@linkcode HttpConnection}: it is over. */
  closed(connection: HttpConnection): void {
    const last = this.#all.pop();
    if (last !== undefined && last !== connection) {
      this.#all[connection.place] = last;
      last.place = connection.place;
    }
    if (this.#isClosing && this.#all.length === 0) this.#emptied?.();
  }

  async #sweep(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const nextMs = this.#clock.nowMs() + SWEEP_MS;
      await pauseUntil(nextMs, { clock: this.#clock, signal });
      this.#nowMs = this.#clock.nowMs();
      const late = this.#all.filter(({ machine }) =>
        machine.deadlineMs <= this.#nowMs
      );
      for (const connection of late) connection.feed({ kind: "timeout" });
    }
  }

  #currentDate(): string {
    const second = Math.floor(this.#clock.wallMs() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#dateText = formatHttpDate(1000 * second);
    }
    return this.#dateText;
  }
}
