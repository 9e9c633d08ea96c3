/**
 * Longest-prefix match, the way routers and geographic DNS do it.
 *
 * A binary trie per address family: one step down for each bit of the address, remembering the last network passed.
 * Where the walk ends also tells how far around the address the same answer holds, which is the scope of EDNS Client
 * Subnet (RFC 7871 §7.2.1): the largest network around the address in which everybody gets the same value, even where
 * several networks with that value nest or stand side by side. So a resolver needs to keep as few answers as possible.
 *
 * The nodes stand in one array of numbers, four each: it is walked for every query of a redirector.
 */
import { type Cidr, formatCidr } from "./address.ts";

/** A network of the table. */
export interface PrefixEntry<T> {
  readonly cidr: Cidr;
  readonly value: T;
  /** The next longer network around this one, if any. */
  readonly outer: PrefixEntry<T> | undefined;
}

/** What {@linkcode PrefixTable.find} found. */
export interface PrefixMatch<T> {
  /** The longest network around the whole of what was asked for, and its value; undefined when none is. */
  readonly entry: PrefixEntry<T> | undefined;
  /** How many leading bits the answer depended on: all addresses that share them get the same one. More than the given `prefixLength` when that was too short to tell: so many bits would have done, were the rest 0. */
  readonly scopeLength: number;
}

/** Fields of a node: where its children are (0 for none), its entry (1 for the first, 0 for none), and whether all below it have one answer. */
const ZERO = 0;
const ONE = 1;
const ENTRY = 2;
const UNIFORM = 3;
const FIELDS = 4;

interface Entry<T> {
  readonly cidr: Cidr;
  readonly value: T;
  outer: Entry<T> | undefined;
}

/** Networks with values, IPv4 and IPv6, searched by address. */
export class PrefixTable<T> {
  readonly #answerOf: (value: T) => unknown;
  readonly #ipv4 = new Trie();
  readonly #ipv6 = new Trie();
  readonly #entries: Entry<T>[] = [];
  #isSettled = true;

  /** Creates an empty table. Values that have the same `answerOf` (by default: that are the same) count as one answer for the scope. */
  constructor(
    options: { readonly answerOf?: (value: T) => unknown } = {},
  ) {
    this.#answerOf = options.answerOf ?? ((value) => value);
  }

  /** How many networks it holds. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds a network. @throws {RangeError} If it is there already. */
  add(cidr: Cidr, value: T): void {
    const trie = this.#trie(cidr.bytes);
    const at = trie.grow(cidr);
    if (trie.nodes[at + ENTRY] !== 0) {
      throw new RangeError(`${formatCidr(cidr)} is given twice`);
    }
    this.#entries.push({ cidr, value, outer: undefined });
    trie.nodes[at + ENTRY] = this.#entries.length;
    this.#isSettled = false;
  }

  /** Returns the longest network around `address`, of which only the first `prefixLength` bits are known (all, unless given) and the rest are 0. */
  find(
    address: Uint8Array,
    prefixLength = 8 * address.length,
  ): PrefixMatch<T> {
    if (!this.#isSettled) this.#settle();
    const { nodes } = this.#trie(address);
    let at = 0;
    let depth = 0;
    let entry = nodes[ENTRY]!;
    let scopeLength = nodes[UNIFORM] === 1 ? 0 : -1;
    while (nodes[at + ZERO] !== 0 || nodes[at + ONE] !== 0) {
      const bit = (address[depth >> 3]! >> (7 - (depth & 7))) & 1;
      const next = nodes[at + bit]!;
      depth += 1;
      if (next === 0) break;
      at = next;
      if (nodes[at + ENTRY] !== 0 && depth <= prefixLength) {
        entry = nodes[at + ENTRY]!;
      }
      if (scopeLength < 0 && nodes[at + UNIFORM] === 1) scopeLength = depth;
    }
    return {
      entry: this.#entries[entry - 1],
      scopeLength: scopeLength < 0 ? depth : scopeLength,
    };
  }

  #trie(bytes: Uint8Array): Trie {
    return bytes.length === 4 ? this.#ipv4 : this.#ipv6;
  }

  /** Finds out which networks nest, and below which nodes all have one answer. */
  #settle(): void {
    for (const { nodes } of [this.#ipv4, this.#ipv6]) {
      this.#settleBelow(nodes, 0, undefined);
    }
    this.#isSettled = true;
  }

  /** Returns whether all below a node have the answer of the network around it, or of its own. */
  #settleBelow(
    nodes: Int32Array,
    at: number,
    around: Entry<T> | undefined,
  ): { readonly uniform: boolean; readonly answer: unknown } {
    const own = this.#entries[nodes[at + ENTRY]! - 1];
    if (own !== undefined) own.outer = around;
    const here = own ?? around;
    const answer = here === undefined ? undefined : this.#answerOf(here.value);
    const sides = [ZERO, ONE].map((side) => {
      const child = nodes[at + side]!;
      return child === 0
        ? { uniform: true, answer }
        : this.#settleBelow(nodes, child, here);
    });
    const [zero, one] = sides as [typeof sides[0], typeof sides[0]];
    const uniform = zero.uniform && one.uniform && zero.answer === one.answer;
    nodes[at + UNIFORM] = uniform ? 1 : 0;
    return { uniform, answer: zero.answer };
  }
}

/** The nodes of one address family; the first is the whole of it. */
class Trie {
  nodes = new Int32Array(64 * FIELDS);
  #end = FIELDS;

  /** Returns the node of a network, made with all above it. */
  grow({ bytes, prefixLength }: Cidr): number {
    let at = 0;
    for (let bit = 0; bit < prefixLength; bit++) {
      const side = at + ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
      if (this.nodes[side] === 0) {
        const made = this.#make();
        this.nodes[side] = made;
      }
      at = this.nodes[side]!;
    }
    return at;
  }

  #make(): number {
    if (this.#end === this.nodes.length) {
      const wider = new Int32Array(2 * this.nodes.length);
      wider.set(this.nodes);
      this.nodes = wider;
    }
    this.#end += FIELDS;
    return this.#end - FIELDS;
  }
}
