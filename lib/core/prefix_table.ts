/**
 * Longest-prefix match, the way routers and geographic DNS do it.
 *
 * A binary trie per address family: one step down for each bit of the address, remembering the last network passed.
 * Where the walk ends also tells how far around the address the same answer holds, which is the scope of EDNS Client
 * Subnet (RFC 7871 §7.2.1): the largest network around the address in which everybody gets the same value, even where
 * several networks with that value nest or stand side by side. So a resolver needs to keep as few answers as possible.
 *
 * The nodes stand in one array of numbers, four each. A redirector searches for every query, when what it read last
 * has long left the processor's cache: so four steps are made in one, in a second array that is a fraction as large
 * (4,096 networks of 24 bits: 17 KiB instead of 128), and what there is to say at each end is made beforehand.
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

/** How many bits one step of {@linkcode Steps} decides, and how many ways it has. */
const STEP_BITS = 4;
const WAYS = 1 << STEP_BITS;

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
  #ipv4Steps = new Steps<T>(this.#ipv4.nodes, this.#entries);
  #ipv6Steps = new Steps<T>(this.#ipv6.nodes, this.#entries);
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
    this.settle();
    const steps = address.length === 4 ? this.#ipv4Steps : this.#ipv6Steps;
    const end = steps.walk(address);
    return steps.prefixLengths[end]! <= prefixLength
      ? steps.matches[end]!
      : this.#findShort(address, prefixLength);
  }

  /** {@linkcode PrefixTable.find} where less is known of the address than the longest network around it has. */
  #findShort(address: Uint8Array, prefixLength: number): PrefixMatch<T> {
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

  /** Finds out which networks nest, and below which nodes all have one answer: what else the first search would take the time for. */
  settle(): void {
    if (this.#isSettled) return;
    for (const { nodes } of [this.#ipv4, this.#ipv6]) {
      this.#settleBelow(nodes, 0, undefined);
    }
    this.#ipv4Steps = new Steps(this.#ipv4.nodes, this.#entries);
    this.#ipv6Steps = new Steps(this.#ipv6.nodes, this.#entries);
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

/** A walk through a trie, four bits a step. */
class Steps<T> {
  /** Of each step {@linkcode WAYS} numbers: where the next step is, or 0 or less for an end, the place of its match below 0. */
  readonly #ways: Int32Array;
  /** What is at the ends. */
  readonly matches: PrefixMatch<T>[] = [];
  /** How long the longest network at each end is, 0 if there is none. */
  readonly prefixLengths: Int32Array;

  constructor(nodes: Int32Array, entries: readonly PrefixEntry<T>[]) {
    const ways: number[] = [];
    const known = new Map<number, number>();
    const end = (entry: number, scopeLength: number): number => {
      const key = entry * 256 + scopeLength;
      const at = known.get(key) ?? this.matches.length;
      if (at === this.matches.length) {
        this.matches.push({ entry: entries[entry - 1], scopeLength });
        known.set(key, at);
      }
      return -at;
    };
    const add = (from: Walk): number => {
      const start = ways.length;
      for (let way = 0; way < WAYS; way++) ways.push(0);
      for (let way = 0; way < WAYS; way++) {
        const { at, depth, entry, scopeLength } = walk(nodes, from, way);
        ways[start + way] = at < 0 || isLeaf(nodes, at)
          ? end(entry, scopeLength < 0 ? depth : scopeLength)
          : add({ at, depth, entry, scopeLength });
      }
      return start;
    };
    const scopeLength = nodes[UNIFORM] === 1 ? 0 : -1;
    add({ at: 0, depth: 0, entry: nodes[ENTRY]!, scopeLength });
    this.#ways = Int32Array.from(ways);
    this.prefixLengths = Int32Array.from(
      this.matches,
      ({ entry }) => entry?.cidr.prefixLength ?? 0,
    );
  }

  /** Returns which of the ends an address comes to. */
  walk(address: Uint8Array): number {
    const ways = this.#ways;
    let step = 0;
    for (let at = 0;; at++) {
      const byte = address[at]!;
      step = ways[step + (byte >> STEP_BITS)]!;
      if (step <= 0) return -step;
      step = ways[step + (byte & (WAYS - 1))]!;
      if (step <= 0) return -step;
    }
  }
}

/** How far a walk through the nodes of a trie has come. */
interface Walk {
  /** The node; below 0 if there is none any more. */
  readonly at: number;
  readonly depth: number;
  /** The last network passed. */
  readonly entry: number;
  /** Below 0 if it is not known yet. */
  readonly scopeLength: number;
}

function isLeaf(nodes: Int32Array, at: number): boolean {
  return nodes[at + ZERO] === 0 && nodes[at + ONE] === 0;
}

/** Goes on by {@linkcode STEP_BITS} bits, or less if the end is before. */
function walk(nodes: Int32Array, from: Walk, bits: number): Walk {
  let { at, depth, entry, scopeLength } = from;
  for (let bit = STEP_BITS - 1; bit >= 0 && !isLeaf(nodes, at); bit--) {
    const next = nodes[at + (bits >> bit & 1)]!;
    depth += 1;
    if (next === 0) return { at: -1, depth, entry, scopeLength };
    at = next;
    if (nodes[at + ENTRY] !== 0) entry = nodes[at + ENTRY]!;
    if (scopeLength < 0 && nodes[at + UNIFORM] === 1) scopeLength = depth;
  }
  return { at, depth, entry, scopeLength };
}
