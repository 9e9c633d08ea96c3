import { toHex } from "../../../lib/core/bytes.ts";
import {
  comparePaths,
  makeMetainfo,
} from "../../../lib/bittorrent/metainfo/make_metainfo.ts";
import { parseMetainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import {
  type HashedSource,
  SourceHasher,
} from "../../../lib/bittorrent/metainfo/source_hasher.ts";
import { hashing } from "../../../lib/io/hash.ts";
import {
  type Published,
  type PublishedSet,
  type Rendition,
  segmentNameOf,
} from "../../../lib/media/manifests/published.ts";
import {
  segmentBytes,
  segmentCount,
  type TitlePlan,
} from "../../../lib/media/title/title_plan.ts";
import { publishTitle } from "../../../lib/media/title/title_published.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { VERSION } from "../../../lib/version.ts";
import type { Resource } from "./site.ts";

/** Where it is, beside the manifest: `dash-client --cooperate` looks for it there. */
export const TORRENT_NAME = "manifest.torrent";

/** As on the lecture's slides. */
const PIECE_BYTES = 256 * 1024;
/** The largest title that has a torrent: the whole of it must be made to be hashed, and who asks waits for that. */
const MAX_TITLE_BYTES = 2 ** 31;

/** So much is hashed at a stretch. */
const YIELD_BYTES = 8 * PIECE_BYTES;

/** Makes a file of the title, or what of it is asked for. */
type MakeFile = (name: string) => Pick<Resource, "sizeBytes" | "open">;

/**
 * The torrent of the built-in title: the manifest and each segment, or each rate that is one file, as a file that begins
 * at a piece (BEP 47), in the first version of BitTorrent, as more clients know it. It is made when it is first asked for, in as long as it takes to make the title, and is the
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

  /** Whether there is one: not of what is live, whose segments are not there to be hashed, or too large. */
  static exists(plan: TitlePlan): boolean {
    if (plan.totalFrames === Infinity) return false;
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
    const { clock, emit } = this.#ctx;
    const published = publishTitle(this.#plan, clock.wallMs());
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
      const file = this.#make(name);
      const source = { path: [name], lengthBytes: file.sizeBytes };
      sources.push(source);
      await this.#add(file, source, hasher);
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

  async #add(
    file: ReturnType<MakeFile>,
    source: HashedSource,
    hasher: SourceHasher,
  ): Promise<void> {
    const { clock, signal } = this.#ctx;
    const { lengthBytes } = source;
    await using content = await file.open();
    for (let at = 0; at < lengthBytes; at += PIECE_BYTES) {
      const end = Math.min(at + PIECE_BYTES, lengthBytes);
      const piece = await content.read(at, end - at);
      hasher.add(piece, source, end === lengthBytes);
      // Others want answers meanwhile.
      if (at % YIELD_BYTES === 0) {
        await clock.sleepUntil(clock.nowMs() + 1, signal);
      }
    }
  }
}

/** What a player fetches. */
function filesOf({ sets }: Published): string[] {
  return sets.flatMap((set) => {
    const whole = set.renditions.flatMap(({ file }) => file?.name ?? []);
    return whole.length > 0 ? whole : [
      ...set.sharedInitName === undefined
        ? set.renditions.map(({ initName }) => initName)
        : [set.sharedInitName],
      ...set.renditions.flatMap((rendition) => segmentsOf(set, rendition)),
    ];
  });
}

function segmentsOf(
  { segmentTicks }: PublishedSet,
  rendition: Rendition,
): string[] {
  let ticks = 0;
  return segmentTicks.map((each, at) => {
    const name = segmentNameOf(rendition, { number: at + 1, ticks });
    ticks += each;
    return name;
  });
}
