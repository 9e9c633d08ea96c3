import type { PeerEndpoint } from "../../peer_endpoint.ts";
import { reachOf } from "./address_reach.ts";

/** Who told us of a peer: those a user named are tried again and again, those of others are dropped after some failures. */
export type ContactSource = "tracker" | "user" | "pex" | "dht" | "lsd";

/** How soon a peer whose connection is over is worth another try. */
export type Again = "soon" | "later" | "never";

/** Addresses that are remembered; a hostile tracker or peer must not fill the memory. */
const MAX_CONTACTS = 2000;
/** Of those, addresses that other peers named (BEP 11); the rest is left to better sources. */
const MAX_EXCHANGED = 1000;
/** Ports of one host that other peers may name, so that they cannot turn a swarm on it; on this machine everybody is one host. */
const MAX_EXCHANGED_OF_HOST = 4;
/** An address that failed so often is forgotten until someone names it again. */
const MAX_FAILURES = { tracker: 5, pex: 2, dht: 3, lsd: 5, user: Infinity };

interface Contact {
  readonly endpoint: PeerEndpoint;
  readonly source: ContactSource;
  failures: number;
  /** Not before. */
  nextAtMs: number;
  link: number | null;
}

/**
 * The peers we could connect to, and when. A failed attempt is repeated after 2, 4, 8 … 30 s if a user named the peer,
 * and after 15, 30, 60, 120 s if a tracker or another peer did; such an address is then dropped.
 */
export class Contacts {
  readonly #contacts = new Map<string, Contact>();
  readonly #byLink = new Map<number, Contact>();
  /** Nobody is due before this. */
  #dueFromMs = Infinity;

  /** Adds addresses. One that is known keeps its state. */
  add(
    endpoints: readonly PeerEndpoint[],
    source: ContactSource,
    nowMs: number,
  ): void {
    if (endpoints.length > 0) {
      this.#dueFromMs = Math.min(this.#dueFromMs, nowMs);
    }
    for (const endpoint of endpoints) {
      const key = keyOf(endpoint);
      if (this.#contacts.size >= MAX_CONTACTS || this.#contacts.has(key)) {
        continue;
      }
      if (source === "pex" && !this.#mayExchange(endpoint)) continue;
      this.#contacts.set(key, {
        endpoint,
        source,
        failures: 0,
        nextAtMs: nowMs,
        link: null,
      });
    }
  }

  /** Forgets peers that others named and say are gone, unless we are connected. */
  lost(endpoints: readonly PeerEndpoint[]): void {
    for (const endpoint of endpoints) {
      const contact = this.#contacts.get(keyOf(endpoint));
      if (contact?.source === "pex" && contact.link === null) {
        this.#contacts.delete(keyOf(endpoint));
      }
    }
  }

  /** Forgets who was found by other ways than the tracker and the user: of a private torrent nobody else may be connected to (BEP 27). */
  keepPrivate(): void {
    for (const [key, { source }] of this.#contacts) {
      if (source !== "tracker" && source !== "user") this.#contacts.delete(key);
    }
  }

  /** Whether there may be anyone to connect to now; as a rule, that everyone is connected can be told without a look at each. */
  anyDue(nowMs: number): boolean {
    return nowMs >= this.#dueFromMs;
  }

  /** Chooses up to `room` peers to connect to now: if there are more, those that `rank` highest, of equals the first added. `newLink` numbers them. */
  due(
    { nowMs, room, newLink, rank, taken = () => [] }: {
      readonly nowMs: number;
      readonly room: number;
      readonly newLink: () => number;
      readonly rank: (endpoint: PeerEndpoint) => number;
      /** Peers we are connected to because they connected to us. */
      readonly taken?: () => readonly PeerEndpoint[];
    },
  ): { readonly link: number; readonly to: PeerEndpoint }[] {
    if (room <= 0) return [];
    let there: ReadonlySet<string> | null = null;
    let ready: Contact[] = [];
    this.#dueFromMs = Infinity;
    for (const [key, contact] of this.#contacts) {
      if (contact.link !== null) continue;
      if (contact.nextAtMs <= nowMs) {
        there ??= new Set(taken().map(keyOf));
        if (!there.has(key)) {
          ready.push(contact);
          continue;
        }
      }
      this.#dueFromMs = Math.min(this.#dueFromMs, contact.nextAtMs);
    }
    if (ready.length > room) {
      this.#dueFromMs = nowMs;
      ready = ready.map((contact) => ({ contact, at: rank(contact.endpoint) }))
        .sort((a, b) => b.at - a.at).slice(0, room)
        .map(({ contact }) => contact);
    }
    return ready.map((contact) => {
      const link = contact.link = newLink();
      this.#byLink.set(link, contact);
      return { link, to: contact.endpoint };
    });
  }

  #mayExchange({ host }: PeerEndpoint): boolean {
    let all = 0;
    let ofHost = 0;
    for (const { source, endpoint } of this.#contacts.values()) {
      if (source !== "pex") continue;
      all += 1;
      if (endpoint.host === host) ofHost += 1;
    }
    return all < MAX_EXCHANGED &&
      (ofHost < MAX_EXCHANGED_OF_HOST || reachOf(host) === "machine");
  }

  /** The handshake succeeded. */
  succeeded(link: number): void {
    const contact = this.#byLink.get(link);
    if (contact !== undefined) contact.failures = 0;
  }

  /** A connection is over. `again`: how soon it is worth another try. */
  closed(link: number, again: Again, nowMs: number): void {
    const contact = this.#byLink.get(link);
    if (contact === undefined) return;
    this.#byLink.delete(link);
    contact.link = null;
    if (again === "never") {
      contact.nextAtMs = Infinity;
      return;
    }
    if (again === "later") contact.nextAtMs = nowMs + 60_000;
    else {
      const firstMs = contact.source === "user" ? 2_000 : 15_000;
      const maxMs = contact.source === "user" ? 30_000 : 120_000;
      contact.nextAtMs = nowMs +
        Math.min(maxMs, firstMs * 2 ** Math.min(10, contact.failures));
    }
    this.#dueFromMs = Math.min(this.#dueFromMs, contact.nextAtMs);
    contact.failures += 1;
    if (contact.failures >= MAX_FAILURES[contact.source]) {
      this.#contacts.delete(keyOf(contact.endpoint));
    }
  }
}

function keyOf({ host, port }: PeerEndpoint): string {
  return `${host} ${port}`;
}
