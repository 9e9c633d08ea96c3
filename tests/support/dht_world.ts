import { toHex } from "../../lib/core/bytes.ts";
import { type Rng, seededRng } from "../../lib/core/rng.ts";
import { DhtNode } from "../../lib/bittorrent/dht/node.ts";
import type { DhtInput, DhtOutput } from "../../lib/bittorrent/dht/state.ts";
import type { PeerEndpoint } from "../../lib/bittorrent/peer_endpoint.ts";
import type { DhtEvent } from "../../lib/events/dht.ts";
import { sha1 } from "../../lib/io/hash.ts";

/** A node of a {@linkcode DhtWorld}. */
export interface DhtHost extends PeerEndpoint {
  readonly node: DhtNode;
  readonly id: Uint8Array;
  readonly events: { readonly atMs: number; readonly event: DhtEvent }[];
  /** Places of peers that were found, by info-hash in hex. */
  readonly found: Map<string, Set<string>>;
  sentBytes: number;
  sentDatagrams: number;
  alive: boolean;
}

/** What answers at a place in a way of its own: a liar. */
export type Stranger = (bytes: Uint8Array, from: PeerEndpoint) => {
  readonly bytes: Uint8Array;
  readonly to: PeerEndpoint;
}[];

interface Flight {
  readonly atMs: number;
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly from: PeerEndpoint;
  readonly to: string;
}

/** DHTs of many nodes in virtual time: same seed, same run. Datagrams take `delayMs` give or take a half, and some are lost. */
export class DhtWorld {
  readonly hosts: DhtHost[] = [];
  nowMs = 0;
  readonly #byPlace = new Map<string, DhtHost>();
  readonly #strangers = new Map<string, Stranger>();
  readonly #rng: Rng;
  readonly #delayMs: number;
  readonly #loss: number;
  /** Sorted by time, soonest last. */
  readonly #flights: Flight[] = [];
  #seq = 0;

  constructor(
    options: {
      readonly seed: number;
      readonly loss?: number;
      readonly delayMs?: number;
    },
  ) {
    this.#rng = seededRng(options.seed);
    this.#delayMs = options.delayMs ?? 20;
    this.#loss = options.loss ?? 0;
  }

  /** Adds a node that begins with `named`. */
  add(named: readonly PeerEndpoint[] = []): DhtHost {
    const index = this.hosts.length;
    const rng = seededRng(Math.floor(this.#rng() * 2 ** 32));
    const id = Uint8Array.from({ length: 20 }, () => Math.floor(rng() * 256));
    const host: DhtHost = {
      node: new DhtNode({
        ...{ id, rng, family: "ipv4", hash: sha1 },
        secret: Uint8Array.from({ length: 16 }, () => Math.floor(rng() * 256)),
      }, this.nowMs),
      id,
      host: `10.1.${index >> 8}.${index & 255}`,
      port: 6881,
      events: [],
      found: new Map(),
      sentBytes: 0,
      sentDatagrams: 0,
      alive: true,
    };
    this.hosts.push(host);
    this.#byPlace.set(placeOf(host), host);
    if (named.length > 0) {
      this.feed(host, { kind: "nodes-named", nodes: named });
    }
    return host;
  }

  /** Puts something else at a place. */
  addStranger(at: PeerEndpoint, stranger: Stranger): void {
    this.#strangers.set(placeOf(at), stranger);
  }

  /** Hands a node an input. */
  feed(host: DhtHost, input: DhtInput): void {
    if (!host.alive) return;
    for (const output of host.node.handle(input, this.nowMs)) {
      this.#perform(host, output);
    }
  }

  /** Shares a torrent at `host`. */
  share(host: DhtHost, infoHash: Uint8Array): void {
    const { port } = host;
    this.feed(host, { kind: "share", share: { infoHash, port } });
  }

  /** Runs until `done`, or until `untilMs`. */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      const flight = this.#flights.at(-1);
      let due: DhtHost | undefined;
      let dueAtMs = Infinity;
      for (const host of this.hosts) {
        if (!host.alive || host.node.deadlineMs >= dueAtMs) continue;
        due = host;
        dueAtMs = host.node.deadlineMs;
      }
      const nextMs = Math.min(flight?.atMs ?? Infinity, dueAtMs);
      if (nextMs > untilMs) {
        this.nowMs = untilMs;
        return;
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (due !== undefined && dueAtMs <= (flight?.atMs ?? Infinity)) {
        this.feed(due, { kind: "timeout" });
      } else this.#arrive(this.#flights.pop()!);
    }
  }

  #perform(host: DhtHost, output: DhtOutput): void {
    switch (output.kind) {
      case "event":
        host.events.push({ atMs: this.nowMs, event: output.event });
        return;
      case "peers-found": {
        const key = toHex(output.infoHash);
        const found = host.found.get(key) ?? new Set<string>();
        for (const peer of output.peers) found.add(placeOf(peer));
        host.found.set(key, found);
        return;
      }
      case "send":
        host.sentBytes += output.bytes.length;
        host.sentDatagrams += 1;
        this.send(output.bytes, host, output.to);
    }
  }

  /** Puts a datagram on its way. */
  send(bytes: Uint8Array, from: PeerEndpoint, to: PeerEndpoint): void {
    if (this.#rng() < this.#loss) return;
    const flight: Flight = {
      atMs: this.nowMs + this.#delayMs * (0.5 + this.#rng()),
      seq: ++this.#seq,
      bytes,
      from: { host: from.host, port: from.port },
      to: placeOf(to),
    };
    let low = 0;
    let high = this.#flights.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#flights[middle]!.atMs > flight.atMs) low = middle + 1;
      else high = middle;
    }
    this.#flights.splice(low, 0, flight);
  }

  #arrive({ bytes, from, to }: Flight): void {
    const host = this.#byPlace.get(to);
    if (host !== undefined) {
      return this.feed(host, { kind: "datagram", bytes, from });
    }
    const [address, port] = to.split(" ");
    const here = { host: address!, port: Number(port) };
    for (const answer of this.#strangers.get(to)?.(bytes, from) ?? []) {
      this.send(answer.bytes, here, answer.to);
    }
  }
}

function placeOf({ host, port }: PeerEndpoint): string {
  return `${host} ${port}`;
}
