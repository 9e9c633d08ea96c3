/** Voters that are kept; a swarm has fewer peers at a time. */
const MAX_VOTERS = 200;

/** Our own address as other peers see it (`yourip` of BEP 10): what most hosts say, as one may lie. */
export class ExternalAddress {
  readonly #votes = new Map<string, string>();
  /** What the votes come to, until there is another: IPv4, IPv6. */
  #best: [string | null, string | null] | null = null;

  /** A host says where it sees us. Each host has one vote, its last. */
  named(address: string, byHost: string): void {
    this.#votes.delete(byHost);
    this.#votes.set(byHost, address);
    this.#best = null;
    if (this.#votes.size <= MAX_VOTERS) return;
    for (const oldest of this.#votes.keys()) {
      this.#votes.delete(oldest);
      return;
    }
  }

  /** The address most hosts name, of equals the first; null before anyone did. Only one of the family of `like`. */
  bestLike(like: string): string | null {
    this.#best ??= [this.#count(false), this.#count(true)];
    return this.#best[like.includes(":") ? 1 : 0];
  }

  #count(isV6: boolean): string | null {
    const counts = new Map<string, number>();
    let best: string | null = null;
    for (const address of this.#votes.values()) {
      if (address.includes(":") !== isV6) continue;
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (best === null || count > counts.get(best)!) best = address;
    }
    return best;
  }
}
