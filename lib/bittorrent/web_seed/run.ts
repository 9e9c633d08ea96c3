/**
 * Which parts of which files at a web seed hold some blocks (BEP 19).
 */
import { type Layout, pieceLengthOf, rangesOf } from "../metainfo/layout.ts";
import type { BlockRef } from "../wire/messages.ts";

/** A stretch to get: of a file at a server, or of padding, which is zeros (BEP 47). */
export interface WebRange {
  /** null: zeros. */
  readonly url: string | null;
  readonly offset: number;
  readonly lengthBytes: number;
  /** Length of the whole file. */
  readonly fileBytes: number;
}

/** What the addresses at a web seed depend on; {@linkcode TorrentInfo} is one. */
export interface WebSeedLayout extends Layout {
  readonly name: string;
  readonly multiFile: boolean;
}

/**
 * Returns the URL of a file at a web seed. For a torrent of a bare file the seed's URL is the file's, or, with a slash at
 * its end, that of the folder it lies in; for a folder it is that of the folder the torrent's folder lies in.
 */
export function webUrlOf(
  { name, multiFile, files }: WebSeedLayout,
  { seed, fileIndex }: { readonly seed: string; readonly fileIndex: number },
): string {
  if (!multiFile) {
    return seed.endsWith("/") ? seed + encodeURIComponent(name) : seed;
  }
  const path = files[fileIndex]!.path.map(encodeURIComponent).join("/");
  return `${seed}${seed.endsWith("/") ? "" : "/"}${path}`;
}

/** Returns the stretches that hold blocks which lie one behind the other; neighbours in one file are one stretch. */
export function webRangesOf(
  layout: WebSeedLayout,
  { seed, blocks }: {
    readonly seed: string;
    readonly blocks: readonly BlockRef[];
  },
): WebRange[] {
  const ranges: WebRange[] = [];
  let lastFile = -1;
  for (const block of blocks) {
    for (
      const { fileIndex, offset, lengthBytes } of rangesOf(layout, block)
    ) {
      const last = ranges.at(-1);
      if (last !== undefined && fileIndex === lastFile) {
        ranges[ranges.length - 1] = {
          ...last,
          lengthBytes: last.lengthBytes + lengthBytes,
        };
        continue;
      }
      lastFile = fileIndex;
      const file = layout.files[fileIndex]!;
      ranges.push({
        url: file.padding ? null : webUrlOf(layout, { seed, fileIndex }),
        ...{ offset, lengthBytes, fileBytes: file.lengthBytes },
      });
    }
  }
  return ranges;
}

/** Blocks that are asked for, oldest first. */
export class AskedBlocks {
  readonly #blocks = new Map<string, BlockRef>();
  #bytes = 0;

  /** How many there are. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds one. */
  add({ pieceIndex, begin, lengthBytes }: BlockRef): void {
    const block = { pieceIndex, begin, lengthBytes };
    this.remove(block);
    this.#blocks.set(keyOf(pieceIndex, begin), block);
    this.#bytes += lengthBytes;
  }

  /** Removes one, if it is there. */
  remove({ pieceIndex, begin }: BlockRef): void {
    const key = keyOf(pieceIndex, begin);
    this.#bytes -= this.#blocks.get(key)?.lengthBytes ?? 0;
    this.#blocks.delete(key);
  }

  /** Takes all of them. */
  takeAll(): BlockRef[] {
    const all = [...this.#blocks.values()];
    this.#blocks.clear();
    this.#bytes = 0;
    return all;
  }

  /** Takes the oldest, and those that lie behind it one after the other, until they have `maxBytes`. */
  takeRun(layout: Layout, maxBytes: number): BlockRef[] {
    const run: BlockRef[] = [];
    let bytes = 0;
    let block = this.#blocks.values().next().value;
    while (block !== undefined && bytes < maxBytes) {
      run.push(block);
      bytes += block.lengthBytes;
      this.remove(block);
      const end = block.begin + block.lengthBytes;
      block = this.#blocks.get(
        end < pieceLengthOf(layout, block.pieceIndex)
          ? keyOf(block.pieceIndex, end)
          : keyOf(block.pieceIndex + 1, 0),
      );
    }
    return run;
  }
}

function keyOf(pieceIndex: number, begin: number): string {
  return `${pieceIndex} ${begin}`;
}
