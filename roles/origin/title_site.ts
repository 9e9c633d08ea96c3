import { toHex, utf8 } from "../../lib/core/bytes.ts";
import { mediaTypeOf } from "../../lib/http/media_types.ts";
import type { RequestPath } from "../../lib/http/request_path.ts";
import { sha1 } from "../../lib/io/hash.ts";
import {
  RUNGS,
  SegmentMaker,
  TITLE_MODIFIED_AT,
  titleFile,
  titleInit,
} from "../../lib/media/title.ts";
import { titleMpd } from "../../lib/media/title_mpd.ts";
import type { RoleContext } from "../../lib/role.ts";
import { titlePage } from "./pages.ts";
import {
  type Found,
  memoryResource,
  type Resource,
  type Site,
} from "./site.ts";

/** Segments that are kept: a minute of all three rates is 30 MB. */
const KEPT_BYTES = 32 * 2 ** 20;

/**
 * The built-in title: everything is made when it is asked for and is the same every time.
 *
 * The entity tag is a digest of the bytes, so two origins of the same version agree, and a later version that paints
 * differently does not.
 */
export class TitleSite implements Site {
  readonly #title: string;
  readonly #ctx: Pick<RoleContext, "clock" | "emit">;
  readonly #makers = new Map<number, SegmentMaker>();
  /** Made lately, the longest unused first. */
  readonly #kept = new Map<string, Resource>();
  #keptBytes = 0;

  /** Serves the title under the name `title`. */
  constructor(title: string, ctx: Pick<RoleContext, "clock" | "emit">) {
    this.#title = title;
    this.#ctx = ctx;
  }

  /** See {@linkcode Site.find}. */
  find(path: RequestPath): Promise<Found | null> {
    const name = path.names.join("/");
    if (path.folder && name !== "") return Promise.resolve(null);
    const resource = this.#keptResource(name) ?? this.#make(name);
    return Promise.resolve(
      resource === null ? null : { kind: "resource", resource },
    );
  }

  #keptResource(name: string): Resource | undefined {
    const resource = this.#kept.get(name);
    if (resource !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, resource);
    }
    return resource;
  }

  #make(name: string): Resource | null {
    const startedAtMs = this.#ctx.clock.nowMs();
    const bytes = this.#bytesOf(name);
    if (bytes === null) return null;
    const resource = memoryResource(bytes, {
      mediaType: mediaTypeOf(name === "" ? "index.html" : name),
      entityTag: { weak: false, opaque: toHex(sha1(bytes).subarray(0, 10)) },
      modifiedAtWallMs: name === "" ? undefined : TITLE_MODIFIED_AT,
    });
    this.#keep(name, resource);
    if (name.endsWith(".m4s")) {
      this.#ctx.emit({
        type: "segment.generated",
        path: `/${name}`,
        bytes: bytes.length,
        durationMs: this.#ctx.clock.nowMs() - startedAtMs,
      });
    }
    return resource;
  }

  #bytesOf(name: string): Uint8Array | null {
    if (name === "") return utf8(titlePage(this.#title));
    const file = titleFile(name);
    switch (file?.kind) {
      case "manifest":
        return utf8(titleMpd(this.#title));
      case "init":
        return titleInit();
      case "segment":
        return this.#maker(RUNGS.indexOf(file.rung)).make(file.number);
      default:
        return null;
    }
  }

  #maker(rung: number): SegmentMaker {
    let maker = this.#makers.get(rung);
    if (maker === undefined) {
      maker = new SegmentMaker(this.#title, RUNGS[rung]!);
      this.#makers.set(rung, maker);
    }
    return maker;
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
