import { RunError } from "../../../lib/core/errors.ts";
import {
  type DiskEntry,
  diskEntryFrom,
} from "../../../lib/http/cache/disk_entry.ts";
import { currentAgeMs } from "../../../lib/http/cache/reuse.ts";
import type {
  FillingResponse,
  StoredResponse,
} from "../../../lib/http/cache/stored_response.ts";
import type { Tiers } from "../../../lib/http/cache/tiers.ts";
import type { RandomAccessFile } from "../../../lib/io/files.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { ChunkReader, DiskBody, readHead } from "./reading.ts";
import { DiskWrites } from "./writes.ts";

/** Files that are looked at together at the start. */
const TOGETHER = 32;
/** Our files, and what is left of one that was being written when the program was killed. Nothing else in the folder is touched. */
const FOLDER = /^[0-9a-f]{2}$/;
const FILE =
  /^[0-9a-z]+-[0-9a-z]+\.cached(?:\.[0-9a-f]+(?:\.rolecall)?\.tmp)?$/;
/** Held by the edge that uses the folder. */
const LOCK = "in-use.lock";

/** The part of a folder that one of several threads has. */
export interface DiskShare {
  /** From 0; the first one looks after what belongs to none. */
  readonly index: number;
  /** Whether the responses to a target are this one's to keep. */
  isMine(target: string): boolean;
}

/** The folder of one who has it alone. */
const WHOLE: DiskShare = { index: 0, isMine: () => true };

/** Keeps what is cached in a folder: one file for each response, written whole or not at all. */
export class DiskTier implements AsyncDisposable {
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "files">;
  readonly #folder: string;
  readonly #writes: DiskWrites;
  readonly #share: DiskShare;
  #tiers: Tiers | undefined;
  /** Reads under way. */
  readonly #loading = new Set<Promise<void>>();

  /** Uses `folder`, which is there and ours: see {@linkcode lockFolder}. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit" | "files">,
    folder: string,
    share: DiskShare = WHOLE,
  ) {
    this.#ctx = ctx;
    this.#folder = folder;
    this.#share = share;
    const part = share === WHOLE ? "" : share.index.toString(36);
    this.#writes = new DiskWrites(ctx, folder, part);
  }

  /** Takes up what an earlier run left, and removes what is damaged, and the oldest where there is not room for all. */
  async restore(tiers: Tiers): Promise<void> {
    this.#tiers = tiers;
    const { clock, emit, files } = this.#ctx;
    const startedAtMs = clock.nowMs();
    const names: string[] = [];
    for (const { name, kind } of await files.list(this.#folder)) {
      if (kind !== "folder" || !FOLDER.test(name)) continue;
      for (const file of await files.list(`${this.#folder}/${name}`)) {
        if (FILE.test(file.name)) names.push(`${name}/${file.name}`);
      }
    }
    const entries: DiskEntry[] = [];
    let removed = 0;
    for (let at = 0; at < names.length; at += TOGETHER) {
      const some = names.slice(at, at + TOGETHER);
      const found = await Promise.all(some.map((name) => this.#found(name)));
      for (const [index, entry] of found.entries()) {
        if (entry !== undefined) {
          if (this.#share.isMine(entry.key)) entries.push(entry);
        } else if (this.#share.index === 0) {
          removed += 1;
          this.#writes.remove(some[index]!);
        }
      }
    }
    for (const entry of tiers.foundOnDisk(entries)) {
      removed += 1;
      this.discard(entry);
    }
    await this.settled();
    const { objects, usedBytes } = tiers.stats().disk!;
    emit({
      type: "cache.restored",
      objects,
      bytes: usedBytes,
      removed,
      durationMs: clock.nowMs() - startedAtMs,
    });
  }

  async #found(name: string): Promise<DiskEntry | undefined> {
    if (!name.endsWith(".cached")) return undefined;
    const { clock, files } = this.#ctx;
    const path = `${this.#folder}/${name}`;
    try {
      const stat = await files.stat(path);
      if (stat?.kind !== "file") return undefined;
      await using file = await files.open(path, {});
      const fileBytes = stat.sizeBytes;
      const head = await readHead(file, fileBytes);
      if (head === undefined) return undefined;
      const now = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      return diskEntryFrom(head.entry, { name, fileBytes }, now);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      return undefined;
    }
  }

  /** Writes a response that is complete, when its turn comes; not if it is not wanted any more by then. */
  write(stored: StoredResponse): void {
    this.#writes.write(stored, this.#tiers!);
  }

  /** The file of an entry is not wanted any more. */
  discard(entry: DiskEntry): void {
    this.#writes.remove(entry.body.name);
  }

  /**
   * Brings an entry into memory, or, where there is no room for it, makes it ready to be read where it is. `settle` hears
   * of what there is as soon as its beginning is there and known to be good, or, when it is to be revalidated or stays
   * on the disk, all of it; of nothing when it is damaged.
   */
  async load(
    entry: DiskEntry,
    settle: (stored: StoredResponse | undefined) => void,
  ): Promise<void> {
    const path = `${this.#folder}/${entry.body.name}`;
    let file: RandomAccessFile | undefined;
    let loaded: StoredResponse | undefined;
    try {
      file = await this.#ctx.files.open(path, {});
      loaded = await this.#open(entry, file);
      if (loaded === undefined) await this.#damaged(entry, file);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      await this.#damaged(entry, file);
    } finally {
      settle(loaded);
    }
  }

  /** What `entry` is with its body in memory, or to be read from `file`; undefined when that is damaged. */
  async #open(
    entry: DiskEntry,
    file: RandomAccessFile,
  ): Promise<StoredResponse | undefined> {
    const tiers = this.#tiers!;
    const head = await readHead(file, entry.body.fileBytes);
    if (head === undefined) return undefined;
    const reading = new ChunkReader(file, head, entry.body);
    const first = await reading.next();
    if (first === undefined || !tiers.isOnDisk(entry)) return undefined;
    if (tiers.roomFor(entry.body.bodyBytes) === "ok") {
      const stored = tiers.load(entry);
      stored.body.append(first);
      const rest = this.#loadRest(stored, { entry, file, reading });
      const nowMs = this.#ctx.clock.nowMs();
      if (currentAgeMs(entry, nowMs) >= entry.lifetimeMs) await rest;
      return stored;
    }
    while (!reading.isAtEnd) {
      if (await reading.next() === undefined) return undefined;
    }
    await file[Symbol.asyncDispose]();
    const body = new DiskBody(this.#ctx.files, {
      path: `${this.#folder}/${entry.body.name}`,
      bodyAt: head.bodyAt,
      lengthBytes: entry.body.bodyBytes,
    });
    return tiers.loadInPlace(entry, body);
  }

  #loadRest(
    stored: FillingResponse,
    { entry, file, reading }: {
      readonly entry: DiskEntry;
      readonly file: RandomAccessFile;
      readonly reading: ChunkReader;
    },
  ): Promise<void> {
    const tiers = this.#tiers!;
    const all = (async () => {
      try {
        while (!reading.isAtEnd) {
          const chunk = await reading.next();
          if (chunk === undefined) throw new RangeError("the file is damaged");
          stored.body.append(chunk);
        }
        stored.body.finish();
        tiers.completed(stored);
        await file[Symbol.asyncDispose]();
      } catch (error) {
        stored.body.fail(error);
        tiers.dropped(stored);
        await this.#damaged(entry, file);
      }
    })();
    this.#loading.add(all);
    return all.finally(() => this.#loading.delete(all));
  }

  async #damaged(
    entry: DiskEntry,
    file: RandomAccessFile | undefined,
  ): Promise<void> {
    await file?.[Symbol.asyncDispose]();
    // It may have been forgotten while it was read.
    if (!this.#tiers!.isOnDisk(entry)) return;
    this.#tiers!.lostOnDisk(entry);
    const { key, body } = entry;
    this.#ctx.emit({ type: "cache.damaged", path: key, file: body.name });
  }

  /** Resolves when what was to be written and removed so far has been: what is forgotten now is not on the disk any more. */
  caughtUp(): Promise<void> {
    return this.#writes.caughtUp();
  }

  /** Resolves when nothing is to be written or removed any more; under load that may be never. */
  settled(): Promise<void> {
    return this.#writes.settled();
  }

  /** Resolves when no file is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#loading]);
    await this.settled();
  }
}

/**
 * Makes a folder for a cache, when it is not there, and keeps other edges from it.
 *
 * @throws {RunError} `in-use` when another edge has it.
 */
export async function lockFolder(
  files: RoleContext["files"],
  folder: string,
): Promise<Disposable> {
  await files.makeFolder(folder);
  const lock = await files.lock(`${folder}/${LOCK}`);
  if (lock !== undefined) return lock;
  throw new RunError(
    "in-use",
    `Cannot use ${folder} for the cache: another edge has it, give each its own --cache-dir`,
  );
}
