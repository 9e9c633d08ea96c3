import { toHex, utf8 } from "../../lib/core/bytes.ts";
import {
  comparePaths,
  makeMetainfo,
} from "../../lib/bittorrent/make_metainfo.ts";
import { parseMetainfo } from "../../lib/bittorrent/metainfo.ts";
import {
  type HashedSource,
  SourceHasher,
} from "../../lib/bittorrent/source_hasher.ts";
import { hashing } from "../../lib/io/hash.ts";
import { writeMpd } from "../../lib/media/mpd_writer.ts";
import { type Published, segmentNameOf } from "../../lib/media/published.ts";
import {
  segmentBytes,
  segmentCount,
  type TitlePlan,
} from "../../lib/media/title_plan.ts";
import { publishTitle } from "../../lib/media/title_published.ts";
import type { RoleContext } from "../../lib/role.ts";
import { VERSION } from "../../lib/version.ts";

/** Where it is, beside the manifest: `dash-client --cooperate` looks for it there. */
export const TORRENT_NAME = "manifest.torrent";

/** As on the lecture's slides. */
const PIECE_BYTES = 256 * 1024;
/** The largest title that has a torrent: the whole of it must be made to be hashed, and who asks waits for that. */
const MAX_TITLE_BYTES = 2 ** 31;

/** Makes a file of the title. */
type MakeFile = (name: string) => Uint8Array;

/**
 * The torrent of the built-in title: the manifest and each segment as a file that begins at a piece (BEP 47), in the first
 * version of BitTorrent, as more clients know it. It is made when it is first asked for, in as long as it takes to make the title, and is the
 * same on every origin of that title.
 */
export class TitleTorrent {
  readonly #plan: TitlePlan;
  readonly #make: MakeFile;
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "signal">;
  #making: Promise<Uint8Array> | undefined;

  /** Makes nothing yet. */
  constructor(
    plan: TitlePlan,
    make: MakeFile,
    ctx: Pick<RoleContext, "clock" | "emit" | "signal">,
  ) {
    this.#plan = plan;
    this.#make = make;
    this.#ctx = ctx;
  }

  /** Whether there is one: not of what is live, too large, or one file a rate, in which segments do not begin at pieces. */
  static exists(plan: TitlePlan): boolean {
    if (plan.addressing === "base" || plan.totalFrames === Infinity) {
      return false;
    }
    let bytes = 0;
    for (const rung of plan.rungs) {
      bytes += segmentBytes(plan, rung, 1) * segmentCount(plan);
    }
    return bytes <= MAX_TITLE_BYTES;
  }

  /** The .torrent file. @throws the reason of the role's signal, if that aborts. */
  bytes(): Promise<Uint8Array> {
    this.#making ??= this.#hash().catch((error) => {
      this.#making = undefined;
      throw error;
    });
    return this.#making;
  }

  async #hash(): Promise<Uint8Array> {
    const { clock, signal, emit } = this.#ctx;
    const published = publishTitle(this.#plan, clock.wallMs());
    const manifest = utf8(writeMpd(published));
    const make: MakeFile = (name) =>
      name === "manifest.mpd" ? manifest : this.#make(name);
    const names = ["manifest.mpd", ...filesOf(published)];
    names.sort((a, b) => comparePaths([a], [b]));
    const sources: HashedSource[] = [];
    const cut = {
      pieceLength: PIECE_BYTES,
      version: "v1",
      align: true,
    } as const;
    const hasher = new SourceHasher(cut, hashing);
    for (const name of names) {
      const bytes = make(name);
      const source = { path: [name], lengthBytes: bytes.length };
      sources.push(source);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const piece = bytes.subarray(at, at + PIECE_BYTES);
        hasher.add(piece, source, at + PIECE_BYTES >= bytes.length);
      }
      // Others want answers meanwhile.
      await clock.sleepUntil(clock.nowMs() + 1, signal);
    }
    const hashes = hasher.finish(sources);
    const torrent = makeMetainfo({
      ...cut,
      name: this.#plan.title,
      content: hashes.files,
      pieces: hashes.pieces,
      createdBy: `rolecall ${VERSION}`,
    });
    const { infoHash, totalBytes, pieceCount } = parseMetainfo(
      torrent,
      hashing,
    );
    emit({
      type: "torrent.created",
      file: TORRENT_NAME,
      infoHash: toHex(infoHash),
      bytes: totalBytes,
      pieceCount,
    });
    return torrent;
  }
}

/** What a player fetches. */
function filesOf({ sets }: Published): string[] {
  return sets.flatMap((set) => [
    ...set.sharedInitName === undefined
      ? set.renditions.map(({ initName }) => initName)
      : [set.sharedInitName],
    ...set.renditions.flatMap((rendition) => {
      let ticks = 0;
      return set.segmentTicks.map((each, at) => {
        const name = segmentNameOf(rendition, { number: at + 1, ticks });
        ticks += each;
        return name;
      });
    }),
  ]);
}
