import { toHex, utf8 } from "../../../lib/core/bytes.ts";
import { mediaTypeOf } from "../../../lib/http/media_types.ts";
import type { RequestPath } from "../../../lib/http/request_path.ts";
import { sha1 } from "../../../lib/io/hash.ts";
import type { PaddedSegment } from "../../../lib/media/mp4/fmp4.ts";
import {
  writeMaster,
  writePlaylist,
} from "../../../lib/media/manifests/hls_writer.ts";
import { writeMpd } from "../../../lib/media/manifests/mpd_writer.ts";
import type { Published } from "../../../lib/media/manifests/published.ts";
import { SegmentMaker } from "../../../lib/media/title/segment_maker.ts";
import {
  soundInit,
  soundSegment,
  type TitleFile,
  titleFile,
  titleInit,
} from "../../../lib/media/title/title.ts";
import {
  chunkSeconds,
  FRAMES_PER_SECOND,
  type Rung,
  segmentStartFrame,
  TITLE_MODIFIED_AT,
  type TitlePlan,
} from "../../../lib/media/title/title_plan.ts";
import {
  availableNumbers,
  publishTitle,
} from "../../../lib/media/title/title_published.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { titlePage } from "./pages.ts";
import {
  type Found,
  LIVE_MANIFEST_MS,
  memoryResource,
  type Resource,
  type Site,
} from "./site.ts";
import { TitleTorrent, TORRENT_NAME } from "./title_torrent.ts";
import { growingResource } from "./growing.ts";
import { wholeResource } from "./whole_file.ts";

/** Segments that are kept, without their padding: ten minutes of all three rates. */
const KEPT_BYTES = 32 * 2 ** 20;

/**
 * The built-in title: everything is made when it is asked for and is the same every time.
 *
 * The entity tag is a digest of the bytes, so two origins of the same version agree, and a later version that paints
 * differently does not. A live title has the segments that have ended or, in chunks, begun, and keeps them for a while after they have left its manifest; that
 * and playlists are for a second, the time for no time at all.
 */
export class TitleSite implements Site {
  readonly #plan: TitlePlan;
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "signal">;
  readonly #torrent: TitleTorrent | undefined;
  readonly #makers = new Map<Rung, SegmentMaker>();
  /** Made lately, the longest unused first. */
  readonly #kept = new Map<
    string,
    { readonly resource: Resource; readonly bytes: number }
  >();
  #keptBytes = 0;

  /** Serves a title. */
  constructor(
    plan: TitlePlan,
    ctx: Pick<RoleContext, "clock" | "emit" | "signal">,
  ) {
    this.#plan = plan;
    this.#ctx = ctx;
    if (!TitleTorrent.exists(plan)) return;
    this.#torrent = new TitleTorrent(
      plan,
      (name) => this.#shared(name),
      ctx,
    );
  }

  /** See {@linkcode Site.find}. */
  async find(path: RequestPath): Promise<Found | null> {
    const name = path.names.join("/");
    if (this.#torrent !== undefined && name === TORRENT_NAME) {
      const bytes = await this.#torrent.bytes();
      return { kind: "resource", resource: torrentResource(bytes) };
    }
    return this.#find(path, name);
  }

  #find(path: RequestPath, name: string): Found | null {
    if (path.folder && name !== "") return null;
    const file = name === "" ? null : titleFile(this.#plan, name);
    if (name !== "" && (file === null || !this.#isThere(file))) {
      return null;
    }
    const resource = this.#keptResource(name) ?? this.#make(name, file);
    return { kind: "resource", resource };
  }

  /** Of a live title only the segments of the last minutes are there. */
  #isThere(file: TitleFile): boolean {
    const { startWallMs } = this.#plan;
    if (file.kind !== "segment" || startWallMs === undefined) return true;
    const sinceMs = this.#ctx.clock.wallMs() - startWallMs;
    const { first, end } = availableNumbers(this.#plan, sinceMs);
    return file.number >= first && file.number < end;
  }

  #keptResource(name: string): Resource | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept.resource;
  }

  #make(name: string, file: TitleFile | null): Resource {
    const about = {
      mediaType: mediaTypeOf(
        name === "" ? "index.html" : file?.kind === "clock" ? "time.txt" : name,
      ),
      modifiedAtWallMs: file === null ? undefined : TITLE_MODIFIED_AT,
    };
    if (file?.kind === "whole") {
      return wholeResource(this.#plan, file.rung, {
        ...about,
        segment: (number) => this.#whole(file.rung, number),
      });
    }
    const startedAtMs = this.#ctx.clock.nowMs();
    const made = file?.kind === "segment"
      ? this.#segment(file.rung, file.number)
      : unpadded(this.#bytesOf(file));
    const { bytes, sizeBytes } = made;
    const entityTag = { weak: false, opaque: digestOf(made) };
    const live = this.#plan.startWallMs !== undefined;
    if (live && file?.kind !== "segment" && file?.kind !== "init") {
      return memoryResource(bytes, {
        ...about,
        entityTag,
        modifiedAtWallMs: undefined,
        maxAgeMs: file?.kind === "clock" ? 0 : LIVE_MANIFEST_MS,
      });
    }
    const resource = this.#growing(
      memoryResource(bytes, { ...about, entityTag, sizeBytes }),
      made,
      file,
    );
    this.#keep(name, { resource, bytes: bytes.length });
    if (file?.kind === "segment") {
      this.#ctx.emit({
        type: "segment.generated",
        path: `/${name}`,
        bytes: sizeBytes,
        durationMs: this.#ctx.clock.nowMs() - startedAtMs,
      });
    }
    return resource;
  }

  /** What comes in chunks is not there before it has been. */
  #growing(
    resource: Resource,
    { chunkEnds }: PaddedSegment,
    file: TitleFile | null,
  ): Resource {
    const { startWallMs } = this.#plan;
    if (
      chunkEnds === undefined || startWallMs === undefined ||
      file?.kind !== "segment"
    ) return resource;
    const frames = segmentStartFrame(this.#plan, file.number);
    return growingResource(resource, {
      startWallMs: startWallMs + 1000 * frames / FRAMES_PER_SECOND,
      chunkMs: 1000 * chunkSeconds(this.#plan),
      endWallMs: startWallMs +
        1000 * (frames + this.#plan.segmentFrames) / FRAMES_PER_SECOND,
      chunkEnds,
      clock: this.#ctx.clock,
    });
  }

  /** A file of the torrent: the manifest, or what players fetch. */
  #shared(name: string): Resource {
    const file = titleFile(this.#plan, name);
    if (file === null) throw new Error(`the title has no file ${name}`);
    return file.kind === "whole"
      ? this.#make(name, file)
      : memoryResource(this.#bytesOf(file), {
        mediaType: mediaTypeOf(name),
        modifiedAtWallMs: undefined,
        entityTag: { weak: true, opaque: name },
      });
  }

  #bytesOf(
    file: Exclude<TitleFile, { readonly kind: "whole" }> | null,
  ): Uint8Array<ArrayBuffer> {
    const plan = this.#plan;
    switch (file?.kind) {
      case undefined:
        return utf8(titlePage(this.#published(), {
          torrent: this.#torrent !== undefined,
        }));
      case "manifest":
        return utf8(writeMpd(this.#published()));
      case "master":
        return utf8(writeMaster(this.#published()));
      case "playlist":
        return utf8(playlistOf(this.#published({ whole: true }), file.rung));
      case "clock":
        return utf8(new Date(this.#ctx.clock.wallMs()).toISOString());
      case "init":
        return file.rung === "audio" ? soundInit(plan) : titleInit(plan);
      case "segment":
        return this.#whole(file.rung, file.number);
    }
  }

  #whole(rung: Rung | "audio", number: number): Uint8Array<ArrayBuffer> {
    const { bytes, sizeBytes } = this.#segment(rung, number);
    const whole = new Uint8Array(sizeBytes);
    whole.set(bytes);
    return whole;
  }

  /** @param options.whole Only segments that have ended, for players that know nothing of chunks. */
  #published({ whole = false } = {}): Published {
    const plan = whole
      ? { ...this.#plan, chunkFrames: this.#plan.segmentFrames }
      : this.#plan;
    return publishTitle(plan, this.#ctx.clock.wallMs());
  }

  #segment(rung: Rung | "audio", number: number): PaddedSegment {
    if (rung === "audio") return soundSegment(this.#plan, number);
    let maker = this.#makers.get(rung);
    if (maker === undefined) {
      maker = new SegmentMaker(this.#plan, rung);
      this.#makers.set(rung, maker);
    }
    return maker.makePadded(number);
  }

  #keep(
    name: string,
    kept: { readonly resource: Resource; readonly bytes: number },
  ): void {
    this.#kept.set(name, kept);
    this.#keptBytes += kept.bytes;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytes;
    }
  }
}

function torrentResource(bytes: Uint8Array): Resource {
  return memoryResource(bytes, {
    mediaType: mediaTypeOf(TORRENT_NAME),
    modifiedAtWallMs: TITLE_MODIFIED_AT,
    entityTag: { weak: false, opaque: toHex(sha1(bytes).subarray(0, 10)) },
  });
}

function unpadded(bytes: Uint8Array<ArrayBuffer>): PaddedSegment {
  return { bytes, sizeBytes: bytes.length };
}

/** Names bytes by what is in them. A segment ends in a megabyte of padding, which is counted and not digested. */
function digestOf({ bytes, sizeBytes }: PaddedSegment): string {
  const digest = toHex(sha1(bytes).subarray(0, 10));
  return `${digest}-${sizeBytes.toString(36)}`;
}

function playlistOf(title: Published, rung: Rung | "audio"): string {
  const set = title.sets.find(({ contentType }) =>
    (contentType === "audio") === (rung === "audio")
  )!;
  const rendition = rung === "audio"
    ? set.renditions[0]!
    : set.renditions.find(({ id }) => id === rung.id)!;
  return writePlaylist(title, set, rendition);
}
