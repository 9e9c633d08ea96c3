/**
 * A running role's entry in the roster: half a second after the first event it begins to answer `rolecall roster`, with
 * the sockets the role has opened by then. A role that is over before leaves no trace, and pays nothing.
 */
import type { RolecallEvent } from "../events/mod.ts";
import type { Address } from "../io/net.ts";
import { pauseUntil } from "../io/pause.ts";
import type { RosterRun, RosterSocket } from "./run.ts";

/** By then a server has opened all its sockets, and most commands are over. */
const BEGIN_MS = 500;
/** Longest wait for the goodbye to leave. */
const END_MS = 500;

/** See the head of this file. Disposing says goodbye. */
export class RosterEntry implements AsyncDisposable {
  readonly #run: RosterRun;
  readonly #sockets: RosterSocket[] = [];
  readonly #stop = new AbortController();
  #admin: Address | undefined;
  #running: Promise<void> | undefined;

  /** Creates an entry that nobody sees yet. */
  constructor(run: RosterRun) {
    this.#run = run;
  }

  /** Hears of an event of the role. */
  see(event: RolecallEvent): void {
    if (event.type === "role.listening") this.#sockets.push(event);
    if (event.type === "admin.listening") this.#admin = event;
    if (event.type !== "role.finished") this.#running ??= this.#begin();
  }

  async #begin(): Promise<void> {
    const { clock, emit } = this.#run;
    const { signal } = this.#stop;
    try {
      await clock.sleepUntil(clock.nowMs() + BEGIN_MS, signal);
      const { announce } = await import("./announce.ts");
      await announce(this.#run, {
        sockets: this.#sockets,
        admin: this.#admin,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      emit({ type: "role.unannounced", reason });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const { clock } = this.#run;
    const late = new AbortController();
    await Promise.race([
      this.#running,
      pauseUntil(clock.nowMs() + END_MS, { clock, signal: late.signal }),
    ]);
    late.abort();
  }
}
