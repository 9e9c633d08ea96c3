import { seededRng } from "../../lib/core/rng.ts";
import type { Layout } from "../../lib/bittorrent/layout.ts";
import { pieceLengthOf } from "../../lib/bittorrent/layout.ts";
import { Swarm } from "../../lib/bittorrent/swarm.ts";
import type {
  SwarmEvent,
  SwarmInput,
  SwarmOptions,
} from "../../lib/bittorrent/swarm_types.ts";
import { TokenBucket } from "../../lib/model/token_bucket.ts";

/** A torrent of one file; the bytes of a piece are its index, again and again. */
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
  readonly seed?: boolean;
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  /** Sends bytes of its own making in the place of pieces. */
  readonly corrupt?: boolean;
}

/** A simulated peer. */
export interface Host {
  readonly name: string;
  readonly swarm: Swarm;
  readonly corrupt: boolean;
  readonly events: { readonly atMs: number; readonly event: SwarmEvent }[];
  completedAtMs: number;
  alive: boolean;
}

interface Entry {
  readonly atMs: number;
  readonly seq: number;
  readonly host: Host;
  readonly input: SwarmInput;
}

/** Swarms of peers in virtual time: same seed, same run. Hosts are joined by links with a delay and a rate. */
export class SwarmWorld {
  readonly hosts: Host[] = [];
  nowMs = 0;
  readonly #layout: Layout;
  readonly #rngSeed: number;
  readonly #delayMs: number;
  readonly #heap: Entry[] = [];
  readonly #ends = new Map<string, { host: Host; link: number }>();
  readonly #alarms = new Map<Host, number>();
  #seq = 0;
  #lastAccepted = 0;

  constructor(
    layout: Layout,
    options: { readonly seed: number; readonly delayMs?: number },
  ) {
    this.#layout = layout;
    this.#rngSeed = options.seed;
    this.#delayMs = options.delayMs ?? 1;
  }

  add(options: HostOptions = {}): Host {
    const index = this.hosts.length;
    const peerId = new Uint8Array(20).fill(65 + index);
    const { uploadBytesPerSecond = Infinity } = options;
    const { downloadBytesPerSecond = Infinity } = options;
    const swarm = new Swarm({
      layout: this.#layout,
      infoHash: new Uint8Array(20).fill(7),
      peerId,
      have: options.seed
        ? Array.from({ length: this.#layout.pieceCount }, (_, at) => at)
        : [],
      rng: seededRng(this.#rngSeed * 1000 + index),
      picker: "rarest",
      unchokeSlots: 4,
      chokeIntervalMs: 10_000,
      optimisticIntervalMs: 30_000,
      freeRide: false,
      maxConnections: 80,
      upload: new TokenBucket({ bytesPerSecond: uploadBytesPerSecond }, 0),
      download: new TokenBucket({ bytesPerSecond: downloadBytesPerSecond }, 0),
      spreadBytesPerSecond: options.seed && uploadBytesPerSecond < Infinity
        ? uploadBytesPerSecond
        : 0,
      ...options,
    }, this.nowMs);
    const host: Host = {
      name: `host${index}`,
      swarm,
      corrupt: options.corrupt ?? false,
      events: [],
      completedAtMs: Infinity,
      alive: true,
    };
    this.hosts.push(host);
    this.#feed(host, { kind: "start" });
    return host;
  }

  /** Tells `host` of others, as a tracker does. */
  introduce(host: Host, others: readonly Host[]): void {
    this.#feed(host, {
      kind: "peers-found",
      source: "tracker",
      peers: others.map((other) => ({
        host: "10.0.0.1",
        port: this.hosts.indexOf(other) + 1,
      })),
    });
  }

  /** Adds a connection whose other end is the test; returns how to send and what was sent. */
  intrude(
    host: Host,
  ): { send(bytes: Uint8Array): void; readonly link: number } {
    this.#lastAccepted -= 1;
    const link = this.#lastAccepted;
    this.#feed(host, {
      kind: "accepted",
      link,
      remote: { host: "10.0.0.66", port: 1000 - link },
    });
    return {
      link,
      send: (bytes) => this.#feed(host, { kind: "received", link, bytes }),
    };
  }

  /** Takes a host off the network. */
  remove(host: Host): void {
    this.#feed(host, { kind: "stop" });
    host.alive = false;
  }

  /** Runs until `done`, or until `untilMs`. */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      const entry = this.#heap[0];
      if (entry === undefined || entry.atMs > untilMs) {
        this.nowMs = untilMs;
        return;
      }
      this.#pop();
      this.nowMs = entry.atMs;
      if (entry.input.kind === "timeout") {
        if (this.#alarms.get(entry.host) !== entry.atMs) continue;
        this.#alarms.delete(entry.host);
      }
      if (entry.host.alive) this.#feed(entry.host, entry.input);
    }
  }

  #feed(host: Host, input: SwarmInput): void {
    for (const output of host.swarm.handle(input, this.nowMs)) {
      switch (output.kind) {
        case "event":
          host.events.push({ atMs: this.nowMs, event: output.event });
          break;
        case "completed":
          host.completedAtMs = this.nowMs;
          break;
        case "connect":
          this.#connect(host, output.link, output.to.port);
          break;
        case "send":
          this.#send(host, output.link, output.bytes);
          break;
        case "close":
          this.#closeFar(host, output.link);
          break;
        case "verify": {
          const valid = output.bytes.every((byte) =>
            byte === output.pieceIndex % 251
          );
          this.#later(0, host, { ...output, kind: "verified", valid });
          break;
        }
        case "store":
          this.#later(1, host, { ...output, kind: "stored" });
          break;
        case "read": {
          const { pieceIndex, buffer } = output;
          const bytes = buffer.subarray(
            0,
            pieceLengthOf(this.#layout, pieceIndex),
          );
          bytes.fill(host.corrupt ? 255 : pieceIndex % 251);
          this.#later(1, host, { kind: "piece-read", pieceIndex, bytes });
        }
      }
    }
    const { deadlineMs } = host.swarm;
    if (deadlineMs < (this.#alarms.get(host) ?? Infinity)) {
      this.#alarms.set(host, Math.max(this.nowMs, deadlineMs));
      this.#push({
        atMs: Math.max(this.nowMs, deadlineMs),
        seq: ++this.#seq,
        host,
        input: { kind: "timeout" },
      });
    }
  }

  #connect(host: Host, link: number, port: number): void {
    const other = this.hosts[port - 1];
    if (other === undefined || !other.alive) {
      this.#later(this.#delayMs, host, {
        kind: "closed",
        link,
        reason: "gone",
      });
      return;
    }
    this.#lastAccepted -= 1;
    const far = this.#lastAccepted;
    this.#ends.set(`${host.name} ${link}`, { host: other, link: far });
    this.#ends.set(`${other.name} ${far}`, { host, link });
    this.#later(this.#delayMs, other, {
      kind: "accepted",
      link: far,
      remote: { host: "127.0.0.1", port: 50_000 + this.hosts.indexOf(host) },
    });
    this.#later(2 * this.#delayMs, host, { kind: "connected", link });
  }

  #send(host: Host, link: number, bytes: Uint8Array): void {
    // 1 Gbit/s: 0.13 ms for a block.
    const sentMs = bytes.length / 125_000;
    const far = this.#ends.get(`${host.name} ${link}`);
    if (far !== undefined) {
      this.#later(sentMs + this.#delayMs, far.host, {
        kind: "received",
        link: far.link,
        bytes: bytes.slice(),
      });
    }
    this.#later(sentMs, host, { kind: "sent", link });
  }

  #closeFar(host: Host, link: number): void {
    const far = this.#ends.get(`${host.name} ${link}`);
    if (far === undefined) return;
    this.#later(this.#delayMs + 2, far.host, {
      kind: "closed",
      link: far.link,
      reason: "closed by the other side",
    });
  }

  #later(inMs: number, host: Host, input: SwarmInput): void {
    this.#push({ atMs: this.nowMs + inMs, seq: ++this.#seq, host, input });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && before(heap[child]!, heap[least]!)) {
          least = child;
        }
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
}
