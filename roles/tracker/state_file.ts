import { InputError, RunError } from "../../lib/core/errors.ts";
import {
  decodeSnapshot,
  encodeSnapshot,
} from "../../lib/bittorrent/tracker/table/swarm_snapshot.ts";
import type { SwarmTable } from "../../lib/bittorrent/tracker/table/swarm_table.ts";
import { runningSha256, sha256 } from "../../lib/io/hash.ts";
import { pauseUntil } from "../../lib/io/pause.ts";
import type { RoleContext } from "../../lib/role.ts";

/** Largest snapshot that is read: some seven million peers. */
const MAX_STATE_BYTES = 2 ** 29;

/** Between two pieces of a snapshot: half a millisecond of work, then others for so long. */
const PAUSE_MS = 20;

/** The file in which the swarms are kept while the tracker does not run (`--state`). */
export class StateFile {
  readonly #path: string;
  readonly #table: SwarmTable;
  readonly #ctx: RoleContext;

  /** @param ctx Its files, clock and events are used. */
  constructor(path: string, table: SwarmTable, ctx: RoleContext) {
    this.#path = path;
    this.#table = table;
    this.#ctx = ctx;
  }

  /**
   * Keeps other trackers from the file until it is disposed of: the one that ended last would write over what the others
   * knew. The lock is on a file beside it, for each saving puts a new file in its place.
   *
   * @throws {InputError} If another tracker has it, or none can be written there.
   */
  async lock(): Promise<AsyncDisposable> {
    const { files } = this.#ctx;
    const beside = `${this.#path}.lock`;
    try {
      const lock = await files.lock(beside);
      if (lock === undefined) {
        throw new RunError(
          "in-use",
          "another tracker has it, give each its own",
        );
      }
      return {
        async [Symbol.asyncDispose]() {
          // Where a locked file cannot be removed, it stays.
          await files.remove(beside).catch(() => {});
          lock[Symbol.dispose]();
        },
      };
    } catch (cause) {
      throw this.#cannotUse(cause);
    }
  }

  /**
   * Fills the table with what was saved. Peers are as old as they were then, since nobody could announce meanwhile; after
   * a break longer than `expiryMs` only the counts of downloads are taken over. A file that is damaged is put aside as
   * `FILE.damaged`, with a warning, and the table stays empty.
   *
   * @throws {InputError} If the file cannot be read, or none can be written there.
   */
  async load(expiryMs: number): Promise<void> {
    const { files, clock } = this.#ctx;
    try {
      if (await files.stat(this.#path) === null) return await this.save();
      const bytes = await files.read(this.#path, { maxBytes: MAX_STATE_BYTES });
      try {
        const snapshot = decodeSnapshot(bytes, { sha256 });
        const breakMs = clock.wallMs() - snapshot.savedAtWallMs;
        for (const swarm of snapshot.swarms) {
          const peers = breakMs > expiryMs ? [] : swarm.peers;
          this.#table.restore({ ...swarm, peers }, clock.nowMs());
        }
        const { swarmCount, peerCount } = this.#table;
        this.#ctx.emit({
          type: "state.restored",
          path: this.#path,
          swarms: swarmCount,
          peers: peerCount,
          breakMs: Math.max(0, Math.round(breakMs)),
        });
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        await files.writeAtomic(`${this.#path}.damaged`, bytes);
        this.#ctx.emit({
          type: "state.rejected",
          path: this.#path,
          reason: error.message,
        });
      }
    } catch (cause) {
      throw this.#cannotUse(cause);
    }
  }

  #cannotUse(cause: unknown): unknown {
    if (!(cause instanceof RunError)) return cause;
    return new InputError(
      `Cannot use --state ${this.#path}: ${cause.message}`,
      { cause },
    );
  }

  /**
   * Saves every `intervalMs` what has changed, until `ctx.signal` aborts: whoever kills a tracker, or pulls its plug, does
   * not ask it first. It takes pauses in which announces are answered. What cannot be written is told, and tried again.
   */
  async keepSaved(intervalMs: number): Promise<void> {
    const { clock, signal } = this.#ctx;
    let savedChanges = this.#changes();
    for (;;) {
      await pauseUntil(clock.nowMs() + intervalMs, { clock, signal });
      if (signal.aborted) return;
      const changes = this.#changes();
      if (changes === savedChanges) continue;
      try {
        await this.#save(() =>
          clock.sleepUntil(clock.nowMs() + PAUSE_MS, signal)
        );
        savedChanges = changes;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RunError)) throw error;
        const { message: reason } = error;
        this.#ctx.emit({ type: "state.failed", path: this.#path, reason });
      }
    }
  }

  /** Writes what the table knows; the file is the old one or the new one, whatever happens. @throws {RunError} */
  async save(): Promise<void> {
    await this.#save(() => Promise.resolve());
  }

  #changes(): number {
    const { announced, expired } = this.#table.totals;
    return announced + expired;
  }

  async #save(pause: () => Promise<void>): Promise<void> {
    const { files, clock } = this.#ctx;
    const pieces: Uint8Array[] = [];
    for (
      const piece of encodeSnapshot(this.#table.stored(clock.nowMs), {
        savedAtWallMs: clock.wallMs(),
        hash: runningSha256(),
      })
    ) {
      pieces.push(piece);
      await pause();
    }
    await files.writeAtomic(this.#path, ...pieces);
    const { swarmCount, peerCount } = this.#table;
    this.#ctx.emit({
      type: "state.saved",
      path: this.#path,
      swarms: swarmCount,
      peers: peerCount,
      bytes: pieces.reduce((sum, { length }) => sum + length, 0),
    });
  }
}
