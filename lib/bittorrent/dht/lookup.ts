/**
 * One iterative lookup (BEP 5, "Overview"; Kademlia): ask the nodes nearest to a target for nodes that are nearer still,
 * until the 8 nearest have all answered.
 *
 * Three are asked at a time; one that takes long no longer counts, so that nodes which are gone do not hold the others up. Each answer brings up to 8 nodes of that node's own neighbourhood, which knows its part of
 * the space better than we do, so that every step at least halves the distance: about log2(n) steps for n nodes.
 */
import { familyOf } from "../../core/address.ts";
import type { PeerEndpoint } from "../peer_endpoint.ts";
import { type DhtContact, keyOf, mayContact } from "./contact.ts";
import { compareDistance, ID_BITS, sharedBits } from "./id.ts";
import type { DhtAnswer } from "./message.ts";
import { BUCKET_SIZE } from "./table.ts";

/** Nodes asked at a time: Kademlia's alpha. */
const PARALLEL = 3;
/** Who has not answered after this makes room for the next; its answer is still welcome. */
const SLOW_MS = 500;
/** Candidates that are remembered: a liar may name any number of nodes that do not exist. */
const MAX_CANDIDATES = 64;
/** Queries in one lookup; in a DHT of millions about 30 are enough. */
const MAX_QUERIES = 96;

/** A node that is asked, or could be. */
export interface Candidate extends PeerEndpoint {
  /** Null until it has answered, if nobody told: a node a user named. */
  readonly id: Uint8Array | null;
  /** How many nodes led to it. */
  readonly step: number;
  readonly state: "new" | "asked" | "answered" | "failed";
  readonly askedAtMs: number;
  /** What it wants to see in an announce. */
  readonly token: Uint8Array | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** See the head of this file. */
export class Lookup {
  /** What is looked for. */
  readonly target: Uint8Array;
  /** How many nodes were asked. */
  asked = 0;
  /** How many of them answered. */
  answeredCount = 0;
  /** How many nodes in a row it took at most. */
  steps = 0;
  readonly #own: Uint8Array;
  /** Nearest first; those without an id at the front. */
  readonly #candidates: Mutable<Candidate>[] = [];
  readonly #known = new Set<string>();
  #underWay = 0;

  /** Starts with nodes one knows: `seeds` of the routing table, and `named` whose ids are unknown. */
  constructor(
    target: Uint8Array,
    options: {
      readonly own: Uint8Array;
      readonly seeds: readonly DhtContact[];
      readonly named?: readonly PeerEndpoint[];
    },
  ) {
    this.target = target;
    this.#own = options.own;
    for (const seed of options.seeds) this.#add(seed, 1);
    for (const { host, port } of options.named ?? []) {
      this.#add({ id: null, host, port }, 1);
    }
  }

  /** Whether there is nothing left to ask or to wait for. */
  get done(): boolean {
    return this.#underWay === 0 && this.#nextNew() === undefined;
  }

  /** When {@linkcode Lookup.next} has more to ask although nobody answered: somebody is slow. */
  get deadlineMs(): number {
    if (this.#underWay === 0 || this.#nextNew() === undefined) return Infinity;
    const asked = this.#candidates.filter(({ state }) => state === "asked")
      .map(({ askedAtMs }) => askedAtMs).sort((a, b) => b - a);
    // The room is there as soon as the oldest of the three that were asked last is slow.
    return (asked[PARALLEL - 1] ?? -Infinity) + SLOW_MS;
  }

  /** Takes those that are to be asked now. */
  next(nowMs: number): Candidate[] {
    const due: Candidate[] = [];
    let room = PARALLEL -
      this.#candidates.filter(({ state, askedAtMs }) =>
        state === "asked" && nowMs - askedAtMs < SLOW_MS
      ).length;
    for (; room > 0; room--) {
      const candidate = this.#nextNew();
      if (candidate === undefined) break;
      candidate.state = "asked";
      candidate.askedAtMs = nowMs;
      this.#underWay += 1;
      this.asked += 1;
      this.steps = Math.max(this.steps, candidate.step);
      due.push(candidate);
    }
    return due;
  }

  /** A candidate answered, as `id`, whatever the one who named it said. */
  answered(asked: Candidate, id: Uint8Array, answer: DhtAnswer): void {
    const candidate = asked as Mutable<Candidate>;
    this.#underWay -= 1;
    this.answeredCount += 1;
    candidate.state = "answered";
    candidate.token = answer.token;
    if (candidate.id === null || sharedBits(candidate.id, id) !== ID_BITS) {
      this.#candidates.splice(this.#candidates.indexOf(candidate), 1);
      candidate.id = id;
      this.#put(candidate);
    }
    for (const contact of answer.nodes) {
      if (familyOf(contact.host) !== familyOf(candidate.host)) continue;
      if (!mayContact(contact, candidate.host)) continue;
      this.#add(contact, candidate.step + 1);
    }
  }

  /** A candidate did not answer. */
  failed(candidate: Candidate): void {
    this.#underWay -= 1;
    (candidate as Mutable<Candidate>).state = "failed";
  }

  /** The nodes nearest to the target that answered, at most 8, nearest first. */
  closest(): (Candidate & { readonly id: Uint8Array })[] {
    return this.#candidates.filter((
      candidate,
    ): candidate is Candidate & { readonly id: Uint8Array } =>
      candidate.state === "answered" && candidate.id !== null
    ).slice(0, BUCKET_SIZE);
  }

  /** The nearest candidate that was not asked, if it is among the 8 nearest that may still answer. */
  #nextNew(): Mutable<Candidate> | undefined {
    if (this.asked >= MAX_QUERIES) return undefined;
    let nearer = 0;
    for (const candidate of this.#candidates) {
      if (candidate.state === "new") return candidate;
      if (candidate.state === "failed") continue;
      nearer += 1;
      if (nearer >= BUCKET_SIZE) return undefined;
    }
    return undefined;
  }

  #add(
    contact: PeerEndpoint & { readonly id: Uint8Array | null },
    step: number,
  ): void {
    const { id, host, port } = contact;
    const key = keyOf(contact);
    if (this.#known.has(key)) return;
    if (id !== null && sharedBits(id, this.#own) === ID_BITS) return;
    this.#known.add(key);
    this.#put({
      ...{ id, host, port, step, state: "new", token: null },
      askedAtMs: -Infinity,
    });
    if (this.#candidates.length <= MAX_CANDIDATES) return;
    // The farthest is forgotten, unless its answer is still to come.
    const last = this.#candidates.at(-1)!;
    if (last.state === "asked") return;
    this.#candidates.pop();
    this.#known.delete(keyOf(last));
  }

  #put(candidate: Mutable<Candidate>): void {
    const at = this.#candidates.findIndex(({ id }) =>
      id !== null && (candidate.id === null ||
        compareDistance(this.target, candidate.id, id) < 0)
    );
    this.#candidates.splice(
      at < 0 ? this.#candidates.length : at,
      0,
      candidate,
    );
  }
}
