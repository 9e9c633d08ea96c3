/** Lists of the first capacity, and how many numbers the pool has room for at first. */
const FIRST_LISTS = 64;
const FIRST_POOL = 1024;

/**
 * Many lists of numbers of 32 bits, in one array: an array for each would cost more than what stands in most of them, and
 * the garbage collector would walk them all.
 *
 * A list lies in a stretch of the pool whose length is a power of two. When it is full, it moves to one of twice the
 * length; what is left free serves the next list of that length.
 */
export class BlockLists {
  #pool = new Uint32Array(FIRST_POOL);
  /** Where the part of the pool begins that was never used. */
  #end = 0;
  /** Of each list where it begins, how long it is, and its capacity: 0, or one more than the power of two. */
  #starts = new Uint32Array(FIRST_LISTS);
  #lengths = new Uint32Array(FIRST_LISTS);
  #powers = new Uint8Array(FIRST_LISTS);
  /** Stretches nobody has, by power. */
  readonly #free: number[][] = [];

  /** How many numbers a list has; 0 if it was never heard of. */
  length(list: number): number {
    return this.#lengths[list] ?? 0;
  }

  /** The number at an index of a list, which must be below its length. */
  at(list: number, index: number): number {
    return this.#pool[this.#starts[list]! + index]!;
  }

  /** The numbers of a list for reading on the spot: whoever adds or takes away moves them. */
  stretch(list: number): Uint32Array {
    const start = this.#starts[list]!;
    return this.#pool.subarray(start, start + this.#lengths[list]!);
  }

  /** Adds a number at the end. */
  push(list: number, value: number): void {
    this.#know(list);
    const length = this.#lengths[list]!;
    const power = this.#powers[list]!;
    if (length === capacityOf(power)) this.#move(list, power + 1);
    this.#pool[this.#starts[list]! + length] = value;
    this.#lengths[list] = length + 1;
  }

  /** Takes the last number away, and with the last of all the list's memory. */
  pop(list: number): number {
    const length = this.#lengths[list]! - 1;
    const value = this.at(list, length);
    this.#lengths[list] = length;
    if (length === 0) {
      this.#release(this.#starts[list]!, this.#powers[list]!);
      this.#powers[list] = 0;
    }
    return value;
  }

  #move(list: number, power: number): void {
    const from = this.#starts[list]!;
    const length = this.#lengths[list]!;
    const to = this.#take(power);
    this.#pool.copyWithin(to, from, from + length);
    if (length > 0) this.#release(from, this.#powers[list]!);
    this.#starts[list] = to;
    this.#powers[list] = power;
  }

  #take(power: number): number {
    const free = this.#free[power]?.pop();
    if (free !== undefined) return free;
    const start = this.#end;
    this.#end += capacityOf(power);
    if (this.#end > this.#pool.length) {
      const pool = new Uint32Array(
        Math.max(this.#end, 1.5 * this.#pool.length),
      );
      pool.set(this.#pool);
      this.#pool = pool;
    }
    return start;
  }

  #release(start: number, power: number): void {
    (this.#free[power] ??= []).push(start);
  }

  #know(list: number): void {
    const known = this.#lengths.length;
    if (list < known) return;
    const count = Math.max(list + 1, 2 * known);
    this.#starts = grown(this.#starts, new Uint32Array(count));
    this.#lengths = grown(this.#lengths, new Uint32Array(count));
    this.#powers = grown(this.#powers, new Uint8Array(count));
  }
}

function capacityOf(power: number): number {
  return power === 0 ? 0 : 2 ** (power - 1);
}

function grown<Numbers extends Uint8Array | Uint32Array>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from);
  return to;
}
