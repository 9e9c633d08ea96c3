/**
 * What is to happen, earliest first; what is due at the same time keeps the order in which it was added.
 *
 * A binary heap. Times, order and places live in typed arrays that grow by doubling, so that a million pending events are
 * a few large blocks of memory and comparing two is two loads; an array of objects spent more time in comparisons and
 * garbage than the peers it served.
 */
export class EventQueue<T> {
  #times = new Float64Array(1024);
  #order = new Float64Array(1024);
  #places = new Int32Array(1024);
  #length = 0;
  #added = 0;
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** How many events wait. */
  get length(): number {
    return this.#length;
  }

  /** When the next one is due; Infinity if there is none. */
  get nextAtMs(): number {
    return this.#length === 0 ? Infinity : this.#times[0]!;
  }

  /** Adds an event. @throws {RangeError} If its time is not a number. */
  push(atMs: number, item: T): void {
    if (Number.isNaN(atMs)) {
      throw new RangeError(`Cannot queue event: atMs must be a number`);
    }
    if (this.#length === this.#times.length) this.#grow();
    const place = this.#free.pop() ?? this.#items.length;
    this.#items[place] = item;
    this.#rise(this.#length++, atMs, ++this.#added, place);
  }

  /** Takes the next event out; undefined if there is none. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#places[0]!;
    const item = this.#items[place];
    this.#items[place] = undefined;
    this.#free.push(place);
    this.#length -= 1;
    if (this.#length > 0) this.#sink(this.#length);
    return item;
  }

  #rise(from: number, atMs: number, order: number, place: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= atMs) break; // Added later than everything: never before its equal.
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, order, place);
  }

  /** Finds the place of entry `last`, which was at the end, from the top down. */
  #sink(last: number): void {
    const times = this.#times;
    const atMs = times[last]!;
    const order = this.#order[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && this.#before(child + 1, child)) {
        child += 1;
      }
      const childAtMs = times[child]!;
      if (
        childAtMs > atMs || (childAtMs === atMs && this.#order[child]! > order)
      ) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, atMs, order, this.#places[last]!);
  }

  #before(a: number, b: number): boolean {
    const aMs = this.#times[a]!;
    const bMs = this.#times[b]!;
    return aMs < bMs || (aMs === bMs && this.#order[a]! < this.#order[b]!);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#order[from]!, this.#places[from]!);
  }

  #put(at: number, atMs: number, order: number, place: number): void {
    this.#times[at] = atMs;
    this.#order[at] = order;
    this.#places[at] = place;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const grown = <A extends Float64Array | Int32Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.#times = grown(new Float64Array(size), this.#times);
    this.#order = grown(new Float64Array(size), this.#order);
    this.#places = grown(new Int32Array(size), this.#places);
  }
}
