import { ByteStore } from "./byte_store.ts";
import {
  type CacheRequest,
  costOf,
  type StoredResponse,
} from "./stored_response.ts";
import { variantKey, varyNames } from "./vary.ts";

/** Different `Vary` values kept for one resource; origins have one, rarely two. */
const MAX_VARY_LISTS = 4;

interface Resource {
  /** `Vary` lists of what is stored, newest first. */
  varyLists: (readonly string[])[];
  readonly variants: Map<string, StoredResponse>;
}

/** What a cache holds, by resource and variant, within a budget of bytes. */
export class Shelf {
  readonly #resources = new Map<string, Resource>();
  readonly #store: ByteStore<StoredResponse>;

  /** Creates an empty shelf. */
  constructor(options: { readonly capacityBytes: number }) {
    this.#store = new ByteStore({
      budgetBytes: options.capacityBytes,
      evicted: (_, stored) => this.#forget(stored),
    });
  }

  /** How full it is. */
  stats(): { objects: number; usedBytes: number; evictions: number } {
    const { count, usedBytes, evictions } = this.#store;
    return { objects: count, usedBytes, evictions };
  }

  /** Whether any variant of a resource is held. */
  has(key: string): boolean {
    return this.#resources.has(key);
  }

  /** The response stored for a request like this one (RFC 9111 §4.1), the newest where several fit. Counts as a use. */
  find(request: CacheRequest): StoredResponse | undefined {
    const resource = this.#resources.get(request.key);
    for (const names of resource?.varyLists ?? []) {
      const stored = resource!.variants.get(variantKey(names, request.fields));
      if (stored !== undefined && stored.body.state !== "failed") {
        return this.#store.get(storeKey(stored));
      }
    }
    return undefined;
  }

  /** Names the variant a request asks for, as far as it is known by what the resource varies. */
  variantOf(request: CacheRequest): string {
    const names = this.#resources.get(request.key)?.varyLists[0] ?? [];
    return variantKey(names, request.fields);
  }

  /** Keeps a response in place of the same variant's older one, making room. */
  keep(stored: StoredResponse): void {
    const resource = this.#resources.get(stored.key) ??
      { varyLists: [], variants: new Map() };
    const names = varyNames(stored.fields.get("vary")) ?? [];
    const same = (other: readonly string[]) => other.join() === names.join();
    resource.varyLists = [
      names,
      ...resource.varyLists.filter((other) => !same(other)),
    ].slice(0, MAX_VARY_LISTS);
    if (!this.#store.set(storeKey(stored), stored, costOf(stored))) {
      this.#forget(stored);
      return;
    }
    // Only now: making room may have emptied and removed this very resource.
    this.#resources.set(stored.key, resource);
    resource.variants.set(stored.variant, stored);
  }

  /** Whether `stored`, or a refreshed form of it, is what lookups find. */
  holds(stored: StoredResponse): boolean {
    return this.#resources.get(stored.key)?.variants.get(stored.variant)
      ?.body === stored.body;
  }

  /** Counts `stored` with the size it has now. */
  resize(stored: StoredResponse): void {
    if (this.holds(stored)) {
      this.#store.resize(storeKey(stored), costOf(stored));
    }
  }

  /** Removes a response, if it is still held. */
  remove(stored: StoredResponse): void {
    if (!this.holds(stored)) return;
    this.#store.delete(storeKey(stored));
    this.#forget(stored);
  }

  /** Removes all variants of a resource. Returns how many there were. */
  removeAll(key: string): number {
    const all = [...this.#resources.get(key)?.variants.values() ?? []];
    for (const stored of all) this.remove(stored);
    return all.length;
  }

  /** Removes whatever `matches`. Returns how many there were. */
  removeWhere(matches: (stored: StoredResponse) => boolean): number {
    const all = [...this.#resources.values()]
      .flatMap(({ variants }) => [...variants.values()].filter(matches));
    for (const stored of all) this.remove(stored);
    return all.length;
  }

  #forget(stored: StoredResponse): void {
    const resource = this.#resources.get(stored.key);
    resource?.variants.delete(stored.variant);
    if (resource?.variants.size === 0) this.#resources.delete(stored.key);
  }
}

function storeKey(stored: StoredResponse): string {
  return `${stored.key}\n${stored.variant}`;
}
