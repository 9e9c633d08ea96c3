import { join } from "@std/path";
import { equalBytes } from "../../lib/core/bytes.ts";
import { RunError } from "../../lib/core/errors.ts";
import { pieceLengthOf, rangesOf } from "../../lib/bittorrent/layout.ts";
import {
  hashOfPiece,
  type TorrentInfo,
} from "../../lib/bittorrent/metainfo.ts";
import type { Files, RandomAccessFile } from "../../lib/io/files.ts";
import { sha1 } from "../../lib/io/hash.ts";

/** Files held open at once: torrents may have thousands, and systems allow as few as 256 in all. */
const MAX_OPEN_FILES = 64;

interface OpenFile {
  readonly opening: Promise<RandomAccessFile>;
  users: number;
}

/** A torrent's files below a folder. Pieces are read and written in place; files are opened when first needed. */
export class Storage implements AsyncDisposable {
  readonly #files: Files;
  readonly #info: TorrentInfo;
  readonly #folder: string;
  /** By file, the one used longest ago first. */
  readonly #open = new Map<number, OpenFile>();
  #writable = false;

  /** @param options.folder Where the torrent's file or folder lies. */
  constructor(
    files: Files,
    options: {
      readonly info: TorrentInfo;
      readonly folder: string;
    },
  ) {
    this.#files = files;
    this.#info = options.info;
    this.#folder = options.folder;
  }

  /** Reads what is there already and returns the pieces whose SHA-1 is right. Nothing is written. */
  async check(signal: AbortSignal): Promise<number[]> {
    const info = this.#info;
    const present: boolean[] = [];
    for (const [index, file] of info.files.entries()) {
      const stat = await this.#files.stat(this.#pathOf(index));
      if (stat !== null && stat.kind !== "file") {
        throw new RunError(
          "not-a-file",
          `Cannot use ${
            this.#pathOf(index)
          }: it is a ${stat.kind}, and the torrent has a file there`,
        );
      }
      present.push(file.lengthBytes === 0 || (stat?.sizeBytes ?? 0) > 0);
    }
    const have: number[] = [];
    if (!present.includes(true)) return have;
    const buffer = new Uint8Array(info.pieceLength);
    for (let piece = 0; piece < info.pieceCount; piece++) {
      signal.throwIfAborted();
      const bytes = buffer.subarray(0, pieceLengthOf(info, piece));
      const block = { pieceIndex: piece, begin: 0, lengthBytes: bytes.length };
      const here = rangesOf(info, block).every((range) =>
        present[range.fileIndex]
      );
      if (
        here && await this.read(piece, bytes) &&
        equalBytes(sha1(bytes), hashOfPiece(info, piece))
      ) have.push(piece);
    }
    return have;
  }

  /** Opens files for writing from now on, and makes those that are empty. */
  async makeWritable(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#writable = true;
    for (const [index, file] of this.#info.files.entries()) {
      if (file.lengthBytes > 0) continue;
      await this.#using(index, (file) => file.truncate(0));
    }
  }

  /** Fills `buffer` with a piece; false if the files are too short for it. */
  async read(pieceIndex: number, buffer: Uint8Array): Promise<boolean> {
    let at = 0;
    for (
      const { fileIndex, offset, lengthBytes } of rangesOf(this.#info, {
        pieceIndex,
        begin: 0,
        lengthBytes: buffer.length,
      })
    ) {
      const part = buffer.subarray(at, at + lengthBytes);
      const read = await this.#using(
        fileIndex,
        (file) => file.readAt(offset, part),
      );
      if (read < lengthBytes) return false;
      at += lengthBytes;
    }
    return true;
  }

  /** Writes a whole piece. */
  async write(pieceIndex: number, bytes: Uint8Array): Promise<void> {
    let at = 0;
    for (
      const { fileIndex, offset, lengthBytes } of rangesOf(this.#info, {
        pieceIndex,
        begin: 0,
        lengthBytes: bytes.length,
      })
    ) {
      const part = bytes.subarray(at, at + lengthBytes);
      await this.#using(fileIndex, (file) => file.writeAt(offset, part));
      at += lengthBytes;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeOldest(0);
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
      return await work(await entry.opening);
    } catch (error) {
      this.#open.delete(fileIndex);
      throw error;
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
