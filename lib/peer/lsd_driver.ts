import { familyOf } from "../core/address.ts";
import { toHex } from "../core/bytes.ts";
import { messageOf, RunError } from "../core/errors.ts";
import {
  LocalDiscovery,
  LSD_GROUPS,
  type LsdInput,
  type LsdOutput,
} from "../bittorrent/lsd.ts";
import type { PeerEndpoint } from "../bittorrent/peer_endpoint.ts";
import { secretBytes } from "../io/hash.ts";
import type { Address, MulticastSocket } from "../io/net.ts";
import type { RoleContext } from "../role.ts";
import { MachinePump } from "./machine_pump.ts";

/** What {@linkcode LsdDriver} needs to know. */
export interface LsdDriverOptions {
  readonly ctx: RoleContext;
  /** What the torrent is known by: a hybrid has two names. */
  readonly infoHashes: readonly Uint8Array[];
  /** Where the peer listens. */
  readonly at: Address;
  readonly found: (peers: readonly PeerEndpoint[]) => void;
}

/** Searches the LAN for peers of one torrent, over IPv4 and IPv6 (BEP 14). */
export class LsdDriver {
  readonly #options: LsdDriverOptions;
  readonly #machines: LocalDiscovery[] = [];
  readonly #stop = new AbortController();
  readonly #cookie = toHex(secretBytes(8));
  #running: Promise<unknown> = Promise.resolve();

  /** Creates a driver that does nothing yet. */
  constructor(options: LsdDriverOptions) {
    this.#options = options;
  }

  /** Whether any peer was heard on the LAN. */
  get everHeard(): boolean {
    return this.#machines.some(({ everHeard }) => everHeard);
  }

  /** Announces and listens until {@linkcode LsdDriver.stop}. */
  start(): void {
    this.#running = this.#run();
  }

  /** Leaves the groups. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { ctx, at: { host } } = this.#options;
    const groups = (["ipv4", "ipv6"] as const).filter((group) =>
      host === "" || host === "::" ||
      familyOf(host) === group
    );
    const results = await Promise.allSettled(
      groups.map((group) => this.#join(group)),
    );
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      if (!(result.reason instanceof RunError)) throw result.reason;
    }
    // One family is enough: many networks have no IPv6.
    const [first] = results;
    if (first?.status !== "rejected" || this.#machines.length > 0) return;
    ctx.emit({ type: "lsd.failed", message: messageOf(first.reason) });
  }

  async #join(group: keyof typeof LSD_GROUPS): Promise<void> {
    const { ctx, infoHashes, at } = this.#options;
    const { signal } = this.#stop;
    const host = at.host === "::" || at.host === "0.0.0.0" ? "" : at.host;
    await using socket = await ctx.net.joinMulticast(LSD_GROUPS[group], {
      host,
    });
    const machine = new LocalDiscovery({
      ...{ infoHashes, group, port: at.port, cookie: this.#cookie },
    });
    this.#machines.push(machine);
    const pump = new MachinePump<LsdInput, LsdOutput>(machine, {
      clock: ctx.clock,
      perform: (output) => this.#perform(output, socket),
    });
    pump.feed({ kind: "start" });
    const time = pump.keepTime(signal);
    for await (const { bytes, host, port } of socket.receive(signal)) {
      pump.feed({ kind: "datagram", bytes, from: { host, port } });
    }
    await time;
  }

  #perform(output: LsdOutput, socket: MulticastSocket): void {
    const { ctx, found } = this.#options;
    switch (output.kind) {
      case "event":
        return ctx.emit(output.event);
      case "peer-found":
        return found([output.peer]);
      case "send":
        socket.send(output.bytes).catch((error) =>
          ctx.emit({ type: "lsd.failed", message: messageOf(error) })
        );
    }
  }
}
