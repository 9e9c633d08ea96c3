/**
 * Resume data: what a peer knew of its files when it wrote them last, so that the next one need not hash them.
 *
 * It is a shortcut and never the truth. The record, a hidden file beside the download, names the verified pieces and the
 * size and modification time of each file. At start a piece is taken from the record only if all files it lies in are
 * exactly as noted; any other is hashed. A peer that is killed leaves files that were written after the record: they
 * no longer match, are hashed, and every whole piece in them is found. So no piece is trusted that nobody verified, and
 * none is lost.
 *
 * When the machine itself dies, the record may be on the disk before the data. Records are therefore trusted only if
 * the data was synced before (`synced`), or if the machine has been up ever since.
 */
import { join } from "@std/path";
import { fromHex, fromUtf8, toHex, utf8 } from "../../../lib/core/bytes.ts";
import { Bitfield } from "../../../lib/bittorrent/wire/bitfield.ts";
import { piecesOf } from "../../../lib/bittorrent/metainfo/layout.ts";
import type { TorrentInfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { Files, FileStat } from "../../../lib/io/files.ts";

/** Of 100,000 files and a million pieces. */
const MAX_RECORD_BYTES = 16 * 2 ** 20;
const VERSION = 1;

/** Says of a piece whether it is on the disk and right, or, with null, that it has to be hashed. */
export type Known = (pieceIndex: number) => boolean | null;

/** What a record says. */
interface ResumeRecord {
  readonly version: number;
  readonly infoHash: string;
  readonly savedAtMs: number;
  readonly synced: boolean;
  /** Verified pieces, as a `bitfield` in hex. */
  readonly pieces: string;
  /** Size and modification time of each file; null where there is none. */
  readonly files: readonly (readonly [number, number] | null)[];
}

/** The record of one torrent in one folder. */
export class Resume {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #info: TorrentInfo;
  readonly #folder: string;
  readonly #name: string;

  /** @param options.folder Where the torrent's file or folder lies: the record is a hidden file there. */
  constructor(
    world: { readonly files: Files; readonly clock: Clock },
    options: { readonly info: TorrentInfo; readonly folder: string },
  ) {
    this.#files = world.files;
    this.#clock = world.clock;
    this.#info = options.info;
    this.#folder = options.folder;
    this.#name = `.${toHex(options.info.infoHash)}.resume`;
  }

  /** Reads the record and compares it with the files as they are. Whatever is wrong with it: then all is to be hashed. */
  async load(stats: readonly (FileStat | null)[]): Promise<Known> {
    const record = await this.#read();
    if (record === null) return () => null;
    const { pieceCount } = this.#info;
    let pieces: Bitfield;
    try {
      pieces = Bitfield.fromBytes(fromHex(record.pieces), pieceCount);
    } catch {
      return () => null;
    }
    const changed = new Bitfield(pieceCount);
    for (const [index, stat] of stats.entries()) {
      const { first, end } = piecesOf(this.#info, index);
      const same = sameFile(stat, record.files[index] ?? null);
      const { offset } = this.#info.files[index]!;
      // A record may tell of more than is there if somebody took it away while its writer ran.
      const here = Math.floor(
        (offset + (stat?.sizeBytes ?? 0)) / this.#info.pieceLength,
      );
      const whole = (stat?.sizeBytes ?? 0) >=
        this.#info.files[index]!.lengthBytes;
      const from = !same ? first : whole ? end : here;
      for (let piece = from; piece < end; piece++) changed.add(piece);
    }
    return (pieceIndex) =>
      changed.has(pieceIndex) ? null : pieces.has(pieceIndex);
  }

  /**
   * Writes the record in the place of the last one.
   *
   * @param now.stats The files as they were before `pieces` was taken: a piece that is written in between makes them differ.
   * @throws {RunError} If the folder cannot be written to.
   */
  async save(
    now: {
      readonly stats: readonly (FileStat | null)[];
      readonly pieces: Bitfield;
      readonly synced: boolean;
    },
  ): Promise<void> {
    const record: ResumeRecord = {
      version: VERSION,
      infoHash: toHex(this.#info.infoHash),
      savedAtMs: this.#clock.wallMs(),
      synced: now.synced,
      pieces: toHex(now.pieces.toBytes()),
      files: now.stats.map((stat) =>
        stat === null ? null : [stat.sizeBytes, stat.modifiedAtWallMs]
      ),
    };
    await this.#files.writeAtomic(
      join(this.#folder, this.#name),
      utf8(JSON.stringify(record)),
    );
  }

  /** Removes the record: all is to be hashed at the next start. */
  async forget(): Promise<void> {
    await this.#files.remove(join(this.#folder, this.#name)).catch(() => {});
  }

  /** The record, if there is one, it is of this torrent, and the files it tells of are on the disk for sure. */
  async #read(): Promise<ResumeRecord | null> {
    let record: ResumeRecord;
    try {
      const bytes = await this.#files.read(join(this.#folder, this.#name), {
        maxBytes: MAX_RECORD_BYTES,
      });
      record = JSON.parse(fromUtf8(bytes));
    } catch {
      return null;
    }
    const usable = record?.version === VERSION &&
      record.infoHash === toHex(this.#info.infoHash) &&
      typeof record.pieces === "string" && Array.isArray(record.files) &&
      record.files.length === this.#info.files.length &&
      (record.synced === true ||
        record.savedAtMs > this.#clock.bootedAtWallMs());
    return usable ? record : null;
  }
}

function sameFile(
  stat: FileStat | null,
  noted: readonly [number, number] | null,
): boolean {
  if (stat === null || noted === null) return stat === noted;
  return stat.sizeBytes === noted[0] && stat.modifiedAtWallMs === noted[1];
}
