import type { FieldSource } from "../fields.ts";
import { ByteStore } from "./byte_store.ts";
import type { CacheRequest } from "./stored_response.ts";
import {
  favouriteLanguage,
  languageVariant,
  variantKey,
  varyNames,
} from "./vary.ts";

/** Different `Vary` values kept for one resource; origins have one, rarely two. */
const MAX_VARY_LISTS = 4;

/** What a shelf holds: a response, or where to find it. */
export interface Shelved {
  /** The resource. */
  readonly key: string;
  /** What tells it from other variants of the same resource. */
  readonly variant: string;
  /** The variant of a request for its language alone, where that is what varies. */
  readonly languageVariant: string | undefined;
  /** The response's. */
  readonly fields: FieldSource;
  /** When its head arrived, on the monotonic clock and on the wall clock. */
  readonly responseAtMs: number;
  readonly responseWallMs: number;
  /** Refreshed forms of one response share it. */
  readonly body: object;
}

interface Resource<T> {
  /** `Vary` lists of what is stored, newest first. */
  varyLists: (readonly string[])[];
  readonly variants: Map<string, T>;
  /** From the variant of a language alone to the variant that is in it. */
  readonly languages: Map<string, string>;
}

/** What a cache holds, by resource and variant, within a budget of bytes. */
export class Shelf<T extends Shelved> {
  readonly #resources = new Map<string, Resource<T>>();
  readonly #store: ByteStore<T>;
  readonly #costOf: (entry: T) => number;
  readonly #isUsable: (entry: T) => boolean;
  readonly #isPinned: (entry: T) => boolean;
  readonly #gone: (entry: T) => void;

  /**
   * Creates an empty shelf; `isPinned` says which entries may not leave for want of room, `gone` hears of every entry that
   * left, or that one with another body replaced.
   */
  constructor(options: {
    readonly capacityBytes: number;
    readonly costOf: (entry: T) => number;
    readonly isUsable?: (entry: T) => boolean;
    readonly isPinned?: (entry: T) => boolean;
    readonly gone?: (entry: T) => void;
  }) {
    this.#costOf = options.costOf;
    this.#isUsable = options.isUsable ?? (() => true);
    this.#isPinned = options.isPinned ?? (() => false);
    this.#gone = options.gone ?? (() => {});
    this.#store = new ByteStore({
      budgetBytes: options.capacityBytes,
      evicted: (_, entry) => this.#forget(entry),
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

  /** The entry for a request like this one (RFC 9111 §4.1), the newest where several fit. Counts as a use. */
  find(request: CacheRequest): T | undefined {
    const resource = this.#resources.get(request.key);
    const entry = resource && this.#newest(resource, request);
    return entry && this.#store.get(storeKey(entry));
  }

  /** The same, if it is newer than `other`, which another shelf has for this request; else it is no use. */
  findNewer(request: CacheRequest, other: Shelved): T | undefined {
    const resource = this.#resources.get(request.key);
    // All but always that very response, or nothing.
    const hasOthers = resource !== undefined &&
      resource.variants.size > Number(resource.variants.has(other.variant));
    const entry = hasOthers ? this.#newest(resource, request) : undefined;
    return entry !== undefined && isNewer(entry, other)
      ? this.#store.get(storeKey(entry))
      : undefined;
  }

  #newest(resource: Resource<T>, request: CacheRequest): T | undefined {
    let newest: T | undefined;
    for (const names of resource.varyLists) {
      const entry = variantOf(resource, names, request.fields);
      if (entry === undefined || !this.#isUsable(entry)) continue;
      if (newest === undefined || isNewer(entry, newest)) newest = entry;
    }
    return newest;
  }

  /** Names the variant a request asks for, as far as it is known by what the resource varies. */
  variantOf(request: CacheRequest): string {
    const names = this.#resources.get(request.key)?.varyLists[0] ?? [];
    return variantKey(names, request.fields);
  }

  /** Keeps an entry in place of the same variant's older one, making room. Returns whether it is held. */
  keep(entry: T): boolean {
    const resource = this.#resources.get(entry.key) ??
      { varyLists: [], variants: new Map(), languages: new Map() };
    const names = varyNames(entry.fields.get("vary")) ?? [];
    const same = (other: readonly string[]) => other.join() === names.join();
    resource.varyLists = [
      names,
      ...resource.varyLists.filter((other) => !same(other)),
    ].slice(0, MAX_VARY_LISTS);
    const before = resource.variants.get(entry.variant);
    if (before !== undefined && before.body !== entry.body) this.#gone(before);
    resource.variants.set(entry.variant, entry);
    if (entry.languageVariant !== undefined) {
      resource.languages.set(entry.languageVariant, entry.variant);
    }
    // Before making room, which may empty and remove this very resource.
    this.#resources.set(entry.key, resource);
    return this.#place(entry);
  }

  /** Whether `entry`, or a refreshed form of it, is what lookups find. */
  holds(entry: T): boolean {
    return this.#resources.get(entry.key)?.variants.get(entry.variant)
      ?.body === entry.body;
  }

  /** Counts `entry` with the size it has now, and pins it or not as it wants to be now. Returns whether it is held. */
  update({ key, variant, body }: T): boolean {
    const held = this.#resources.get(key)?.variants.get(variant);
    return held?.body === body && this.#place(held);
  }

  /** Removes an entry, if it is still held. */
  remove(entry: T): void {
    if (!this.holds(entry)) return;
    this.#store.delete(storeKey(entry));
    this.#forget(entry);
  }

  /** Removes what is held in the place `entry` would take. */
  removeVariant({ key, variant }: Pick<T, "key" | "variant">): void {
    const held = this.#resources.get(key)?.variants.get(variant);
    if (held !== undefined) this.remove(held);
  }

  /** Removes all variants of a resource. Adds to `removed` what there were. */
  removeAll(key: string, removed: Set<string>): void {
    for (
      const entry of [...this.#resources.get(key)?.variants.values() ?? []]
    ) {
      this.remove(entry);
      removed.add(storeKey(entry));
    }
  }

  /** Removes what `matches`. Adds to `removed` what that was. */
  removeWhere(matches: (entry: T) => boolean, removed: Set<string>): void {
    for (const { variants } of [...this.#resources.values()]) {
      for (const entry of [...variants.values()]) {
        if (!matches(entry)) continue;
        this.remove(entry);
        removed.add(storeKey(entry));
      }
    }
  }

  #place(entry: T): boolean {
    const isHeld = this.#store.set(storeKey(entry), entry, {
      sizeBytes: this.#costOf(entry),
      isPinned: this.#isPinned(entry),
    });
    if (!isHeld) this.#forget(entry);
    return isHeld;
  }

  #forget(entry: T): void {
    const resource = this.#resources.get(entry.key);
    if (resource === undefined || !this.holds(entry)) return;
    resource.variants.delete(entry.variant);
    const { languageVariant: language } = entry;
    if (
      language !== undefined &&
      resource.languages.get(language) === entry.variant
    ) resource.languages.delete(language);
    if (resource.variants.size === 0) this.#resources.delete(entry.key);
    this.#gone(entry);
  }
}

/** Whether `one` arrived after `other`. Two that were on the disk have the same age if the wall clock was set back: it tells them apart. */
function isNewer(
  one: Pick<Shelved, "responseAtMs" | "responseWallMs">,
  other: Pick<Shelved, "responseAtMs" | "responseWallMs">,
): boolean {
  const laterMs = one.responseAtMs - other.responseAtMs ||
    one.responseWallMs - other.responseWallMs;
  return laterMs > 0;
}

/** Of several that fit a request the most recent answers (RFC 9111 §4); of two as old, the first. */
export function newerOf<
  T extends Pick<Shelved, "responseAtMs" | "responseWallMs">,
>(
  one: T | undefined,
  other: T | undefined,
): T | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return isNewer(other, one) ? other : one;
}

/** The variant a request selects; else the one in the language it likes best. */
function variantOf<T>(
  resource: Resource<T>,
  names: readonly string[],
  request: FieldSource,
): T | undefined {
  const exact = resource.variants.get(variantKey(names, request));
  if (exact !== undefined || resource.languages.size === 0) return exact;
  const language = favouriteLanguage(request.get("accept-language"));
  const wanted = languageVariant(names, request, language);
  const variant = wanted === undefined
    ? undefined
    : resource.languages.get(wanted);
  return variant === undefined ? undefined : resource.variants.get(variant);
}

/** No key has a line end in it. */
function storeKey({ key, variant }: Shelved): string {
  return variant === "" ? key : `${key}\n${variant}`;
}
