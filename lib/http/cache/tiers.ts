import type { FieldSource } from "../fields.ts";
import type { DiskEntry, DiskFile } from "./disk_entry.ts";
import { Forgotten } from "./forgotten.ts";
import { GrowingBody } from "./growing_body.ts";
import { Shelf, type Shelved } from "./shelf.ts";
import type { StoredBody } from "./stored_body.ts";
import {
  type CacheRequest,
  costOf,
  type FillingResponse,
  type StoredResponse,
} from "./stored_response.ts";

/** Of so many hits in memory one counts as a use on the disk: else what is wanted most would leave that first. */
const HITS_FOR_DISK = 16;

/** How full a tier is. */
export interface TierStats {
  readonly objects: number;
  readonly usedBytes: number;
  /** How many had to leave so far, for want of room. */
  readonly evictions: number;
}

/** How large a cache may be. */
export interface TierOptions {
  /** Of the memory. An object may take half of it. */
  readonly capacityBytes: number;
  /** A second tier: its size, and who hears of entries whose files are not wanted any more. */
  readonly disk?: {
    readonly capacityBytes: number;
    readonly gone: (entry: DiskEntry) => void;
  };
}

/**
 * What a cache holds: in memory, and as far as there is one on a disk.
 *
 * The memory answers. What is complete in memory is also written to the disk, by a driver; when the memory has lost it,
 * it is read back in, as a response that fills from the disk instead of from an origin, or is read where it is when the
 * memory has no room for it. So the disk holds all that the memory does and more, and there is one way to answer.
 *
 * What fills, and what waits to be written, is pinned in memory: nobody fetches it a second time meanwhile.
 */
export class Tiers {
  readonly #memory: Shelf<StoredResponse>;
  readonly #disk: Shelf<DiskEntry> | undefined;
  readonly #capacityBytes: number;
  readonly #diskBytes: number;
  #hits = 0;
  /** Bodies that grow. They are in memory even when the shelf has no place for them any more. */
  readonly #filling = new Set<GrowingBody>();
  /** Bodies that wait for the disk. */
  readonly #leaving = new Set<StoredBody>();
  /** Of bodies that can be read, the files they are also in. */
  readonly #files = new WeakMap<StoredBody, DiskFile>();
  readonly #forgotten = new Forgotten();

  /** Largest body that is kept. */
  readonly maxObjectBytes: number;

  /** Creates empty tiers. */
  constructor({ capacityBytes, disk }: TierOptions) {
    this.maxObjectBytes = Math.floor(capacityBytes / 2);
    this.#capacityBytes = capacityBytes;
    this.#diskBytes = disk?.capacityBytes ?? 0;
    this.#memory = new Shelf({
      capacityBytes,
      costOf,
      isUsable: ({ body }) => body.state !== "failed",
      isPinned: ({ body }) =>
        body.state === "filling" || this.#leaving.has(body),
    });
    this.#disk = disk === undefined ? undefined : new Shelf({
      ...disk,
      costOf: ({ body }) => body.fileBytes,
    });
  }

  /** How full they are: the memory, and the disk if there is one. */
  stats(): TierStats & { readonly disk: TierStats | undefined } {
    return { ...this.#memory.stats(), disk: this.#disk?.stats() };
  }

  /** What is in memory for a request. Counts as a use. */
  find(request: CacheRequest): StoredResponse | undefined {
    const stored = this.#memory.find(request);
    if (stored === undefined || this.#disk === undefined) return stored;
    this.#hits += 1;
    if (this.#hits % HITS_FOR_DISK === 0) this.#disk.find(request);
    return stored;
  }

  /** What the disk has for a request, if that is newer than `stored`, which answers otherwise. Counts as a use. */
  findOnDisk(
    request: CacheRequest,
    stored: StoredResponse | undefined,
  ): DiskEntry | undefined {
    return stored === undefined
      ? this.#disk?.find(request)
      : this.#disk?.findNewer(request, stored);
  }

  /** Whether any variant of a resource is in memory. */
  has(key: string): boolean {
    return this.#memory.has(key);
  }

  /** Names the variant a request asks for, as far as it is known by what the resource varies. */
  variantOf(request: CacheRequest): string {
    return this.#memory.variantOf(request);
  }

  /** Whether a body may come in. */
  roomFor(bodyBytes: number): "ok" | "too-large" | "busy" {
    if (bodyBytes > this.maxObjectBytes) return "too-large";
    return this.#pinnedBytes() + bodyBytes > this.#capacityBytes
      ? "busy"
      : "ok";
  }

  /** A body begins to come in that is not kept yet: it takes memory all the same. */
  begin(body: GrowingBody): void {
    this.#filling.add(body);
  }

  /** The body has come in, or never will. */
  end(body: GrowingBody): void {
    this.#filling.delete(body);
  }

  /** Keeps a response whose body is complete, or begins to come in. Returns whether it is held. */
  keep(stored: StoredResponse): boolean {
    const { body } = stored;
    const isFilling = body instanceof GrowingBody && body.state === "filling";
    if (isFilling) this.begin(body);
    const file = this.#files.get(body);
    const isOnDiskAlone = file !== undefined && !isFilling && !body.isWhole;
    const isHeld = !isOnDiskAlone && this.#memory.keep(stored);
    if (isFilling && !isHeld) this.end(body);
    // A refreshed one makes its copy on the disk, if that is of the same body, as good as it is itself.
    if (file !== undefined) this.#disk?.keep({ ...stored, body: file });
    // A newer response: what the disk has in its place must not come back.
    else this.#disk?.removeVariant(stored);
    return isHeld;
  }

  /** Whether the growing body of `stored`, whose length nobody knew, may still be kept. */
  mayGrow(stored: FillingResponse): boolean {
    if (stored.body.filledBytes > this.maxObjectBytes) return false;
    return this.#memory.holds(stored)
      ? this.#memory.update(stored)
      : this.#pinnedBytes() <= this.#capacityBytes;
  }

  /** The body of `stored` is complete: from now on it counts in the budget with its real size. */
  completed(stored: FillingResponse): void {
    this.end(stored.body);
    this.#memory.update(stored);
  }

  /** The body of `stored` will never be complete, or is too large to keep: later lookups do not find it. */
  dropped(stored: FillingResponse): void {
    this.end(stored.body);
    this.#memory.remove(stored);
  }

  /** Begins to bring an entry in from the disk: its body is to be filled as if it came from an origin. */
  load(entry: DiskEntry): FillingResponse {
    const stored = { ...entry, body: new GrowingBody(entry.body.bodyBytes) };
    this.#files.set(stored.body, entry.body);
    this.keep(stored);
    return stored;
  }

  /** An entry is answered with from the disk: `body` reads its file. */
  loadInPlace(entry: DiskEntry, body: StoredBody): StoredResponse {
    this.#files.set(body, entry.body);
    return { ...entry, body };
  }

  /** Whether `stored` should be on the disk and is not: it is what lookups find, and all there. */
  wantsDisk(stored: StoredResponse): boolean {
    return this.#disk !== undefined && stored.body.isWhole &&
      !this.#files.has(stored.body) && this.#memory.holds(stored);
  }

  /** `stored` waits to be written: the memory keeps it until {@linkcode Tiers.endWrite}. */
  beginWrite({ body }: StoredResponse): void {
    this.#leaving.add(body);
  }

  /** `stored` has been written, or is not going to be. */
  endWrite(stored: StoredResponse): void {
    this.#leaving.delete(stored.body);
    this.#memory.update(stored);
  }

  /** `stored` has been written to `file`. False when it is not wanted any more, or there is no room: the file may go. */
  wroteToDisk(stored: StoredResponse, file: DiskFile): boolean {
    if (!this.wantsDisk(stored)) return false;
    this.#files.set(stored.body, file);
    return this.#disk!.keep({ ...stored, body: file });
  }

  /**
   * What was found on the disk when the cache began. The newest stay, as far as there is room; they come in oldest first,
   * for of several that fit a request the most recent answers (RFC 9111 §4). Returns the others: their files may go.
   */
  foundOnDisk(entries: readonly DiskEntry[]): readonly DiskEntry[] {
    const newestFirst = entries.toSorted((a, b) =>
      b.responseWallMs - a.responseWallMs
    );
    let leftBytes = this.#diskBytes;
    const [kept, others]: [DiskEntry[], DiskEntry[]] = [[], []];
    for (const entry of newestFirst) {
      const { fileBytes } = entry.body;
      const fits = fileBytes <= leftBytes;
      if (fits) leftBytes -= fileBytes;
      (fits ? kept : others).push(entry);
    }
    for (const entry of kept.reverse()) this.#disk?.keep(entry);
    return others;
  }

  /** Whether an entry is still wanted on the disk. */
  isOnDisk(entry: DiskEntry): boolean {
    return this.#disk?.holds(entry) === true;
  }

  /** An entry turned out to be gone from the disk, or damaged. */
  lostOnDisk(entry: DiskEntry): void {
    this.#disk?.remove(entry);
  }

  /** Removes a response from the memory. */
  remove(stored: StoredResponse): void {
    this.#memory.remove(stored);
  }

  /** Forgets all that a request would find, on both tiers. */
  forget(request: CacheRequest): void {
    forgetAllIn(this.#memory, request);
    if (this.#disk !== undefined) forgetAllIn(this.#disk, request);
  }

  /** Forgets all variants of a resource. Returns how many there were, on either tier. */
  forgetAll(key: string): number {
    this.#forgotten.addKey(key);
    const removed = new Set<string>();
    this.#memory.removeAll(key, removed);
    this.#disk?.removeAll(key, removed);
    return removed.size;
  }

  /** Forgets everything that `matches`. Returns how many responses that were, on either tier. */
  forgetWhere(
    matches: (
      entry: { readonly key: string; readonly fields: FieldSource },
    ) => boolean,
  ): number {
    this.#forgotten.addWhere(matches);
    const removed = new Set<string>();
    this.#memory.removeWhere(matches, removed);
    this.#disk?.removeWhere(matches, removed);
    return removed.size;
  }

  /** For a fetch that begins now: see {@linkcode Tiers.wasForgotten}. */
  get orders(): number {
    return this.#forgotten.count;
  }

  /** Whether `entry` was forgotten since there were `begun` orders to: what is fetched since then is not to be kept. */
  wasForgotten(
    entry: { readonly key: string; readonly fields: FieldSource },
    begun: number | undefined,
  ): boolean {
    return begun !== undefined && this.#forgotten.has(entry, begun);
  }

  #pinnedBytes(): number {
    let sum = 0;
    for (const bodies of [this.#filling, this.#leaving]) {
      for (const body of bodies) sum += body.lengthBytes ?? body.filledBytes;
    }
    return sum;
  }
}

/** What is older than the newest would be found next. */
function forgetAllIn<T extends Shelved>(
  shelf: Shelf<T>,
  request: CacheRequest,
): void {
  for (;;) {
    const entry = shelf.find(request);
    if (entry === undefined) return;
    shelf.remove(entry);
  }
}
