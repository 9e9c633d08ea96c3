import { RunError } from "../../../lib/core/errors.ts";
import type { DiskFile } from "../../../lib/http/cache/disk_entry.ts";
import {
  CHUNK_BYTES,
  decodeDiskHead,
  type DiskHead,
  diskTextBytes,
  PRELUDE_BYTES,
} from "../../../lib/http/cache/disk_file.ts";
import type {
  StoredBody,
  StoredBodyReader,
} from "../../../lib/http/cache/stored_body.ts";
import type { Files, RandomAccessFile } from "../../../lib/io/files.ts";
import { crc32 } from "../../../lib/io/hash.ts";

/** The head of a file, and where its body begins. */
export interface PlacedHead extends DiskHead {
  readonly bodyAt: number;
}

/** Reads what stands before the body; undefined when it is damaged. */
export async function readHead(
  file: RandomAccessFile,
  fileBytes: number,
): Promise<PlacedHead | undefined> {
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
export class ChunkReader {
  readonly #file: RandomAccessFile;
  readonly #head: PlacedHead;
  readonly #bodyBytes: number;
  #buffer = new Uint8Array(0);
  #read = 0;

  /** Begins with the first. */
  constructor(
    file: RandomAccessFile,
    head: PlacedHead,
    { bodyBytes }: DiskFile,
  ) {
    this.#file = file;
    this.#head = head;
    this.#bodyBytes = bodyBytes;
  }

  /** Whether all has been read. */
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

/** A body that stays on the disk, read as its readers go: for what the memory has no room for. Its checksums have been looked at. */
export class DiskBody implements StoredBody {
  /** See {@linkcode StoredBody.state}. */
  readonly state = "complete";
  /** See {@linkcode StoredBody.isWhole}: not in memory. */
  readonly isWhole = false;
  /** See {@linkcode StoredBody.filledBytes}: in memory. */
  readonly filledBytes = 0;
  /** See {@linkcode StoredBody.lengthBytes}. */
  readonly lengthBytes: number;
  readonly #open: () => Promise<RandomAccessFile>;
  readonly #bodyAt: number;

  /** A body of `lengthBytes` that begins at `bodyAt` of the file at `path`. */
  constructor(
    files: Pick<Files, "open">,
    place: {
      readonly path: string;
      readonly bodyAt: number;
      readonly lengthBytes: number;
    },
  ) {
    this.#open = () => files.open(place.path, {});
    this.#bodyAt = place.bodyAt;
    this.lengthBytes = place.lengthBytes;
  }

  /** See {@linkcode StoredBody.bytes}: there is no such thing. */
  get bytes(): Uint8Array<ArrayBuffer> {
    throw new TypeError("the body is on the disk");
  }

  /** See {@linkcode StoredBody.reader}: it has the file open from its first read until it has all, or leaves. */
  reader(begin = 0, end = Infinity): StoredBodyReader {
    const endAt = Math.min(end, this.lengthBytes);
    let at = begin;
    let file: Promise<RandomAccessFile> | undefined;
    let hasLeft = false;
    const leave = () => {
      hasLeft = true;
      void file?.then((open) => open[Symbol.asyncDispose](), () => {});
      file = undefined;
    };
    return {
      next: async (maxBytes) => {
        if (hasLeft || at >= endAt) {
          leave();
          return null;
        }
        file ??= this.#open();
        const bytes = new Uint8Array(Math.min(maxBytes, endAt - at));
        const count = await (await file).readAt(this.#bodyAt + at, bytes);
        if (count < bytes.length) {
          throw new RunError(
            "io-failed",
            "Cannot read the body: it is cut off",
          );
        }
        at += count;
        return bytes;
      },
      leave,
    };
  }
}
