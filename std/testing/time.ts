import ft from "@sinonjs/fake-timers";
/** Subset of @std/testing FakeTime over @sinonjs/fake-timers. */
export class FakeTime {
  #c: ReturnType<typeof ft.install>;
  readonly start: number;
  constructor(start?: number | string | Date | null) {
    this.start = start === null || start === undefined
      ? Date.now()
      : new Date(start).getTime();
    this.#c = ft.install({
      now: this.start,
      toFake: [
        "setTimeout",
        "clearTimeout",
        "setInterval",
        "clearInterval",
        "Date",
      ],
    });
  }
  get now(): number {
    return this.#c.now;
  }
  set now(v: number) {
    this.#c.tick(v - this.#c.now);
  }
  tick(ms = 0): void {
    this.#c.tick(ms);
  }
  async tickAsync(ms = 0): Promise<void> {
    await this.#c.tickAsync(ms);
  }
  next(): boolean {
    const n = this.#c.countTimers();
    this.#c.next();
    return n > 0;
  }
  async nextAsync(): Promise<boolean> {
    const n = this.#c.countTimers();
    await this.#c.nextAsync();
    return n > 0;
  }
  runAll(): void {
    this.#c.runAll();
  }
  async runAllAsync(): Promise<void> {
    await this.#c.runAllAsync();
  }
  async runMicrotasks(): Promise<void> {
    await this.#c.tickAsync(0);
  }
  restore(): void {
    this.#c.uninstall();
  }
  [Symbol.dispose](): void {
    this.restore();
  }
}
