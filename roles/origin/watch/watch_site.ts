import { toHex, utf8 } from "../../../lib/core/bytes.ts";
import { mediaTypeOf } from "../../../lib/http/media_types.ts";
import type { RequestPath } from "../../../lib/http/request_path.ts";
import { withPageStyle } from "../../../lib/report/page_style.ts";
import { sha1 } from "../../../lib/io/hash.ts";
import {
  type Found,
  memoryResource,
  type Resource,
  type Site,
} from "../site/site.ts";

/** The folder of the pages: `watch/` before the path of a manifest. */
const FOLDER = "watch";

/**
 * A site and a page for each of its titles, at `/watch/` and the manifest's path, that plays it with dash.js.
 *
 * The page asks the host it came from for everything, so behind an edge it plays through that edge. What the site
 * itself has at such a path comes first.
 */
export class WatchSite implements Site {
  readonly #site: Site;
  #assets: ReadonlyMap<string, Resource> | undefined;

  /** Adds pages to `site`. */
  constructor(site: Site) {
    this.#site = site;
  }

  /** See {@linkcode Site.find}. */
  async find(path: RequestPath): Promise<Found | null> {
    const found = await this.#site.find(path);
    if (found !== null || path.folder || path.names[0] !== FOLDER) return found;
    const names = path.names.slice(1);
    const asset = names.length === 1 ? await this.#asset(names[0]!) : undefined;
    if (asset !== undefined) return { kind: "resource", resource: asset };
    if (!names.at(-1)?.endsWith(".mpd")) return null;
    const title = await this.#site.find({ ...path, names });
    if (title?.kind !== "resource") return null;
    const page = await this.#asset("");
    return page === undefined ? null : { kind: "resource", resource: page };
  }

  async #asset(name: string): Promise<Resource | undefined> {
    // 850 kB that most origins are never asked for.
    this.#assets ??= assetsOf(await import("./assets.ts"));
    return this.#assets.get(name);
  }
}

function assetsOf(
  texts: {
    readonly page: string;
    readonly script: string;
    readonly dashJs: string;
  },
): ReadonlyMap<string, Resource> {
  const { page, script, dashJs } = texts;
  return new Map([
    ["", textResource("index.html", withPageStyle(page))],
    ["watch.js", textResource("watch.js", script)],
    ["dash.js", textResource("dash.js", dashJs)],
  ]);
}

function textResource(name: string, text: string): Resource {
  const bytes = utf8(text);
  return memoryResource(bytes, {
    mediaType: mediaTypeOf(name),
    entityTag: { weak: false, opaque: toHex(sha1(bytes).subarray(0, 10)) },
    modifiedAtWallMs: undefined,
  });
}
