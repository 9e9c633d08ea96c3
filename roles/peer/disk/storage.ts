import { join } from "@std/path";
import { RunError } from "../../../lib/core/errors.ts";
import {
  pieceLengthOf,
  piecesOf,
  rangesOf,
} from "../../../lib/bittorrent/metainfo/layout.ts";
import type { TorrentInfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { PieceHashes } from "../../../lib/bittorrent/metainfo/piece_hashes.ts";
import { Bitfield } from "../../../lib/bittorrent/wire/bitfield.ts";
import type {
  Files,
  FileStat,
  RandomAccessFile,
} from "../../../lib/io/files.ts";
import type { PieceStore } from "../../../lib/peer/swarm_driver.ts";
import type { Known } from "./resume.ts";

/** Files held open at once: torrents may have thousands, and systems allow as few as 256 in all. */
const MAX_OPEN_FILES = 64;

/** What somebody did to a file. */
const REMOVED = "removed it";
const SHORTER = "made it shorter";
const WRITTEN = "wrote to it";

interface OpenFile {
  readonly opening: Promise<RandomAccessFile>;
  users: number;
}

/**
 * A torrent's files below a folder. Pieces are read and written in place; files are opened when first needed, made as
 * large as what is written to them (sparse where the file system can), and never made twice: one that goes missing while
 * we run is an error, not an empty file.
 */
export class Storage implements AsyncDisposable, PieceStore {
  /** Pieces that are on the disk and right. */
  readonly stored: Bitfield;
  readonly #files: Files;
  readonly #info: TorrentInfo;
  readonly #hashes: PieceHashes;
  readonly #folder: string;
  /** By file, the one used longest ago first. */
  readonly #open = new Map<number, OpenFile>();
  /** Files that were written to since the last {@linkcode Storage.sync}. */
  readonly #unsynced = new Set<number>();
  /** Files that were made or found by us. */
  readonly #seen = new Set<number>();
  /** How each file was when it was read or written last. */
  readonly #noted: string[] = [];
  /** Of each file that is ours to write: how many writes are under way. */
  readonly #writing: number[] = [];
  /** Pieces in files that somebody else has written to since. */
  readonly #doubtful = new Set<number>();
  #writable = false;
  #writes = 0;

  /** @param options.folder Where the torrent's file or folder lies. */
  constructor(
    files: Files,
    options: {
      readonly info: TorrentInfo;
      readonly hashes: PieceHashes;
      readonly folder: string;
    },
  ) {
    this.#files = files;
    this.#info = options.info;
    this.#hashes = options.hashes;
    this.#folder = options.folder;
    this.stored = new Bitfield(options.info.pieceCount);
  }

  /** Pieces written so far in this run. */
  get writes(): number {
    return this.#writes;
  }

  /** Looks at every file; null where there is none. Padding and links (BEP 47) count as there. @throws {RunError} `not-a-file`. */
  async look(): Promise<(FileStat | null)[]> {
    const stats: (FileStat | null)[] = [];
    for (const [index, { lengthBytes }] of this.#info.files.entries()) {
      if (!this.#isFile(index)) {
        stats.push({
          ...{ kind: "file", sizeBytes: lengthBytes, allocatedBytes: null },
          modifiedAtWallMs: 0,
        });
        continue;
      }
      const path = this.#pathOf(index);
      const stat = await this.#files.stat(path);
      if (stat !== null && stat.kind !== "file") {
        throw new RunError(
          "not-a-file",
          `Cannot use ${path}: it is ${
            stat.kind === "folder" ? "a folder" : "no regular file"
          }, and the torrent has a file there`,
        );
      }
      stats.push(stat);
    }
    return stats;
  }

  /**
   * Finds out which pieces are there and right: those that are `known` as they are known, the others by reading and hashing them. Nothing is written.
   *
   * @returns How many were hashed.
   */
  async check(
    stats: readonly (FileStat | null)[],
    known: Known,
    signal: AbortSignal,
  ): Promise<number> {
    const info = this.#info;
    const present = info.files.map(({ lengthBytes }, index) =>
      lengthBytes === 0 || (stats[index]?.sizeBytes ?? 0) > 0
    );
    for (const [index, stat] of stats.entries()) {
      if (stat === null) continue;
      this.#seen.add(index);
      this.#noted[index] = versionOf(stat);
    }
    let hashed = 0;
    if (!present.some((here, index) => here && this.#isFile(index))) {
      return hashed;
    }
    const buffer = new Uint8Array(info.pieceLength);
    for (let piece = 0; piece < info.pieceCount; piece++) {
      signal.throwIfAborted();
      const right = known(piece);
      if (right === true) this.stored.add(piece);
      if (right !== null) continue;
      const bytes = buffer.subarray(0, pieceLengthOf(info, piece));
      const block = { pieceIndex: piece, begin: 0, lengthBytes: bytes.length };
      const here = rangesOf(info, block).every((range) =>
        present[range.fileIndex]
      );
      if (!here || !this.#hashes.known(piece)) continue;
      hashed += 1;
      if (await this.#matches(piece, bytes)) this.stored.add(piece);
    }
    return hashed;
  }

  /** Opens files for writing from now on, and makes those that are empty, and links. */
  async makeWritable(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#writable = true;
    for (const [index, file] of this.#info.files.entries()) {
      if (file.link !== undefined) {
        const target = join(this.#folder, ...file.link);
        await this.#files.link(this.#pathOf(index), target);
      } else if (file.lengthBytes === 0) {
        await this.#using(index, (file) => file.truncate(0));
      }
    }
    // What stands in the way is to be known now, and not when the first piece has come.
    for (const [index, file] of this.#info.files.entries()) {
      const { bytes } = this.#storedIn(index);
      if (bytes < file.lengthBytes && this.#isFile(index)) {
        return await this.#using(index, () => Promise.resolve());
      }
    }
  }

  /**
   * Makes sure that what is stored is still there. A file that has holes, because it was made shorter and then written
   * to again, or because its file system stores zeros that way, is hashed, and so is one that others have written to.
   *
   * @throws {RunError} `file-changed`.
   */
  async confirm(stats: readonly (FileStat | null)[]): Promise<void> {
    for (const index of this.#info.files.keys()) {
      const { pieces, bytes, end } = this.#storedIn(index);
      if (bytes === 0) continue;
      const stat = stats[index] ?? null;
      const here = stat !== null && stat.sizeBytes >= end;
      if (!here) throw this.#changed(index, stat === null ? REMOVED : SHORTER);
      const holes = (stat.allocatedBytes ?? Infinity) < bytes;
      const others = this.#writing[index] === undefined &&
        this.#noted[index] !== versionOf(stat);
      if ((holes || others) && !await this.#right(pieces)) {
        throw this.#changed(index, holes ? SHORTER : WRITTEN);
      }
    }
  }

  /** What of a file is stored: the pieces, how much of it they are, and where the last of them ends. */
  #storedIn(fileIndex: number): {
    readonly pieces: readonly number[];
    readonly bytes: number;
    readonly end: number;
  } {
    const { pieceLength, files } = this.#info;
    const { offset, lengthBytes } = files[fileIndex]!;
    const { first, end: endPiece } = piecesOf(this.#info, fileIndex);
    const pieces: number[] = [];
    let bytes = 0;
    let end = 0;
    for (let piece = first; piece < endPiece; piece++) {
      if (!this.stored.has(piece)) continue;
      pieces.push(piece);
      const from = Math.max(0, piece * pieceLength - offset);
      end = Math.min(lengthBytes, (piece + 1) * pieceLength - offset);
      bytes += end - from;
    }
    return { pieces, bytes, end };
  }

  async #right(pieces: readonly number[]): Promise<boolean> {
    const buffer = new Uint8Array(this.#info.pieceLength);
    for (const piece of pieces) {
      const bytes = buffer.subarray(0, pieceLengthOf(this.#info, piece));
      if (!await this.#matches(piece, bytes)) return false;
    }
    return true;
  }

  /** Whether a piece, read into `bytes`, is right. */
  async #matches(pieceIndex: number, bytes: Uint8Array): Promise<boolean> {
    return await this.#fill(pieceIndex, bytes) &&
      this.#hashes.matches(pieceIndex, bytes);
  }

  /** Waits until everything that was written is on the disk. */
  async sync(): Promise<void> {
    for (const index of [...this.#unsynced]) {
      this.#unsynced.delete(index);
      await this.#using(index, (file) => file.sync());
    }
  }

  /** Fills `buffer` with a piece that was there, and is still right; true. @throws {RunError} `file-changed`. */
  async read(pieceIndex: number, buffer: Uint8Array): Promise<boolean> {
    const here = await this.#fill(pieceIndex, buffer);
    if (here && !this.#doubtful.has(pieceIndex)) return true;
    if (here && this.#hashes.matches(pieceIndex, buffer)) {
      this.#doubtful.delete(pieceIndex);
      return true;
    }
    const [first] = this.#partsOf(pieceIndex, buffer);
    throw this.#changed(first!.fileIndex, here ? WRITTEN : SHORTER);
  }

  /** The bytes of a piece, by the files they belong in. */
  *#partsOf(pieceIndex: number, bytes: Uint8Array): Generator<{
    readonly fileIndex: number;
    readonly offset: number;
    readonly part: Uint8Array;
  }> {
    const block = { pieceIndex, begin: 0, lengthBytes: bytes.length };
    let at = 0;
    for (const range of rangesOf(this.#info, block)) {
      const { fileIndex, offset, lengthBytes } = range;
      yield { fileIndex, offset, part: bytes.subarray(at, at + lengthBytes) };
      at += lengthBytes;
    }
  }

  /** Fills `buffer` with what is where a piece belongs; false if the files are too short for it. */
  async #fill(pieceIndex: number, buffer: Uint8Array): Promise<boolean> {
    for (
      const { fileIndex, offset, part } of this.#partsOf(pieceIndex, buffer)
    ) {
      if (!this.#isFile(fileIndex)) {
        part.fill(0);
        continue;
      }
      const read = await this.#using(fileIndex, async (file) => {
        const count = await file.readAt(offset, part);
        this.#note(fileIndex, file.stat());
        return count;
      });
      if (read < part.length) return false;
    }
    return true;
  }

  /** A file was just read: if others have written to it since the last time, what is stored in it is hashed before it is used again. */
  #note(fileIndex: number, stat: FileStat): void {
    const version = versionOf(stat);
    const before = this.#noted[fileIndex] ?? version;
    this.#noted[fileIndex] = version;
    if (before === version || this.#writing[fileIndex]! > 0) return;
    for (const piece of this.#storedIn(fileIndex).pieces) {
      this.#doubtful.add(piece);
    }
  }

  /** Writes a whole piece that was verified. */
  async write(pieceIndex: number, bytes: Uint8Array): Promise<void> {
    for (
      const { fileIndex, offset, part } of this.#partsOf(pieceIndex, bytes)
    ) {
      if (!this.#isFile(fileIndex)) continue;
      this.#writing[fileIndex] = (this.#writing[fileIndex] ?? 0) + 1;
      await this.#using(fileIndex, async (file) => {
        await file.writeAt(offset, part);
        this.#noted[fileIndex] = versionOf(file.stat());
      }).finally(() => this.#writing[fileIndex]! -= 1);
      this.#unsynced.add(fileIndex);
    }
    this.#writes += 1;
    this.stored.add(pieceIndex);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeOldest(0);
  }

  #changed(fileIndex: number, how: string): RunError {
    return new RunError(
      "file-changed",
      `Cannot use ${
        this.#pathOf(fileIndex)
      }: somebody ${how} while it was in use; start again, and what is missing is fetched`,
    );
  }

  /** Whether there is a file on the disk to be read and written: padding has none, and links have no bytes (BEP 47). */
  #isFile(fileIndex: number): boolean {
    const { padding, link } = this.#info.files[fileIndex]!;
    return !padding && link === undefined;
  }

  /** The path of a file; its components were checked when the torrent was read, and none leads upwards. */
  #pathOf(fileIndex: number): string {
    return join(this.#folder, ...this.#info.files[fileIndex]!.path);
  }

  /** Opens a file where needed, and keeps it open at least until `work` is done. */
  async #using<T>(
    fileIndex: number,
    work: (file: RandomAccessFile) => Promise<T>,
  ): Promise<T> {
    const entry = this.#open.get(fileIndex) ??
      { opening: this.#openFile(fileIndex), users: 0 };
    this.#open.delete(fileIndex);
    this.#open.set(fileIndex, entry);
    entry.users += 1;
    try {
      const file = await entry.opening.catch((error) => {
        this.#open.delete(fileIndex);
        throw error;
      });
      return await work(file);
    } finally {
      entry.users -= 1;
      await this.#closeOldest(MAX_OPEN_FILES);
    }
  }

  async #openFile(fileIndex: number): Promise<RandomAccessFile> {
    const path = this.#pathOf(fileIndex);
    if (!this.#writable) return await this.#files.open(path, {});
    const { lengthBytes } = this.#info.files[fileIndex]!;
    const stat = await this.#files.stat(path);
    if (stat === null && this.#seen.has(fileIndex)) {
      throw this.#changed(fileIndex, REMOVED);
    }
    this.#seen.add(fileIndex);
    const file = await this.#files.open(path, { write: true, create: true });
    // What an earlier, longer file of that name had behind the end is no part of the torrent.
    if (stat !== null && stat.sizeBytes > lengthBytes) {
      await file.truncate(lengthBytes);
    }
    return file;
  }

  async #closeOldest(keep: number): Promise<void> {
    for (const [index, { opening, users }] of [...this.#open]) {
      if (this.#open.size <= keep) return;
      if (users > 0) continue;
      this.#open.delete(index);
      const file = await opening.catch(() => null);
      await file?.[Symbol.asyncDispose]();
    }
  }
}

/** Changes whenever a file is written to. */
function versionOf({ sizeBytes, modifiedAtWallMs }: FileStat): string {
  return `${sizeBytes} ${modifiedAtWallMs}`;
}
