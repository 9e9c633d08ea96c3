import { toHex, utf8 } from "../../lib/core/bytes.ts";
import { mediaTypeOf } from "../../lib/http/media_types.ts";
import type { RequestPath } from "../../lib/http/request_path.ts";
import { sha1 } from "../../lib/io/hash.ts";
import { writeMaster, writePlaylist } from "../../lib/media/hls_writer.ts";
import { writeMpd } from "../../lib/media/mpd_writer.ts";
import type { Published } from "../../lib/media/published.ts";
import { SegmentMaker } from "../../lib/media/segment_maker.ts";
import {
  soundInit,
  soundSegment,
  type TitleFile,
  titleFile,
  titleInit,
} from "../../lib/media/title.ts";
import {
  type Rung,
  TITLE_MODIFIED_AT,
  type TitlePlan,
} from "../../lib/media/title_plan.ts";
import { liveNumbers, publishTitle } from "../../lib/media/title_published.ts";
import type { RoleContext } from "../../lib/role.ts";
import { titlePage } from "./pages.ts";
import {
  type Found,
  memoryResource,
  type Resource,
  type Site,
} from "./site.ts";
import { TitleTorrent, TORRENT_NAME } from "./title_torrent.ts";
import { wholeResource } from "./whole_file.ts";

/** Segments that are kept: a minute of all three rates is 30 MB. */
const KEPT_BYTES = 32 * 2 ** 20;

/**
 * The built-in title: everything is made when it is asked for and is the same every time.
 *
 * The entity tag is a digest of the bytes, so two origins of the same version agree, and a later version that paints
 * differently does not. A live title has the segments that have ended and are in its time shift buffer; its manifest
 * and playlists are for a second, the time for no time at all.
 */
export class TitleSite implements Site {
  readonly #plan: TitlePlan;
  readonly #ctx: Pick<RoleContext, "clock" | "emit" | "signal">;
  readonly #torrent: TitleTorrent | undefined;
  readonly #makers = new Map<Rung, SegmentMaker>();
  /** Made lately, the longest unused first. */
  readonly #kept = new Map<string, Resource>();
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
      (name) => this.#bytesOf(titleFile(plan, name)),
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
    const { first, end } = liveNumbers(this.#plan, sinceMs);
    return file.number >= first && file.number < end;
  }

  #keptResource(name: string): Resource | undefined {
    const resource = this.#kept.get(name);
    if (resource !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, resource);
    }
    return resource;
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
        segment: (number) => this.#segment(file.rung, number),
      });
    }
    const startedAtMs = this.#ctx.clock.nowMs();
    const bytes = this.#bytesOf(file);
    const entityTag = { weak: false, opaque: digestOf(bytes) };
    const live = this.#plan.startWallMs !== undefined;
    if (live && file?.kind !== "segment" && file?.kind !== "init") {
      return memoryResource(bytes, {
        ...about,
        entityTag,
        modifiedAtWallMs: undefined,
        maxAgeMs: file?.kind === "clock" ? 0 : 1000,
      });
    }
    const resource = memoryResource(bytes, { ...about, entityTag });
    this.#keep(name, resource);
    if (file?.kind === "segment") {
      this.#ctx.emit({
        type: "segment.generated",
        path: `/${name}`,
        bytes: bytes.length,
        durationMs: this.#ctx.clock.nowMs() - startedAtMs,
      });
    }
    return resource;
  }

  #bytesOf(file: TitleFile | null): Uint8Array<ArrayBuffer> {
    const plan = this.#plan;
    switch (file?.kind) {
      case "whole": // Made part by part instead.
        return new Uint8Array();
      case undefined:
        return utf8(titlePage(this.#published(), {
          torrent: this.#torrent !== undefined,
        }));
      case "manifest":
        return utf8(writeMpd(this.#published()));
      case "master":
        return utf8(writeMaster(this.#published()));
      case "playlist":
        return utf8(playlistOf(this.#published(), file.rung));
      case "clock":
        return utf8(new Date(this.#ctx.clock.wallMs()).toISOString());
      case "init":
        return file.rung === "audio" ? soundInit(plan) : titleInit(plan);
      case "segment":
        return this.#segment(file.rung, file.number);
    }
  }

  #published(): Published {
    return publishTitle(this.#plan, this.#ctx.clock.wallMs());
  }

  #segment(rung: Rung | "audio", number: number): Uint8Array<ArrayBuffer> {
    if (rung === "audio") return soundSegment(this.#plan, number);
    let maker = this.#makers.get(rung);
    if (maker === undefined) {
      maker = new SegmentMaker(this.#plan, rung);
      this.#makers.set(rung, maker);
    }
    return maker.make(number);
  }

  #keep(name: string, resource: Resource): void {
    this.#kept.set(name, resource);
    this.#keptBytes += resource.sizeBytes;
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= sizeBytes;
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

/** Names bytes by what is in them. A segment ends in a megabyte of zeros, which are counted and not digested. */
function digestOf(bytes: Uint8Array<ArrayBuffer>): string {
  let end = bytes.length;
  const count = bytes.length >> 2;
  const tail = bytes.subarray(4 * count);
  if (bytes.byteOffset % 4 === 0 && tail.every((byte) => byte === 0)) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, count);
    let word = count;
    while (word > 0 && words[word - 1] === 0) word -= 1;
    if (word < count) end = 4 * word;
  }
  const digest = toHex(sha1(bytes.subarray(0, end)).subarray(0, 10));
  return `${digest}-${bytes.length.toString(36)}`;
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
