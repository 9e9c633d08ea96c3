import { RunError } from "../../../lib/core/errors.ts";
import type { DiskFile } from "../../../lib/http/cache/disk_entry.ts";
import { encodeDiskHead } from "../../../lib/http/cache/disk_file.ts";
import type { StoredResponse } from "../../../lib/http/cache/stored_response.ts";
import type { Tiers } from "../../../lib/http/cache/tiers.ts";
import { crc32 } from "../../../lib/io/hash.ts";
import type { RoleContext } from "../../../lib/role.ts";

/** What may wait to be written, which the memory keeps meanwhile; at most a quarter of that. What comes then is kept in memory only. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;
/** How long nothing is written after a failure: a disk that is full does not get emptier by trying. Also between two complaints. */
const PAUSE_MS = 10_000;

/** Writes and removes the files of the cache's folder, one after the other. */
export class DiskWrites {
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "files">;
  readonly #folder: string;
  readonly #namePrefix: string;
  #named = 0;
  #waitingBytes = 0;
  #work: Promise<void> = Promise.resolve();
  #resumeAtMs = -Infinity;
  /** Not written for want of time, and not told yet. */
  #skipped = { objects: 0, bytes: 0 };
  #tellAtMs = -Infinity;

  /** Writes into `folder`; `part` keeps the names apart from those that others write there at the same time. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit" | "files">,
    folder: string,
    part: string,
  ) {
    this.#ctx = ctx;
    this.#folder = folder;
    // No name of an earlier run is used again.
    this.#namePrefix = Math.floor(ctx.clock.wallMs()).toString(36) + part;
  }

  /** Writes a response that is complete, when its turn comes; not if it is not wanted any more by then. */
  write(stored: StoredResponse, tiers: Tiers): void {
    if (this.#isPaused || !tiers.wantsDisk(stored)) return;
    const bytes = stored.body.bytes.length;
    const maxBytes = Math.min(MAX_WAITING_BYTES, tiers.maxObjectBytes / 2);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxBytes) {
      this.#skip(bytes);
      return;
    }
    this.#waitingBytes += bytes;
    tiers.beginWrite(stored);
    this.#then(async () => {
      try {
        if (!this.#isPaused && tiers.wantsDisk(stored)) {
          await this.#writeNow(stored, tiers);
        }
      } finally {
        this.#waitingBytes -= bytes;
        tiers.endWrite(stored);
        if (this.#waitingBytes === 0) this.#tell();
      }
    });
  }

  async #writeNow(stored: StoredResponse, tiers: Tiers): Promise<void> {
    const head = encodeDiskHead(stored, crc32);
    const body = stored.body.bytes;
    const number = this.#named++;
    const shard = (number % 256).toString(16).padStart(2, "0");
    const name = `${shard}/${this.#namePrefix}-${number.toString(36)}.cached`;
    await this.#ctx.files.writeAtomic(`${this.#folder}/${name}`, head, body);
    const file: DiskFile = {
      name,
      bodyBytes: body.length,
      fileBytes: head.length + body.length,
    };
    // What takes its place may have come meanwhile.
    if (!tiers.wroteToDisk(stored, file)) await this.#removeNow(name);
  }

  /** Removes a file, after what was to be done before. */
  remove(name: string): void {
    this.#then(() => this.#removeNow(name));
  }

  #removeNow(name: string): Promise<void> {
    return this.#ctx.files.remove(`${this.#folder}/${name}`);
  }

  /** Resolves when what was to be done so far has been, whatever comes meanwhile: under load there is no end of that. */
  caughtUp(): Promise<void> {
    return this.#work;
  }

  /** Resolves when there is nothing to be done any more: what is written may push out what is to be removed. */
  async settled(): Promise<void> {
    let work: Promise<void> | undefined;
    while (work !== this.#work) {
      work = this.#work;
      await work;
    }
  }

  get #isPaused(): boolean {
    return this.#ctx.clock.nowMs() < this.#resumeAtMs;
  }

  #skip(bytes: number): void {
    this.#skipped.objects += 1;
    this.#skipped.bytes += bytes;
    const nowMs = this.#ctx.clock.nowMs();
    if (nowMs < this.#tellAtMs) return;
    this.#tellAtMs = nowMs + PAUSE_MS;
    this.#tell();
  }

  #tell(): void {
    if (this.#skipped.objects === 0) return;
    this.#ctx.emit({
      type: "cache.skipped",
      ...this.#skipped,
      waitingBytes: this.#waitingBytes,
    });
    this.#skipped = { objects: 0, bytes: 0 };
  }

  #then(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!(error instanceof RunError)) throw error;
    const { clock, emit } = this.#ctx;
    if (this.#isPaused) return;
    this.#resumeAtMs = clock.nowMs() + PAUSE_MS;
    const { code, message } = error;
    emit({ type: "cache.failed", code, message });
  }
}
