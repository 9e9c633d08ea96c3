import { RunError } from "../../lib/core/errors.ts";
import {
  type DiskEntry,
  diskEntryFrom,
  type DiskFile,
} from "../../lib/http/disk_entry.ts";
import {
  CHUNK_BYTES,
  decodeDiskHead,
  type DiskHead,
  diskTextBytes,
  encodeDiskFile,
  PRELUDE_BYTES,
} from "../../lib/http/disk_file.ts";
import { currentAgeMs } from "../../lib/http/reuse.ts";
import type {
  FillingResponse,
  StoredResponse,
} from "../../lib/http/stored_response.ts";
import type { Tiers } from "../../lib/http/tiers.ts";
import { crc32 } from "../../lib/io/hash.ts";
import type { RandomAccessFile } from "../../lib/io/files.ts";
import type { RoleContext } from "../../lib/role.ts";

/** What may wait to be written. What comes meanwhile is kept in memory only. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;
/** How long nothing is written after a failure: a disk that is full does not get emptier by trying. */
const PAUSE_MS = 10_000;
/** Files that are looked at together at the start. */
const TOGETHER = 32;
/** Our files, and what is left of one that was being written when the program was killed. Nothing else in the folder is touched. */
const FOLDER = /^[0-9a-f]{2}$/;
const FILE = /^[0-9a-z]+-[0-9a-z]+\.cached(?:\.[0-9]+\.tmp)?$/;

/** Keeps what is cached in a folder: one file for each response, written whole or not at all. */
export class DiskTier implements AsyncDisposable {
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "files">;
  readonly #folder: string;
  readonly #namePrefix: string;
  #tiers: Tiers | undefined;
  #named = 0;
  #waitingBytes = 0;
  /** Writes and removals, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #resumeAtMs = -Infinity;
  /** Reads under way. */
  readonly #loading = new Set<Promise<void>>();

  /** Uses `folder`, which is made when it is not there. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit" | "files">,
    folder: string,
  ) {
    this.#ctx = ctx;
    this.#folder = folder;
    // No name of an earlier run is used again.
    this.#namePrefix = Math.floor(ctx.clock.wallMs()).toString(36);
  }

  /** Takes up what an earlier run left, the oldest first, and removes what is damaged. */
  async restore(tiers: Tiers): Promise<void> {
    this.#tiers = tiers;
    const { clock, emit, files } = this.#ctx;
    const startedAtMs = clock.nowMs();
    await files.makeFolder(this.#folder);
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
        if (entry !== undefined) entries.push(entry);
        else {
          removed += 1;
          this.#remove(some[index]!);
        }
      }
    }
    entries.sort((a, b) => a.responseWallMs - b.responseWallMs);
    for (const entry of entries) tiers.foundOnDisk(entry);
    await this.settled();
    const { objects, usedBytes, evictions } = tiers.stats().disk!;
    emit({
      type: "cache.restored",
      objects,
      bytes: usedBytes,
      removed: removed + evictions,
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

  /** Writes a response that is complete, when its turn comes; not if it has left the memory by then. */
  write(stored: StoredResponse): void {
    const tiers = this.#tiers!;
    const bytes = stored.body.isWhole ? stored.body.bytes.length : 0;
    const mayWait = this.#waitingBytes + bytes <= MAX_WAITING_BYTES &&
      this.#ctx.clock.nowMs() >= this.#resumeAtMs;
    if (!mayWait || !tiers.wantsDisk(stored)) return;
    this.#waitingBytes += bytes;
    this.#then(async () => {
      try {
        if (tiers.wantsDisk(stored)) await this.#writeNow(stored, tiers);
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
  }

  async #writeNow(stored: StoredResponse, tiers: Tiers): Promise<void> {
    const bytes = encodeDiskFile(stored, crc32);
    const number = this.#named++;
    const shard = (number % 256).toString(16).padStart(2, "0");
    const name = `${shard}/${this.#namePrefix}-${number.toString(36)}.cached`;
    await this.#ctx.files.writeAtomic(`${this.#folder}/${name}`, bytes);
    const file: DiskFile = {
      name,
      bodyBytes: stored.body.bytes.length,
      fileBytes: bytes.length,
    };
    // What takes its place may have come meanwhile.
    if (!tiers.wroteToDisk(stored, file)) this.#remove(name);
  }

  /** The file of an entry is not wanted any more. */
  discard(entry: DiskEntry): void {
    this.#remove(entry.body.name);
  }

  /**
   * Brings an entry into memory, and settles `flight`: as soon as its beginning is there and known to be good, or, when
   * it is to be revalidated, all of it.
   */
  async load(entry: DiskEntry, settle: () => void): Promise<void> {
    const { clock, files } = this.#ctx;
    const path = `${this.#folder}/${entry.body.name}`;
    let file: RandomAccessFile | undefined;
    try {
      file = await files.open(path, {});
      const head = await readHead(file, entry.body.fileBytes);
      const reading = head === undefined
        ? undefined
        : new ChunkReader(file, head, entry.body);
      const first = await reading?.next();
      if (reading === undefined || first === undefined) {
        return await this.#damaged(entry, file);
      }
      const stored = this.#tiers!.load(entry);
      stored.body.append(first);
      const rest = this.#loadRest(stored, { entry, file, reading });
      const isFresh = currentAgeMs(entry, clock.nowMs()) < entry.lifetimeMs;
      if (!isFresh) await rest;
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      await this.#damaged(entry, file);
    } finally {
      settle();
    }
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
    this.#tiers!.lostOnDisk(entry);
    const { key, body } = entry;
    this.#ctx.emit({ type: "cache.damaged", path: key, file: body.name });
  }

  /** Resolves when what was to be written and removed so far has been. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Resolves when no file is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#loading]);
    await this.#work;
  }

  #remove(name: string): void {
    this.#then(() => this.#ctx.files.remove(`${this.#folder}/${name}`));
  }

  #then(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!(error instanceof RunError)) throw error;
    const { clock, emit } = this.#ctx;
    if (clock.nowMs() < this.#resumeAtMs) return;
    this.#resumeAtMs = clock.nowMs() + PAUSE_MS;
    const { code, message } = error;
    emit({ type: "cache.failed", code, message });
  }
}

async function readHead(
  file: RandomAccessFile,
  fileBytes: number,
): Promise<(DiskHead & { readonly bodyAt: number }) | undefined> {
  const prelude = new Uint8Array(PRELUDE_BYTES);
  const there = await file.readAt(0, prelude);
  const textBytes = diskTextBytes(prelude.subarray(0, there));
  if (textBytes === undefined) return undefined;
  const text = new Uint8Array(textBytes);
  if (await file.readAt(PRELUDE_BYTES, text) < textBytes) return undefined;
  const head = decodeDiskHead(prelude, text, { fileBytes, checksum: crc32 });
  return head && { ...head, bodyAt: PRELUDE_BYTES + textBytes };
}

/** Reads a body chunk by chunk, and believes none without its checksum. */
class ChunkReader {
  readonly #file: RandomAccessFile;
  readonly #head: DiskHead & { readonly bodyAt: number };
  readonly #bodyBytes: number;
  #buffer = new Uint8Array(0);
  #read = 0;

  constructor(
    file: RandomAccessFile,
    head: DiskHead & { readonly bodyAt: number },
    { bodyBytes }: DiskFile,
  ) {
    this.#file = file;
    this.#head = head;
    this.#bodyBytes = bodyBytes;
  }

  get isAtEnd(): boolean {
    return this.#read >= this.#bodyBytes;
  }

  /** The next chunk, valid until the one after; empty at the end, undefined when it is damaged. */
  async next(): Promise<Uint8Array | undefined> {
    const bytes = Math.min(CHUNK_BYTES, this.#bodyBytes - this.#read);
    if (bytes === 0) return new Uint8Array(0);
    if (this.#buffer.length < bytes) this.#buffer = new Uint8Array(bytes);
    const chunk = this.#buffer.subarray(0, bytes);
    const { bodyAt, checksums } = this.#head;
    const count = await this.#file.readAt(bodyAt + this.#read, chunk);
    const isGood = count === bytes &&
      crc32(chunk) === checksums[this.#read / CHUNK_BYTES];
    this.#read += bytes;
    return isGood ? chunk : undefined;
  }
}
