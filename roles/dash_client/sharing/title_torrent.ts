import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import {
  pieceLengthOf,
  piecesOf,
} from "../../../lib/bittorrent/metainfo/layout.ts";
import type { Metainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { SegmentLocation } from "../../../lib/dash/mpd/mpd.ts";
import type { Track } from "../../../lib/dash/title.ts";
import {
  MAX_TORRENT_BYTES,
  readTorrent,
  torrentOf,
} from "../../../lib/peer/read_torrent.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Fetcher } from "../network/fetcher.ts";

/** An origin makes the torrent of its built-in title when it is first asked, and says nothing meanwhile; so long that may take. */
export const TORRENT_TIMEOUT_MS = 60_000;
/** With a proxy in between that loses patience it is asked again, for so long. */
const LONGEST_WAIT_MS = 120_000;
const PAUSE_MS = 2_000;

/** A segment as the torrent has it. */
export interface SharedPart {
  /** Of the whole file it is; both first byte and the one past the last. */
  readonly from: number;
  readonly to: number;
  /** The pieces it lies in, in order. */
  readonly pieces: readonly SharedPiece[];
}

/** A piece of a segment, and where in the segment's file it lies. */
export interface SharedPiece {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

/** The torrent of a title: which pieces a segment has. */
export class TitleTorrent {
  readonly info: Metainfo;
  readonly #from: string;
  /** Files by path below the torrent's folder. */
  readonly #files = new Map<string, number>();

  /** @throws {InputError} If segments cannot be had from it one by one. */
  constructor(info: Metainfo, from: string) {
    this.info = info;
    this.#from = from;
    if (info.version === "v2") {
      throw new InputError(
        `Cannot share by ${from}: a torrent of BitTorrent v2 alone; make it with --format v1 or hybrid`,
      );
    }
    for (const [index, file] of info.files.entries()) {
      if (file.padding || file.link !== undefined) continue;
      if (file.offset % info.pieceLength !== 0) {
        throw new InputError(
          `Cannot share by ${from}: ${
            file.path.join("/")
          } does not begin at a piece; make it with rolecall peer --create FOLDER --align`,
        );
      }
      // The first component is the torrent's own name, unless there is but one.
      const path = file.path.length > 1 ? file.path.slice(1) : file.path;
      this.#files.set(path.join("/"), index);
    }
  }

  /** @throws {InputError} If none of these segments is in it: it is another title's. */
  check(tracks: readonly Track[]): void {
    const known = tracks.some(({ positions }) =>
      positions.some(({ choices }) =>
        choices.some(({ segment }) => this.find(segment) !== undefined)
      )
    );
    if (known) return;
    throw new InputError(
      `Cannot share by ${this.#from}: it has none of the segments that the manifest names`,
    );
  }

  /** Which pieces a segment is; undefined if the torrent does not have it. A file is known by the longest end of its URL's path. */
  find({ urls, range }: SegmentLocation): SharedPart | undefined {
    const names = new URL(urls[0]!).pathname.split("/").map(decoded);
    for (let at = 0; at < names.length; at++) {
      const index = this.#files.get(names.slice(at).join("/"));
      if (index !== undefined) return this.#part(index, range);
    }
    return undefined;
  }

  #part(
    fileIndex: number,
    range: SegmentLocation["range"],
  ): SharedPart | undefined {
    const { info } = this;
    const { lengthBytes } = info.files[fileIndex]!;
    const from = range?.first ?? 0;
    const to = (range?.last ?? lengthBytes - 1) + 1;
    if (from >= to || to > lengthBytes) return undefined;
    const { first, end } = piecesOf(info, fileIndex);
    const pieces: SharedPiece[] = [];
    for (let index = first; index < end; index++) {
      const begin = (index - first) * info.pieceLength;
      const stop = begin + pieceLengthOf(info, index);
      if (stop > from && begin < to) {
        pieces.push({ index, from: begin, to: Math.min(stop, lengthBytes) });
      }
    }
    return { from, to, pieces };
  }
}

/**
 * Gets a title's torrent: the file or URL of `--torrent`, or what lies beside the manifest under its name.
 *
 * @throws {InputError} If it is none, or cannot be used.
 * @throws {RunError} `torrent-unreachable`
 */
export async function openTitleTorrent(
  { operand, torrent }: {
    readonly operand: string;
    readonly torrent: string | undefined;
  },
  fetcher: Fetcher,
  ctx: RoleContext,
): Promise<TitleTorrent> {
  const from = torrent ?? besideManifest(operand);
  const info = /^https?:/.test(from)
    ? torrentOf(await fetchTorrent(from, fetcher, ctx), from)
    : await readTorrent(from, ctx.files);
  return new TitleTorrent(info, from);
}

function besideManifest(operand: string): string {
  const url = new URL(operand);
  url.pathname = url.pathname.replace(/(\.mpd)?$/, ".torrent");
  url.search = "";
  return url.href;
}

async function fetchTorrent(
  url: string,
  fetcher: Fetcher,
  ctx: RoleContext,
): Promise<Uint8Array> {
  const { clock, signal } = ctx;
  const giveUpAtMs = clock.nowMs() + LONGEST_WAIT_MS;
  for (;;) {
    const collector = new ByteCollector();
    const got = await fetcher.get(url, {
      sink: (bytes) => {
        if (collector.length + bytes.length > MAX_TORRENT_BYTES) {
          throw new RunError(
            "too-large",
            `it has more than ${MAX_TORRENT_BYTES} bytes`,
          );
        }
        collector.push(bytes);
      },
    });
    if (got.ok) return collector.bytes;
    const nowMs = clock.nowMs();
    // A proxy in between may lose patience before the origin has made it.
    const isFinal = got.status === undefined || got.status < 500;
    if (isFinal || nowMs + PAUSE_MS > giveUpAtMs) {
      throw new RunError(
        "torrent-unreachable",
        `Cannot cooperate: no torrent of the title at ${url}: ${got.problem}; --torrent names another`,
      );
    }
    await clock.sleepUntil(nowMs + (got.retryAfterMs ?? PAUSE_MS), signal);
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
