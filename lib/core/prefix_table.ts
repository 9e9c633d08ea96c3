/**
 * Longest-prefix match, the way routers and geographic DNS do it.
 *
 * A binary trie per address family: one step down for each bit of the address, remembering the last node with a
 * value. Where the walk ends also tells how far around the address the same answer holds, which is the scope of
 * EDNS Client Subnet (RFC 7871 §7.2.1).
 */
import { type Cidr, formatCidr } from "./address.ts";

interface Node<T> {
  zero: Node<T> | undefined;
  one: Node<T> | undefined;
  entry: { readonly cidr: Cidr; readonly value: T } | undefined;
}

/** What {@linkcode PrefixTable.find} found. */
export interface PrefixMatch<T> {
  /** The longest network around the whole of what was asked for, and its value; undefined when none is. */
  readonly entry: { readonly cidr: Cidr; readonly value: T } | undefined;
  /** How many leading bits the answer depended on: all addresses that share them get the same one. More than the given `prefixLength` when a longer one could have found a longer network. */
  readonly scopeLength: number;
}

/** Networks with values, IPv4 and IPv6, searched by address. */
export class PrefixTable<T> {
  readonly #ipv4: Node<T> = node();
  readonly #ipv6: Node<T> = node();
  #size = 0;

  /** How many networks it holds. */
  get size(): number {
    return this.#size;
  }

  /** Adds a network. @throws {RangeError} If it is there already. */
  add(cidr: Cidr, value: T): void {
    let at = this.#root(cidr.bytes);
    for (let bit = 0; bit < cidr.prefixLength; bit++) {
      at = bitOf(cidr.bytes, bit)
        ? at.one ??= node<T>()
        : at.zero ??= node<T>();
    }
    if (at.entry !== undefined) {
      throw new RangeError(`${formatCidr(cidr)} is given twice`);
    }
    at.entry = { cidr, value };
    this.#size += 1;
  }

  /** Returns the longest network around `address`, of which only the first `prefixLength` bits are known (all, unless given). */
  find(
    address: Uint8Array,
    prefixLength = 8 * address.length,
  ): PrefixMatch<T> {
    let at = this.#root(address);
    let entry = at.entry;
    let depth = 0;
    while (at.zero !== undefined || at.one !== undefined) {
      if (depth === prefixLength) return { entry, scopeLength: depth + 1 };
      const next: Node<T> | undefined = bitOf(address, depth)
        ? at.one
        : at.zero;
      depth += 1;
      if (next === undefined) break;
      at = next;
      entry = at.entry ?? entry;
    }
    return { entry, scopeLength: depth };
  }

  #root(bytes: Uint8Array): Node<T> {
    return bytes.length === 4 ? this.#ipv4 : this.#ipv6;
  }
}

function node<T>(): Node<T> {
  return { zero: undefined, one: undefined, entry: undefined };
}

function bitOf(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}
