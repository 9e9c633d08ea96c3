/** What the policies choose among: edges, what is known of them just now, and what a group of them remembers. */

/** How busy an edge says it is. */
export interface LoadReading {
  /** In the unit of the metric that is read; bytes per second by default. */
  readonly value: number;
  /** The same for a person: `1.2 MiB/s`. */
  readonly text: string;
}

/** How far away an edge is. */
export interface RoundTrip {
  /** The smoothed round trip. */
  readonly smoothedMs: number;
  /** Its mean deviation. */
  readonly variationMs: number;
  /** The same for a person: `1.2 ms`. */
  readonly text: string;
}

/** What is known of an edge just now. Whoever measures writes it; the policies only read it. */
export interface EdgeState {
  /** The checks find it in service. */
  isUp: boolean;
  /** Undefined as long as it has not told. */
  load: LoadReading | undefined;
  /** Answers that named it since its load was read last. */
  answersSince: number;
  /** Undefined as long as it has not been measured. */
  roundTrip: RoundTrip | undefined;
}

/** What is known of all edges of a server, by {@linkcode Edge.place}. It outlives the zones, which may be read again. */
export class EdgeBook {
  readonly #states = new Map<string, EdgeState>();
  /** Changes whenever an edge goes or comes back. */
  epoch = 0;
  /** Load that one answer is expected to bring; see `load.ts`. */
  loadPerAnswer = 0;

  /** Returns what is known of the edge at `place`. It is taken to be up until a check says otherwise. */
  state(place: string): EdgeState {
    const known = this.#states.get(place);
    if (known !== undefined) return known;
    const state: EdgeState = {
      isUp: true,
      load: undefined,
      answersSince: 0,
      roundTrip: undefined,
    };
    this.#states.set(place, state);
    return state;
  }

  /** All states. */
  states(): Iterable<EdgeState> {
    return this.#states.values();
  }

  /** Forgets what is known of an edge that nobody watches any more. */
  forget(place: string): void {
    const state = this.state(place);
    state.isUp = true;
    state.load = undefined;
    state.roundTrip = undefined;
    this.epoch += 1;
  }

  /** Notes that an edge has gone or come back. */
  setUp(place: string, isUp: boolean): void {
    this.state(place).isUp = isUp;
    this.epoch += 1;
  }
}

/** An edge that may be chosen. */
export interface Edge {
  readonly name: string;
  /** The address the answer will carry, 4 or 16 bytes. */
  readonly address: Uint8Array<ArrayBuffer>;
  /** The same as text. */
  readonly host: string;
  /** 0 or more. */
  readonly weight: number;
  /** Any 32-bit number that is this edge's own, for {@linkcode pickRendezvous}. */
  readonly hash: number;
  readonly state: EdgeState;
  /** Its address, with {@linkcode EdgeSpec.port} and {@linkcode EdgeSpec.admin} if it has them: who has the same is the same edge. */
  readonly place: string;
  /** See {@linkcode EdgeSpec.port}. */
  readonly port?: number;
  /** See {@linkcode EdgeSpec.admin}. */
  readonly admin?: string;
}

/** What a group of edges remembers from one choice to the next. */
export interface GroupMemory {
  /** How often one of them was chosen before. */
  turn: number;
  /** The one that was chosen last. */
  held: Edge | undefined;
}

/** Edges one of which is chosen, again and again. */
export class EdgeGroup implements GroupMemory {
  /** At least one. */
  readonly edges: readonly Edge[];
  turn = 0;
  held: Edge | undefined;
  readonly #book: EdgeBook;
  #live: readonly Edge[];
  #epoch = -1;

  /** Makes a group. @throws {RangeError} If it is empty. */
  constructor(edges: readonly Edge[], book: EdgeBook) {
    if (edges.length === 0) {
      throw new RangeError("A group of edges is not empty");
    }
    this.edges = edges;
    this.#book = book;
    this.#live = edges;
  }

  /** Those that are up. */
  get live(): readonly Edge[] {
    if (this.#epoch !== this.#book.epoch) {
      this.#epoch = this.#book.epoch;
      this.#live = this.edges.every(({ state }) => state.isUp)
        ? this.edges
        : this.edges.filter(({ state }) => state.isUp);
    }
    return this.#live;
  }
}
