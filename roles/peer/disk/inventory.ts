import { toHex } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import type { TorrentInfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { PieceHashes } from "../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { Resume } from "./resume.ts";
import { Storage } from "./storage.ts";

/** How often what is new is recorded, and the files are looked at. */
const INTERVAL_MS = 30_000;

/** What lies on the disk: looked through at the start, recorded from time to time, confirmed at the end. */
export class Inventory implements AsyncDisposable {
  /** The files. */
  readonly storage: Storage;
  readonly #resume: Resume;
  readonly #info: TorrentInfo;
  readonly #ctx: RoleContext;
  /** How much was written when the last record was; -1 before the first. */
  #recordedWrites = -1;
  /** Everything was looked through: a record of a part would make the rest be fetched again. */
  #checked = false;

  /** @param options.folder Where the torrent's file or folder lies. */
  constructor(
    ctx: RoleContext,
    options: {
      readonly info: TorrentInfo;
      readonly hashes: PieceHashes;
      readonly folder: string;
    },
  ) {
    this.#ctx = ctx;
    this.#info = options.info;
    this.storage = new Storage(ctx.files, options);
    this.#resume = new Resume(ctx, options);
  }

  /**
   * Finds out what is there, from the last run's record where the files are as it left them.
   *
   * @param options.force Hashes everything.
   */
  async check(options: { readonly force: boolean }): Promise<void> {
    const { clock, emit, signal } = this.#ctx;
    const startMs = clock.nowMs();
    const stats = await this.storage.look();
    const known = options.force ? () => null : await this.#resume.load(stats);
    const hashedPieces = await this.storage.check(stats, known, signal);
    this.#checked = true;
    const { stored } = this.storage;
    emit({
      type: "torrent.checked",
      torrent: this.#info.name,
      infoHash: toHex(this.#info.infoHash),
      havePieces: stored.count,
      pieceCount: this.#info.pieceCount,
      hashedPieces,
      bytes: this.#info.totalBytes,
      durationMs: Math.round(clock.nowMs() - startMs),
    });
    // A record that was right needs no writing again.
    if (hashedPieces === 0 && stored.count > 0) this.#recordedWrites = 0;
    if (!stored.complete) await this.storage.makeWritable();
  }

  /** Makes sure that what we have is still there. @throws {RunError} `file-changed`. */
  async confirm(): Promise<void> {
    await this.storage.confirm(await this.storage.look());
  }

  /** Looks after the files until `signal` aborts. @throws {RunError} `file-changed`. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ctx;
    for (let atMs = clock.nowMs() + INTERVAL_MS;; atMs += INTERVAL_MS) {
      await pauseUntil(atMs, { clock, signal });
      if (signal.aborted) return;
      if (this.storage.writes === this.#recordedWrites) continue;
      const { writes } = this.storage;
      await this.storage.sync();
      await this.#record({ syncedWrites: writes });
    }
  }

  /** Closes the files and records what is there. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#checked && this.storage.writes !== this.#recordedWrites) {
      await this.#record({ syncedWrites: -1 }).catch((error) => {
        if (!(error instanceof RunError)) throw error;
      });
    }
    await this.storage[Symbol.asyncDispose]();
  }

  /** Writes a record, if the folder is one that can be written to. @throws {RunError} `file-changed`: then there is none any more. */
  async #record(options: { readonly syncedWrites: number }): Promise<void> {
    const { storage } = this;
    const stats = await storage.look();
    try {
      await storage.confirm(stats);
    } catch (error) {
      await this.#resume.forget();
      throw error;
    }
    const { writes } = storage;
    const synced = writes === options.syncedWrites;
    try {
      await this.#resume.save({ stats, pieces: storage.stored, synced });
      if (synced) this.#recordedWrites = writes;
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
    }
  }
}
