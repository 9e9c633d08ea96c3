import type { ContactSource, PeerEndpoint } from "./swarm_types.ts";

/** Addresses of trackers that are remembered; a hostile tracker must not fill the memory. */
const MAX_CONTACTS = 2000;
/** Connections being made at once. */
const MAX_CONNECTING = 16;
/** A tracker's address that failed so often is forgotten until a tracker names it again. */
const MAX_FAILURES = 5;

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
 * and after 15, 30, 60, 120 s if a tracker did; the address of a tracker is then dropped.
 */
export class Contacts {
  readonly #contacts = new Map<string, Contact>();
  readonly #byLink = new Map<number, Contact>();

  /** Adds addresses. One that is known keeps its state. */
  add(
    endpoints: readonly PeerEndpoint[],
    source: ContactSource,
    nowMs: number,
  ): void {
    for (const endpoint of endpoints) {
      const key = keyOf(endpoint);
      if (this.#contacts.size >= MAX_CONTACTS || this.#contacts.has(key)) {
        continue;
      }
      this.#contacts.set(key, {
        endpoint,
        source,
        failures: 0,
        nextAtMs: nowMs,
        link: null,
      });
    }
  }

  /** Chooses up to `room` peers to connect to now, in the order they were added; `newLink` numbers them. */
  due(
    nowMs: number,
    room: number,
    newLink: () => number,
  ): { readonly link: number; readonly to: PeerEndpoint }[] {
    const due: { link: number; to: PeerEndpoint }[] = [];
    for (const contact of this.#contacts.values()) {
      if (due.length >= Math.min(room, MAX_CONNECTING)) break;
      if (contact.link !== null || contact.nextAtMs > nowMs) continue;
      contact.link = newLink();
      this.#byLink.set(contact.link, contact);
      due.push({ link: contact.link, to: contact.endpoint });
    }
    return due;
  }

  /** The handshake succeeded. */
  succeeded(link: number): void {
    const contact = this.#byLink.get(link);
    if (contact !== undefined) contact.failures = 0;
  }

  /** A connection is over. `again`: how soon it is worth another try. */
  closed(link: number, again: "soon" | "later" | "never", nowMs: number): void {
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
    contact.failures += 1;
    if (contact.source === "tracker" && contact.failures >= MAX_FAILURES) {
      this.#contacts.delete(keyOf(contact.endpoint));
    }
  }
}

function keyOf({ host, port }: PeerEndpoint): string {
  return `${host} ${port}`;
}
