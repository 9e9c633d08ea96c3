import { type Family, familyOf, formatHostPort } from "../core/address.ts";
import { concat, toHex, utf8 } from "../core/bytes.ts";
import { messageOf, RunError } from "../core/errors.ts";
import type { HostPort } from "../cli/flags.ts";
import { DhtNode } from "../bittorrent/dht/node.ts";
import type { DhtInput, DhtOutput } from "../bittorrent/dht/state.ts";
import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";
import { secretBytes, sha1 } from "../io/hash.ts";
import type { Address, UdpSocket } from "../io/net.ts";
import { pauseUntil } from "../io/pause.ts";
import type { RoleContext } from "../role.ts";
import { MachinePump } from "./machine_pump.ts";

/** How often a name that could not be resolved is tried again. */
const RESOLVE_RETRY_MS = 15_000;

/** Where and through whom a {@linkcode DhtDriver} works. */
export interface DhtDriverOptions {
  readonly ctx: RoleContext;
  /** Where the peer listens; the node takes the UDP port of the same number if it can. */
  readonly at: Address;
  /** Fails if that port is taken, rather than take another. */
  readonly samePort?: boolean;
  /** Nodes to join through. */
  readonly named: readonly HostPort[];
}

/** A UDP socket and the DHT nodes on it: one for each family of addresses (BEP 32). */
export class DhtDriver {
  readonly #ctx: RoleContext;
  readonly #socket: UdpSocket;
  readonly #named: readonly HostPort[];
  readonly #nodes = new Map<Family, {
    readonly node: DhtNode;
    readonly pump: MachinePump<DhtInput, DhtOutput>;
  }>();
  readonly #found = new Map<string, (peers: readonly PeerEndpoint[]) => void>();
  readonly #stop = new AbortController();
  readonly #tasks: Promise<void>[] = [];

  /** Binds the socket. @throws {RunError} If no port is to be had. */
  constructor({ ctx, at, named, samePort = false }: DhtDriverOptions) {
    this.#ctx = ctx;
    this.#named = named;
    this.#socket = listen(at, { ctx, samePort });
    const id = newNodeId(this.#socket, ctx);
    for (const family of familiesOf(this.#socket.host)) {
      const node = new DhtNode({
        ...{ id, family, rng: ctx.rng, hash: sha1 },
        secret: secretBytes(16),
      }, ctx.clock.nowMs());
      const pump = new MachinePump<DhtInput, DhtOutput>(node, {
        clock: ctx.clock,
        perform: (output) => this.#perform(output),
      });
      this.#nodes.set(family, { node, pump });
    }
  }

  /** The UDP port, for `port` messages (BEP 5). */
  get port(): number {
    return this.#socket.port;
  }

  /** Nodes in the routing tables that are not known to be gone. */
  get knownNodes(): number {
    let count = 0;
    for (const { node } of this.#nodes.values()) count += node.status.nodes;
    return count;
  }

  /** Receives, keeps time and joins, until {@linkcode DhtDriver.stop}. */
  start(): void {
    const { host, port } = this.#socket;
    this.#ctx.emit({ type: "role.listening", transport: "udp", host, port });
    this.#tasks.push(this.#receive());
    for (const { pump } of this.#nodes.values()) {
      this.#tasks.push(pump.keepTime(this.#stop.signal));
    }
    for (const named of this.#named) this.#tasks.push(this.#name(named));
  }

  /** Searches for the peers of a torrent, and announces that we share it at `port`. */
  share(
    infoHash: Uint8Array,
    options: {
      readonly port: number;
      readonly found: (peers: readonly PeerEndpoint[]) => void;
    },
  ): void {
    this.#found.set(toHex(infoHash), options.found);
    const share = { infoHash, port: options.port };
    this.#feedAll({ kind: "share", share });
  }

  /** Ends what `share` began. */
  unshare(infoHash: Uint8Array): void {
    this.#found.delete(toHex(infoHash));
    this.#feedAll({ kind: "unshare", infoHash });
  }

  /** A peer has a node there, it says. */
  hint(node: PeerEndpoint): void {
    this.#feed(node.host, { kind: "node-hinted", node });
  }

  /** Closes the socket; a node says no goodbye. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#tasks);
    await this.#socket[Symbol.asyncDispose]();
  }

  async #receive(): Promise<void> {
    for await (
      const { bytes, host, port } of this.#socket.receive(this.#stop.signal)
    ) this.#feed(host, { kind: "datagram", bytes, from: { host, port } });
  }

  #feed(host: string, input: DhtInput): void {
    if (this.#stop.signal.aborted) return;
    this.#nodes.get(familyOf(host))?.pump.feed(input);
  }

  #feedAll(input: DhtInput): void {
    for (const { pump } of this.#nodes.values()) pump.feed(input);
  }

  #perform(output: DhtOutput): void {
    switch (output.kind) {
      case "event":
        return this.#ctx.emit(output.event);
      case "peers-found":
        return this.#found.get(toHex(output.infoHash))?.(output.peers);
      case "send":
        // What does not leave is as good as lost on the way.
        this.#socket.send(output.bytes, output.to).catch(() => {});
    }
  }

  /** Looks a node's name up, again and again while there is no such name, and hands its addresses on. */
  async #name({ host, port }: HostPort): Promise<void> {
    const { net, clock } = this.#ctx;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const addresses = await net.resolve(host, { signal });
        for (const address of addresses) {
          const node = { host: address, port };
          this.#feed(address, { kind: "nodes-named", nodes: [node] });
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RunError)) throw error;
        this.#ctx.emit({
          type: "dht.failed",
          message: messageOf(error),
          retryMs: RESOLVE_RETRY_MS,
        });
      }
      const atMs = clock.nowMs() + RESOLVE_RETRY_MS;
      await pauseUntil(atMs, { clock, signal });
    }
  }
}

function listen(
  { host, port }: Address,
  { ctx, samePort }: { readonly ctx: RoleContext; readonly samePort: boolean },
): UdpSocket {
  try {
    return ctx.net.listenUdp({ host, port });
  } catch (error) {
    const busy = error instanceof RunError && error.code === "address-in-use";
    if (!busy || samePort) throw error;
    return ctx.net.listenUdp({ host, port: 0 });
  }
}

/** A socket on all addresses is of both families. */
function familiesOf(host: string): Family[] {
  return host === "::" ? ["ipv4", "ipv6"] : [familyOf(host)];
}

/** Draws a node id. Where we listen goes into it: two nodes that are given the same `--seed` must differ. */
function newNodeId(at: Address, { rng, name }: RoleContext): Uint8Array {
  const drawn = Uint8Array.from({ length: 20 }, () => rng() * 256);
  return sha1(concat(drawn, utf8(`${formatHostPort(at)} ${name}`)));
}
