/**
 * Swarms in virtual time: the same {@linkcode Swarm} that the role `peer` runs, with a queue of events in the place of
 * sockets, disk and clock. Same seed, same run.
 *
 *     host A --send--> link: length / rate, then delay --received--> host B
 *     host A <-- sent, as soon as the last byte has left A
 *
 * Links are full duplex, each with a rate and a delay of its own; what a host may send in all is limited where a real peer
 * does it, by the token buckets of its options. The world holds no state of a peer: connections, timers and choices are
 * the machine's.
 */
import { utf8 } from "../core/bytes.ts";
import { type Rng, seededRng } from "../core/rng.ts";
import { type Layout, pieceLengthOf } from "../bittorrent/metainfo/layout.ts";
import { Swarm } from "../bittorrent/swarm/swarm.ts";
import type { SwarmOptions } from "../bittorrent/swarm/options.ts";
import type {
  SwarmEvent,
  SwarmInput,
  SwarmOutput,
} from "../bittorrent/swarm/in_out.ts";
import { HANDSHAKE_BYTES } from "../bittorrent/wire/handshake.ts";
import { TokenBucket } from "../model/token_bucket.ts";
import { BlankMemory, type Parcel, parcelsOf } from "./blank.ts";
import { EventQueue } from "./event_queue.ts";
import { endpointOf, hostIndex, LISTEN_PORT } from "./host_address.ts";

/** From a write or read of a piece to its end: a disk. */
const DISK_MS = 1;

/** A torrent of one file. */
export function layoutOf(totalBytes: number, pieceLength = 262_144): Layout {
  return {
    totalBytes,
    pieceLength,
    pieceCount: Math.ceil(totalBytes / pieceLength),
    files: [{ path: ["file"], lengthBytes: totalBytes, offset: 0 }],
  };
}

/** What {@linkcode SwarmWorld.add} takes beside defaults. */
export interface HostOptions extends Partial<SwarmOptions> {
  readonly name?: string;
  readonly seed?: boolean;
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  /** Sends bytes of its own making in the place of pieces. */
  readonly corrupt?: boolean;
}

/** A simulated peer. */
export interface Host {
  /** Its place in {@linkcode SwarmWorld.hosts}. */
  readonly index: number;
  readonly name: string;
  readonly peerId: Uint8Array;
  readonly swarm: Swarm;
  readonly corrupt: boolean;
  readonly events: { readonly atMs: number; readonly event: SwarmEvent }[];
  completedAtMs: number;
  alive: boolean;
}

/** What the world notes of a host beside what everyone may see. */
interface Machine extends Host {
  readonly ends: Map<number, End>;
  alarmAtMs: number;
}

/** One side of a connection. */
interface End {
  readonly host: Machine;
  readonly link: number;
  /** The handshake was sent. */
  begun: boolean;
}

/** Something that happens to a host: an input, or bytes of a blank file. */
interface Entry extends Parcel {
  readonly host: Machine;
  readonly input: SwarmInput | null;
  readonly link: number;
}

const NO_INPUTS: SwarmInput[] = [];
/** The parcel of an input that is no bytes. */
const NO_BYTES = new Uint8Array(0);

/** How a {@linkcode SwarmWorld} is. */
export interface WorldOptions {
  readonly seed: number;
  /** From the last byte sent to the last one received. */
  readonly delayMs?: number;
  /** Of each link; a block takes 0.13 ms at the default of 1 Gbit/s. */
  readonly linkBytesPerSecond?: number;
  /** The file has no content: memory for 10,000 peers. Without it the bytes of a piece are its index, again and again, and pieces are compared. */
  readonly blank?: boolean;
  /** Called for each event instead of keeping it in {@linkcode Host.events}. */
  readonly onEvent?: (host: Host, event: SwarmEvent) => void;
  /** Called when a host has everything that it had not at first. */
  readonly onCompleted?: (host: Host) => void;
}

/** A network of hosts, and its time. See the head of this file. */
export class SwarmWorld {
  /** Everyone there ever was. */
  readonly hosts: Host[] = [];
  /** The time. */
  nowMs = 0;
  /** Inputs given to machines so far. */
  inputs = 0;
  readonly #layout: Layout;
  readonly #options: WorldOptions;
  readonly #delayMs: number;
  readonly #linkBytesPerMs: number;
  readonly #memory: BlankMemory | null;
  readonly #queue = new EventQueue<Entry>();
  #lastAccepted = 0;

  /** Creates an empty network. */
  constructor(layout: Layout, options: WorldOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#delayMs = options.delayMs ?? 1;
    this.#linkBytesPerMs = (options.linkBytesPerSecond ?? 125_000_000) / 1000;
    this.#memory = options.blank ? new BlankMemory() : null;
  }

  /** Adds a peer, and starts it. */
  add(options: HostOptions = {}): Host {
    const index = this.hosts.length;
    const { uploadBytesPerSecond = Infinity } = options;
    const { downloadBytesPerSecond = Infinity } = options;
    const peerId = peerIdOf(index);
    const limit = (bytesPerSecond: number) =>
      new TokenBucket({ bytesPerSecond }, this.nowMs);
    const swarm = new Swarm({
      layout: this.#layout,
      infoHash: new Uint8Array(20).fill(7),
      peerId,
      have: options.seed
        ? Array.from({ length: this.#layout.pieceCount }, (_, at) => at)
        : [],
      rng: this.rngOf(index),
      picker: "rarest",
      unchokeSlots: 4,
      chokeIntervalMs: 10_000,
      optimisticIntervalMs: 30_000,
      freeRide: false,
      // Who knows whom is said by `introduce` alone.
      private: true,
      listenPort: LISTEN_PORT,
      maxConnections: 80,
      upload: limit(uploadBytesPerSecond),
      download: limit(downloadBytesPerSecond),
      superSeed: uploadBytesPerSecond < Infinity,
      ...(this.#memory === null ? {} : {
        allocate: this.#memory.allocate,
        sendBuffer: this.#memory.lend,
      }),
      ...options,
    }, this.nowMs);
    const host: Machine = {
      index,
      name: options.name ?? `host${index}`,
      peerId: options.peerId ?? peerId,
      swarm,
      corrupt: options.corrupt ?? false,
      events: [],
      completedAtMs: Infinity,
      alive: true,
      ends: new Map(),
      alarmAtMs: Infinity,
    };
    this.hosts.push(host);
    this.#feed(host, { kind: "start" });
    return host;
  }

  /** Numbers by lot for host `index` or, above all hosts, for whoever sets up the world. */
  rngOf(index: number): Rng {
    return seededRng(this.#options.seed * 1000 + index);
  }

  /** Tells `host` of others, as a tracker does. */
  introduce(host: Host, others: readonly Host[]): void {
    this.#feed(host as Machine, {
      kind: "peers-found",
      source: "tracker",
      peers: others.map(({ index }) => endpointOf(index, LISTEN_PORT)),
    });
  }

  /** Adds a connection whose other end is the test; returns how to send and what was sent. */
  intrude(
    host: Host,
  ): { send(bytes: Uint8Array): void; readonly link: number } {
    this.#lastAccepted -= 1;
    const link = this.#lastAccepted;
    this.#feed(host as Machine, {
      kind: "accepted",
      link,
      remote: { host: "10.0.0.66", port: 1000 - link },
    });
    return {
      link,
      send: (bytes) =>
        this.#feed(host as Machine, { kind: "received", link, bytes }),
    };
  }

  /** Takes a host off the network. */
  remove(host: Host): void {
    this.#feed(host as Machine, { kind: "stop" });
    host.alive = false;
  }

  /** Runs until `done`, which is asked after every input, or until `untilMs`. */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      if (!(this.#queue.nextAtMs <= untilMs)) {
        this.nowMs = untilMs;
        return;
      }
      this.nowMs = this.#queue.nextAtMs;
      this.#happen(this.#queue.pop()!);
    }
  }

  #happen(entry: Entry): void {
    const { host, input, link } = entry;
    if (input?.kind === "timeout") {
      if (host.alarmAtMs !== this.nowMs) return; // Another one was set earlier.
      host.alarmAtMs = Infinity;
    }
    if (!host.alive) return;
    this.#feed(
      host,
      input ?? { kind: "received", link, bytes: this.#memory!.open(entry) },
    );
  }

  /** Gives a host an input, and those that follow from it at once. */
  #feed(host: Machine, input: SwarmInput): void {
    let answers = this.#give(host, input);
    while (answers.length > 0) {
      const inputs = answers;
      answers = NO_INPUTS;
      for (const next of inputs) {
        const more = this.#give(host, next);
        if (more.length === 0) continue;
        answers = answers.length === 0 ? more : [...answers, ...more];
      }
    }
    const deadlineMs = Math.max(this.nowMs, host.swarm.deadlineMs);
    if (deadlineMs < host.alarmAtMs) {
      host.alarmAtMs = deadlineMs;
      this.#at(deadlineMs, host, { kind: "timeout" });
    }
  }

  /** Gives a host one input; returns what it hears at once of what it does. */
  #give(host: Machine, input: SwarmInput): SwarmInput[] {
    this.inputs += 1;
    let answers = NO_INPUTS;
    for (const output of host.swarm.handle(input, this.nowMs)) {
      const answer = this.#perform(host, output);
      if (answer === null) continue;
      // Mostly it is one.
      if (answers.length === 0) answers = [answer];
      else answers.push(answer);
    }
    this.#memory?.takeBack();
    return answers;
  }

  /** Carries out an output; returns what the host hears of it at once, if anything. */
  #perform(host: Machine, output: SwarmOutput): SwarmInput | null {
    switch (output.kind) {
      case "event":
        if (this.#options.onEvent !== undefined) {
          this.#options.onEvent(host, output.event);
        } else host.events.push({ atMs: this.nowMs, event: output.event });
        return null;
      case "completed":
        host.completedAtMs = this.nowMs;
        this.#options.onCompleted?.(host);
        return null;
      case "connect":
        this.#connect(host, output.link, hostIndex(output.to.host));
        return null;
      case "send":
        return this.#send(host, output.link, output.bytes);
      case "close":
        this.#close(host, output.link);
        return null;
      case "verify": {
        const { pieceIndex, bytes } = output;
        const valid = this.#memory !== null ||
          bytes.every((byte) => byte === pieceIndex % 251);
        return { ...output, kind: "verified", valid };
      }
      case "store":
        this.#at(this.nowMs + DISK_MS, host, { ...output, kind: "stored" });
        return null;
      case "read":
        this.#read(host, output.pieceIndex, output.buffer);
        return null;
      default:
        return null; // For drivers with more than a swarm: a DHT.
    }
  }

  #read(host: Machine, pieceIndex: number, buffer: Uint8Array): void {
    const bytes = buffer.subarray(0, pieceLengthOf(this.#layout, pieceIndex));
    if (this.#memory === null) {
      bytes.fill(host.corrupt ? 255 : pieceIndex % 251);
    }
    this.#at(this.nowMs + DISK_MS, host, {
      kind: "piece-read",
      pieceIndex,
      bytes,
    });
  }

  #connect(host: Machine, link: number, to: number): void {
    const other = this.hosts[to] as Machine | undefined;
    if (other === undefined || !other.alive) {
      this.#at(this.nowMs + this.#delayMs, host, {
        kind: "closed",
        link,
        reason: "gone",
      });
      return;
    }
    this.#lastAccepted -= 1;
    const far = this.#lastAccepted;
    host.ends.set(link, { host: other, link: far, begun: false });
    other.ends.set(far, { host, link, begun: false });
    this.#at(this.nowMs + this.#delayMs, other, {
      kind: "accepted",
      link: far,
      remote: endpointOf(host.index, 50_000),
    });
    this.#at(this.nowMs + 2 * this.#delayMs, host, { kind: "connected", link });
  }

  #send(host: Machine, link: number, bytes: Uint8Array): SwarmInput | null {
    const sentMs = bytes.length / this.#linkBytesPerMs;
    const far = host.ends.get(link);
    if (far !== undefined) {
      const atMs = this.nowMs + sentMs + this.#delayMs;
      if (this.#memory === null) {
        this.#at(atMs, far.host, {
          kind: "received",
          link: far.link,
          bytes: bytes.slice(),
        });
      } else {
        const { host: to, link } = far;
        const parcel = { host: to, input: null, link, head: bytes, zeros: 0 };
        // Most sends are messages only.
        if (!this.#memory.lends) this.#queue.push(atMs, parcel);
        else {
          for (const part of parcelsOf(bytes, far.begun, HANDSHAKE_BYTES)) {
            this.#queue.push(atMs, { ...parcel, ...part });
          }
        }
        far.begun = true;
      }
    }
    if (sentMs === 0) return { kind: "sent", link };
    this.#at(this.nowMs + sentMs, host, { kind: "sent", link });
    return null;
  }

  #close(host: Machine, link: number): void {
    const far = host.ends.get(link);
    if (far === undefined) return;
    host.ends.delete(link);
    far.host.ends.delete(far.link);
    this.#at(this.nowMs + this.#delayMs + 2, far.host, {
      kind: "closed",
      link: far.link,
      reason: "closed by the other side",
    });
  }

  #at(atMs: number, host: Machine, input: SwarmInput): void {
    const entry = { host, input, link: 0, head: NO_BYTES, zeros: 0 };
    this.#queue.push(atMs, entry);
  }
}

/** Ids as programs of our kind have them; no two alike. */
function peerIdOf(index: number): Uint8Array {
  return utf8(`-RC0000-${String(index).padStart(12, "0")}`);
}
