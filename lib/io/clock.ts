/** A source of time for drivers. Pure modules get the number only. */
export interface Clock {
  /** Milliseconds since the process (or the simulation) started. Never goes backwards. */
  nowMs(): number;
  /** Milliseconds since 1970 UTC, for log stamps, HTTP dates and `mtime`; may jump. */
  wallMs(): number;
  /** When this machine was started, as {@linkcode Clock.wallMs}. */
  bootedAtWallMs(): number;
  /** Resolves at `atMs` of {@linkcode Clock.nowMs}; rejects with the signal's reason if it aborts first. `Infinity` waits for the signal only. */
  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void>;
}
