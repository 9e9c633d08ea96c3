/**
 * A local stand-in for `@std/testing/time` 1.x where JSR cannot be reached: {@linkcode FakeTime} over the
 * fake-timers library.
 */
import fakeTimers from "@sinonjs/fake-timers";

/** What is used of the library, which brings no types. */
interface FakeClock {
  readonly now: number;
  tick(ms: number): number;
  countTimers(): number;
  next(): number;
  uninstall(): void;
}

const realSetTimeout = setTimeout;
let current: FakeTime | undefined;

/** Replaces Date and the timers from its making to {@linkcode FakeTime.restore}; time moves only when told to. */
export class FakeTime {
  /** When the fake time began, in milliseconds since 1970. */
  readonly start: number;
  readonly #clock: FakeClock;

  /** Starts at `start`, or now. @throws {Error} If time is already faked. */
  constructor(start?: number | string | Date | null) {
    if (current !== undefined) throw new Error("Cannot fake time twice");
    this.start = new Date(start ?? Date.now()).valueOf();
    if (Number.isNaN(this.start)) {
      throw new TypeError("Cannot start at no time");
    }
    this.#clock = fakeTimers.install({
      now: this.start,
      toFake: [
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "Date",
      ],
    });
    current = this;
  }

  /** Milliseconds since 1970. Setting it runs the timers due until then; it cannot be set back. */
  get now(): number {
    return this.#clock.now;
  }
  set now(value: number) {
    if (value < this.now) throw new RangeError("Cannot turn back time");
    this.#clock.tick(value - this.now);
  }

  /** Moves time, running the timers that are due. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Lets pending promises run, then ticks. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves time to the next timer and runs it; false when there is none. */
  next(): boolean {
    const any = this.#clock.countTimers() > 0;
    this.#clock.next();
    return any;
  }

  /** Lets pending promises run, then does as {@linkcode FakeTime.next}. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Runs all timers until there are none. */
  runAll(): void {
    while (this.next());
  }

  /** As {@linkcode FakeTime.runAll}, letting pending promises run before each. */
  async runAllAsync(): Promise<void> {
    while (this.#clock.countTimers() > 0) await this.nextAsync();
  }

  /** Lets pending promises run; fake time stands still. */
  async runMicrotasks(): Promise<void> {
    await new Promise((resolve) => realSetTimeout(resolve, 0));
  }

  /** Gives back the real Date and timers. */
  restore(): void {
    if (current !== this) throw new Error("Cannot restore time twice");
    current = undefined;
    this.#clock.uninstall();
  }

  /** Same as {@linkcode FakeTime.restore}. */
  [Symbol.dispose](): void {
    this.restore();
  }
}
