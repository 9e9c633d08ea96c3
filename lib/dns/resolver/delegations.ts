import { RecentMap } from "../../core/recent_map.ts";
import { type Name, parentName } from "../name.ts";
import { nameKey } from "./cache.ts";
import type { Delegation } from "./reply.ts";

/** As for other records, nothing is believed for longer. */
const MAX_TTL_SECONDS = 86_400;
const MAX_DELEGATIONS = 10_000;

/**
 * Who answers for which zone, as the zones above said it. Kept apart from the answers: what a delegation says of a
 * server's address leads a resolver there and is told to no client (RFC 2181 §5.4.1).
 */
export class DelegationTable {
  readonly #known = new RecentMap<
    string,
    { readonly delegation: Delegation; readonly expiresAtMs: number }
  >(MAX_DELEGATIONS);
  readonly #root: Delegation;

  /** Creates a table that knows where the root is, for ever. */
  constructor(root: Delegation) {
    this.#root = root;
  }

  /** Returns the delegation closest to a name from above, or of it. */
  closest(name: Name, nowMs: number): Delegation {
    for (let at: Uint8Array = name; (at[0] ?? 0) !== 0; at = parentName(at)) {
      const key = nameKey(at);
      const known = this.#known.get(key);
      if (known === undefined) continue;
      if (nowMs < known.expiresAtMs) return known.delegation;
      this.#known.delete(key);
    }
    return this.#root;
  }

  /** Remembers one for its TTL. */
  put(delegation: Delegation, nowMs: number): void {
    const ttlSeconds = Math.min(MAX_TTL_SECONDS, delegation.ttlSeconds);
    this.#known.set(nameKey(delegation.zone), {
      delegation,
      expiresAtMs: nowMs + 1000 * ttlSeconds,
    });
  }

  /** Forgets one. */
  delete(zone: Name): void {
    this.#known.delete(nameKey(zone));
  }
}
