/**
 * Sockets, disk and clock for a {@linkcode Swarm}.
 *
 * It does not use `drive` of lib/io: a peer has many connections, and a race of promises for each of 10,000 reads a
 * second costs more than the reads. Inputs are handled at once, in the turn of the event loop in which they arrive; a
 * read's bytes are looked at before the next read into the same buffer. 512 MiB over loopback: see the lesson.
 */
import { messageOf } from "../../lib/core/errors.ts";
import type { PieceHashes } from "../../lib/bittorrent/piece_hashes.ts";
import type { Swarm } from "../../lib/bittorrent/swarm.ts";
import type {
  PeerEndpoint,
  SwarmInput,
  SwarmOutput,
} from "../../lib/bittorrent/swarm_types.ts";
import type { TcpConnection, TcpListener } from "../../lib/io/net.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Storage } from "./storage.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection's read buffer, before and after data flows. */
const FIRST_READ_BYTES = 16 * 1024;
const MAX_READ_BYTES = 256 * 1024;

/** Runs a swarm until it is stopped. */
export class SwarmDriver {
  /** Resolves when every piece is verified and stored; never if that was so from the start. */
  readonly completed: Promise<void>;
  /** Rejects when the swarm cannot go on: the disk is full. */
  readonly failed: Promise<never>;
  /** Why the last attempt to connect to a peer failed; "" if none did. */
  lastConnectFailure = "";
  readonly #swarm: Swarm;
  readonly #hashes: PieceHashes;
  readonly #storage: Storage;
  readonly #ctx: RoleContext;
  readonly #connections = new Map<number, TcpConnection>();
  readonly #connecting = new Map<number, AbortController>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #queue: SwarmInput[] = [];
  readonly #stop = new AbortController();
  #draining = false;
  #lastAccepted = 0;
  #alarm = new AbortController();
  #alarmAtMs = Infinity;
  #complete!: () => void;
  #fail!: (error: unknown) => void;

  /** Creates a driver that does nothing yet. */
  constructor(
    swarm: Swarm,
    options: {
      readonly hashes: PieceHashes;
      readonly storage: Storage;
      readonly ctx: RoleContext;
    },
  ) {
    this.#swarm = swarm;
    this.#hashes = options.hashes;
    this.#storage = options.storage;
    this.#ctx = options.ctx;
    this.completed = new Promise((resolve) => this.#complete = resolve);
    this.failed = new Promise((_, reject) => this.#fail = reject);
    this.failed.catch(() => {});
  }

  /** Begins: accepts connections and keeps the swarm's time. */
  start(listener: TcpListener): void {
    this.feed({ kind: "start" });
    this.#task(this.#accept(listener));
    this.#task(this.#keepTime());
  }

  /** Closes every connection and waits until nothing is under way. */
  async stop(): Promise<void> {
    this.feed({ kind: "stop" });
    this.#stop.abort();
    this.#alarm.abort();
    while (this.#tasks.size > 0) await Promise.allSettled([...this.#tasks]);
  }

  /** Hands the swarm an input and carries out what it wants. */
  feed(input: SwarmInput): void {
    this.#queue.push(input);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        for (
          const output of this.#swarm.handle(next, this.#ctx.clock.nowMs())
        ) {
          this.#perform(output);
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#draining = false;
    }
    if (this.#swarm.deadlineMs < this.#alarmAtMs) this.#alarm.abort();
  }

  #perform(output: SwarmOutput): void {
    switch (output.kind) {
      case "send":
        return this.#send(output.link, output.bytes);
      case "event":
        return this.#ctx.emit(output.event);
      case "verify": {
        const { pieceIndex, bytes } = output;
        const valid = this.#hashes.matches(pieceIndex, bytes);
        this.#queue.push({ kind: "verified", pieceIndex, valid });
        return;
      }
      case "store":
        return this.#task(this.#store(output.pieceIndex, output.bytes));
      case "read":
        return this.#task(this.#read(output.pieceIndex, output.buffer));
      case "connect":
        return this.#task(this.#connect(output.link, output.to));
      case "close":
        this.#connecting.get(output.link)?.abort();
        this.#connections.get(output.link)?.[Symbol.dispose]();
        this.#connections.delete(output.link);
        return;
      case "dht-node": // We run no DHT node.
        return;
      case "completed":
        return this.#complete();
    }
  }

  #send(link: number, bytes: Uint8Array): void {
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    connection.write(bytes).then(
      () => this.feed({ kind: "sent", link }),
      () => this.#closed(link, "the connection was lost"),
    );
  }

  async #store(pieceIndex: number, bytes: Uint8Array): Promise<void> {
    await this.#storage.write(pieceIndex, bytes);
    this.feed({ kind: "stored", pieceIndex });
  }

  async #read(pieceIndex: number, buffer: Uint8Array): Promise<void> {
    await this.#storage.read(pieceIndex, buffer);
    this.feed({ kind: "piece-read", pieceIndex, bytes: buffer });
  }

  async #connect(link: number, to: PeerEndpoint): Promise<void> {
    const attempt = new AbortController();
    this.#connecting.set(link, attempt);
    try {
      const connection = await this.#ctx.net.connectTcp(to, {
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: AbortSignal.any([attempt.signal, this.#stop.signal]),
      });
      this.#connections.set(link, connection);
      this.feed({ kind: "connected", link });
      this.#task(this.#receive(link, connection));
    } catch (error) {
      this.lastConnectFailure = messageOf(error);
      this.feed({ kind: "closed", link, reason: this.lastConnectFailure });
    } finally {
      this.#connecting.delete(link);
    }
  }

  async #accept(listener: TcpListener): Promise<void> {
    for await (const connection of listener.accept(this.#stop.signal)) {
      this.#lastAccepted -= 1;
      const link = this.#lastAccepted;
      this.#connections.set(link, connection);
      this.feed({ kind: "accepted", link, remote: connection.remote });
      this.#task(this.#receive(link, connection));
    }
  }

  async #receive(link: number, connection: TcpConnection): Promise<void> {
    connection.setNoDelay(true);
    let buffer = new Uint8Array(FIRST_READ_BYTES);
    let reason = "closed by the other side";
    try {
      while (this.#connections.has(link)) {
        const count = await connection.read(buffer);
        if (count === null) break;
        const bytes = buffer.subarray(0, count);
        this.feed({ kind: "received", link, bytes });
        if (count === buffer.length && count < MAX_READ_BYTES) {
          buffer = new Uint8Array(count * 4);
        }
      }
    } catch {
      reason = "the connection was lost";
    }
    this.#closed(link, reason);
  }

  #closed(link: number, reason: string): void {
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    this.#connections.delete(link);
    connection[Symbol.dispose]();
    this.feed({ kind: "closed", link, reason });
  }

  /** Wakes the swarm at its deadlines; `feed` cuts the sleep short when an earlier one comes up. */
  async #keepTime(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#alarm = new AbortController();
      this.#alarmAtMs = this.#swarm.deadlineMs;
      try {
        await this.#ctx.clock.sleepUntil(this.#alarmAtMs, this.#alarm.signal);
      } catch {
        continue;
      }
      this.#alarmAtMs = -Infinity;
      this.feed({ kind: "timeout" });
    }
  }

  /** Remembers work under way, so that it can be waited for; what goes wrong in it ends the swarm. */
  #task(work: Promise<void>): void {
    const task = work.catch((error) => this.#fail(error))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}
