/**
 * Longest-prefix match, the way routers and geographic DNS do it.
 *
 * A binary trie per address family: one step down for each bit of the address, remembering the last network passed.
 * Where the walk ends also tells how far around the address the same answer holds, which is the scope of EDNS Client
 * Subnet (RFC 7871 §7.2.1): the largest network around the address in which everybody gets the same value, even where
 * several networks with that value nest or stand side by side. So a resolver needs to keep as few answers as possible.
 *
 * The nodes stand in one array of numbers, four each. A redirector searches for every query, when what it read last
 * has long left the processor's cache, and each place that is read anew costs more than all the reckoning: so four steps
 * are made in one, in a second array; where only one network is left, what is left of its bits is compared at once; and
 * what there is to say at each end is made beforehand. For 4,096 networks of 24 bits, one in each network of 16, the array
 * has 18 KiB instead of 512.
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
  /** The value of {@linkcode PrefixMatch.entry}. */
  readonly value: T | undefined;
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
  readonly #ipv4 = new Trie(1);
  readonly #ipv6 = new Trie(4);
  readonly #entries: Entry<T>[] = [];
  #ipv4Steps = new Steps<T>(this.#ipv4, this.#entries);
  #ipv6Steps = new Steps<T>(this.#ipv6, this.#entries);
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
    return steps.find(address, prefixLength) ??
      this.#findShort(address, prefixLength);
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
    return matchOf(
      this.#entries[entry - 1],
      scopeLength < 0 ? depth : scopeLength,
    );
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
    this.#ipv4Steps = new Steps(this.#ipv4, this.#entries);
    this.#ipv6Steps = new Steps(this.#ipv6, this.#entries);
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
  /** How many numbers of 32 bits an address has. */
  readonly words: number;
  #end = FIELDS;

  constructor(words: number) {
    this.words = words;
  }

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

/** Fields of an end: how long the longest network there is (0 if there is none), how many bits lead to it that were not all looked at (0 if they were), and then these bits. */
const LENGTH = 0;
const TAIL = 1;
const BITS = 2;

/** A walk through a trie, four bits a step. */
class Steps<T> {
  /** Of each step {@linkcode WAYS} numbers: where the next step is, or 0 or less for an end, the place of its match below 0. */
  readonly #ways: Int32Array;
  /** What is at the ends. */
  readonly #matches: PrefixMatch<T>[] = [];
  readonly #ends: Int32Array;
  /** How many numbers an end has: a power of 2, so that none is in two lines of the cache. */
  readonly #endFields: number;
  /** What holds beside the tail of an end. */
  readonly #around: (PrefixEntry<T> | undefined)[] = [];

  constructor(
    { nodes, words }: Trie,
    entries: readonly PrefixEntry<T>[],
  ) {
    const ways: number[] = [];
    const known = new Map<number, number>();
    const ends: number[] = [];
    this.#endFields = words === 1 ? 4 : 8;
    const addEnd = (match: PrefixMatch<T>, from: Walk): number => {
      const { cidr } = match.entry ?? {};
      const isTail = from.at >= 0 && !isLeaf(nodes, from.at);
      const fields = new Array(this.#endFields).fill(0);
      fields[LENGTH] = cidr?.prefixLength ?? 0;
      fields[TAIL] = isTail ? cidr?.prefixLength ?? 0 : 0;
      for (let word = 0; word < words && cidr !== undefined; word++) {
        fields[BITS + word] = wordOf(cidr.bytes, word);
      }
      ends.push(...fields);
      this.#around.push(entries[from.entry - 1]);
      return this.#matches.push(match) - 1;
    };
    const end = (from: Walk): number => {
      const scopeLength = from.scopeLength < 0 ? from.depth : from.scopeLength;
      const key = from.entry * 256 + scopeLength;
      const at = known.get(key) ??
        addEnd(matchOf(entries[from.entry - 1], scopeLength), from);
      known.set(key, at);
      return -at;
    };
    const add = (from: Walk): number => {
      const start = ways.length;
      for (let way = 0; way < WAYS; way++) ways.push(0);
      for (let way = 0; way < WAYS; way++) {
        const next = walk(nodes, from, way);
        const only = entries[onlyEntry(nodes, next) - 1];
        ways[start + way] = next.at < 0 || isLeaf(nodes, next.at)
          ? end(next)
          : only === undefined
          ? add(next)
          : -addEnd(matchOf(only, only.cidr.prefixLength), next);
      }
      return start;
    };
    const scopeLength = nodes[UNIFORM] === 1 ? 0 : -1;
    add({ at: 0, depth: 0, entry: nodes[ENTRY]!, scopeLength });
    this.#ways = Int32Array.from(ways);
    this.#ends = Int32Array.from(ends);
  }

  /** See {@linkcode PrefixTable.find}; undefined if too little is known of the address. */
  find(address: Uint8Array, prefixLength: number): PrefixMatch<T> | undefined {
    const end = this.#walk(address);
    const ends = this.#ends;
    const at = end * this.#endFields;
    const tail = ends[at + TAIL]!;
    for (let from = 0; from < tail; from += 32) {
      const word = from >> 5;
      const differing = wordOf(address, word) ^ ends[at + BITS + word]!;
      const same = from + Math.clz32(differing);
      if (differing === 0 || same >= tail) continue;
      const around = this.#around[end];
      return around === undefined || around.cidr.prefixLength <= prefixLength
        ? matchOf(around, same + 1)
        : undefined;
    }
    return ends[at + LENGTH]! <= prefixLength ? this.#matches[end] : undefined;
  }

  /** Returns which of the ends an address comes to. */
  #walk(address: Uint8Array): number {
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

function matchOf<T>(
  entry: PrefixEntry<T> | undefined,
  scopeLength: number,
): PrefixMatch<T> {
  return { entry, value: entry?.value, scopeLength };
}

/** Four bytes of an address as a number. */
function wordOf(bytes: Uint8Array, word: number): number {
  const at = 4 * word;
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!;
}

/** The entry at the end of the one way that leads on from a node; 0 if there are several ways, or an end of the scope on this one. */
function onlyEntry(nodes: Int32Array, from: Walk): number {
  let { at } = from;
  if (from.scopeLength >= 0) return 0;
  while (at >= 0 && !isLeaf(nodes, at)) {
    const isFork = nodes[at + ZERO] !== 0 && nodes[at + ONE] !== 0;
    const isPassed = at !== from.at && nodes[at + ENTRY] !== 0;
    if (isFork || isPassed || nodes[at + UNIFORM] === 1) return 0;
    at = nodes[at + ZERO]! || nodes[at + ONE]!;
  }
  return at < 0 ? 0 : nodes[at + ENTRY]!;
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
