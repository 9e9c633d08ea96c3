import type { Machine } from "../core/machine.ts";
import type { Clock } from "../io/clock.ts";
import { LinkedAbort } from "../io/linked_abort.ts";

/**
 * Feeds a machine from many sides, each input in the turn of the event loop in which it comes, and keeps its time.
 *
 * `drive` of lib/io takes one stream of inputs; a DHT node hears its socket, the swarm and the user.
 */
export class MachinePump<In, Out> {
  readonly #machine: Machine<In | { readonly kind: "timeout" }, Out>;
  readonly #perform: (output: Out) => void;
  readonly #clock: Clock;
  #alarm = new AbortController();

  /** @param options.perform Carries out an output; it must not throw. */
  constructor(
    machine: Machine<In | { readonly kind: "timeout" }, Out>,
    options: {
      readonly clock: Clock;
      readonly perform: (output: Out) => void;
    },
  ) {
    this.#machine = machine;
    this.#clock = options.clock;
    this.#perform = options.perform;
  }

  /** Hands the machine an input. */
  feed(input: In | { readonly kind: "timeout" }): void {
    const before = this.#machine.deadlineMs;
    const outputs = this.#machine.handle(input, this.#clock.nowMs());
    for (const output of outputs) this.#perform(output);
    if (this.#machine.deadlineMs < before) this.#alarm.abort();
  }

  /** Wakes the machine at its deadlines until `signal` aborts. */
  async keepTime(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      using alarm = new LinkedAbort(signal);
      this.#alarm = alarm;
      try {
        await this.#clock.sleepUntil(this.#machine.deadlineMs, alarm.signal);
      } catch {
        continue;
      }
      this.feed({ kind: "timeout" });
    }
  }
}
