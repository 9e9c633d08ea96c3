import type { RolecallEvent } from "../events/mod.ts";

/** What a thread of this program is given at its start. */
export interface ThreadStart {
  /** How it calls itself. */
  readonly name: string;
  /** Of its random choices. */
  readonly seed: number;
  /** What it is to do: anything that can be cloned. */
  readonly task: unknown;
  /** Those ports within `task` that it is to own. */
  readonly ports: readonly MessagePort[];
  /** Hears of its events. */
  emit(event: RolecallEvent): void;
}

/** A part of this program in a thread of its own. Disposing of it ends it at once. */
export interface RunningThread extends Disposable {
  /** Resolves when it has done its task, or was asked to stop and has. @throws {RunError} What it failed with. */
  readonly ended: Promise<void>;
  /** Asks it to stop. */
  stop(): void;
}
