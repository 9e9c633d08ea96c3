/**
 * Sockets, disk and clock for a {@linkcode Swarm}.
 *
 * It does not use `drive` of lib/io: a peer has many connections, and a race of promises for each of 10,000 reads a
 * second costs more than the reads. Inputs are handled at once, in the turn of the event loop in which they arrive; a
 * read's bytes are looked at before the next read into the same buffer. 512 MiB over loopback: see the lesson.
 */
import { messageOf } from "../core/errors.ts";
import type { PieceHashes } from "../bittorrent/metainfo/piece_hashes.ts";
import type { Machine } from "../core/machine.ts";
import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";
import type { SwarmInput, SwarmOutput } from "../bittorrent/swarm/in_out.ts";
import { LinkedAbort } from "../io/linked_abort.ts";
import type { TcpConnection, TcpListener } from "../io/net.ts";
import type { RoleContext } from "../role.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection's read buffer, before and after data flows: strangers who say nothing cost little. */
const FIRST_READ_BYTES = 1024;
const MAX_READ_BYTES = 256 * 1024;

/** Why the sleep to a deadline ends: said once, as an exception for each, with its stack, costs more than the input. */
const EARLIER = "an earlier deadline came up";

/** Where pieces are kept. */
export interface PieceStore {
  /** Keeps a piece that was verified; the bytes are the store's until it is done. */
  write(pieceIndex: number, bytes: Uint8Array): Promise<void>;
  /** Fills `buffer` with a piece that was there; false when it is no longer. */
  read(pieceIndex: number, buffer: Uint8Array): Promise<boolean>;
}

/** What a swarm shares: how its pieces are checked, and where they are. */
export interface SharedContent {
  readonly hashes: Pick<PieceHashes, "matches">;
  readonly storage: PieceStore;
}

/** Runs a swarm until it is stopped; with a magnet link first the machine that gets its metadata. */
export class SwarmDriver {
  /** Resolves with the info dictionary of a magnet link. */
  readonly metadata: Promise<Uint8Array>;
  /** Resolves when every piece is verified and stored; never if that was so from the start. */
  readonly completed: Promise<void>;
  /** Rejects when the swarm cannot go on: the disk is full. */
  readonly failed: Promise<never>;
  /** Why the last attempt to connect to a peer failed; "" if none did. */
  lastConnectFailure = "";
  readonly #ctx: RoleContext;
  readonly #isMetadata: (bytes: Uint8Array) => boolean;
  readonly #dhtNode: (node: PeerEndpoint) => void;
  #swarm: Machine<SwarmInput, SwarmOutput>;
  /** Null as long as there is no metadata: nothing is verified, stored or read before. */
  #content: SharedContent | null;
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
  #describe!: (metadata: Uint8Array) => void;
  #fail!: (error: unknown) => void;

  /** Creates a driver that does nothing yet. @param options.isMetadata Compares the hash of an info dictionary with that of the magnet link. */
  constructor(
    swarm: Machine<SwarmInput, SwarmOutput>,
    options: {
      readonly ctx: RoleContext;
      readonly content?: SharedContent;
      readonly isMetadata?: (bytes: Uint8Array) => boolean;
      /** Takes the DHT nodes that peers name. */
      readonly dhtNode?: (node: PeerEndpoint) => void;
    },
  ) {
    this.#swarm = swarm;
    this.#ctx = options.ctx;
    this.#content = options.content ?? null;
    this.#isMetadata = options.isMetadata ?? (() => false);
    this.#dhtNode = options.dhtNode ?? (() => {});
    this.metadata = new Promise((resolve) => this.#describe = resolve);
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

  /** Goes on with the swarm of the torrent whose metadata has come, and with the connections there are. */
  goOn(
    swarm: Machine<SwarmInput, SwarmOutput>,
    content: SharedContent,
  ): void {
    this.#swarm = swarm;
    this.#content = content;
    this.feed({ kind: "start" });
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
    if (this.#swarm.deadlineMs < this.#alarmAtMs) this.#alarm.abort(EARLIER);
  }

  #perform(output: SwarmOutput): void {
    switch (output.kind) {
      case "send":
        return this.#send(output.link, output.bytes);
      case "event":
        return this.#ctx.emit(output.event);
      case "verify": {
        const { pieceIndex, bytes } = output;
        const valid = this.#content!.hashes.matches(pieceIndex, bytes);
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
      case "verify-metadata": {
        const { link, bytes } = output;
        const valid = this.#isMetadata(bytes);
        this.#queue.push({ kind: "metadata-verified", link, valid });
        return;
      }
      case "metadata":
        return this.#describe(output.bytes);
      case "dht-node":
        return this.#dhtNode(output.node);
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
    await this.#content!.storage.write(pieceIndex, bytes);
    this.feed({ kind: "stored", pieceIndex });
  }

  async #read(pieceIndex: number, buffer: Uint8Array): Promise<void> {
    const there = await this.#content!.storage.read(pieceIndex, buffer);
    const bytes = there ? buffer : null;
    this.feed({ kind: "piece-read", pieceIndex, bytes });
  }

  async #connect(link: number, to: PeerEndpoint): Promise<void> {
    using attempt = new LinkedAbort(this.#stop.signal);
    this.#connecting.set(link, attempt);
    try {
      const connection = await this.#ctx.net.connectTcp(to, {
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: attempt.signal,
      });
      // Given up in the very turn in which it was made.
      if (attempt.signal.aborted) return connection[Symbol.dispose]();
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

  /** Takes over a connection to a web seed, as if to a peer that had been connected to. */
  adopt(connection: TcpConnection, webSeed: string): void {
    this.#lastAccepted -= 1;
    const link = this.#lastAccepted;
    this.#connections.set(link, connection);
    const { remote } = connection;
    this.feed({ kind: "accepted", link, remote, webSeed });
    this.#task(this.#receive(link, connection));
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
