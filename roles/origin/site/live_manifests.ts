import { fromUtf8 } from "../../../lib/core/bytes.ts";
import { RunError } from "../../../lib/core/errors.ts";
import { RecentMap } from "../../../lib/core/recent_map.ts";
import { mediaTypeOf } from "../../../lib/http/media_types.ts";
import type { Resource } from "./site.ts";

const MPD = mediaTypeOf("x.mpd");
const HLS = mediaTypeOf("x.m3u8");
/** How much is read of a manifest's beginning, and of its end. */
const LOOKED_AT_BYTES = 65_536;
/** Files whose last look is remembered, the longest unasked dropped first. */
const MAX_FILES = 1000;

/**
 * Whether a manifest will be another one in a moment: an MPD of `type="dynamic"` (ISO/IEC 23009-1 §5.3.1.2), or a media
 * playlist that says neither that it is over (RFC 8216 §4.3.3.4) nor that it never changes (§4.3.3.5). What is no
 * manifest yet, because it is being written, will be one.
 *
 * @param text Its beginning and its end.
 */
export function isLiveManifest(mediaType: string, text: string): boolean {
  if (mediaType === MPD) {
    const root = /<(?:[\w.-]+:)?MPD\b[^>]*>/.exec(
      text.replace(/<!--[\s\S]*?-->/g, ""),
    );
    return root === null || /\stype\s*=\s*["']dynamic["']/.test(root[0]);
  }
  // A list of playlists stays as it is.
  return mediaType === HLS &&
    !/^#EXT-X-(ENDLIST|PLAYLIST-TYPE:VOD|STREAM-INF:.*)\s*$/m.test(text);
}

/** Looks into files, to know which of them other programs write anew all the time. */
export class LiveManifests {
  /** By path, what it was when it was looked at last. */
  readonly #looks = new RecentMap<
    string,
    { readonly tag: string; readonly isLive: boolean }
  >(MAX_FILES);

  /** Whether the resource at `path` is a live manifest. */
  async has(path: string, resource: Resource): Promise<boolean> {
    const { mediaType, entityTag: { opaque: tag } } = resource;
    if (mediaType !== MPD && mediaType !== HLS) return false;
    let look = this.#looks.get(path);
    if (look?.tag !== tag) {
      const isLive = isLiveManifest(mediaType, await textOf(resource));
      look = { tag, isLive };
    }
    this.#looks.set(path, look);
    return look.isLive;
  }
}

/** Beginning and end; nothing of what cannot be read just now. */
async function textOf(resource: Resource): Promise<string> {
  const { sizeBytes } = resource;
  const headBytes = Math.min(sizeBytes, LOOKED_AT_BYTES);
  const tailBytes = Math.min(sizeBytes - headBytes, LOOKED_AT_BYTES);
  try {
    await using content = await resource.open();
    const head = fromUtf8(await content.read(0, headBytes));
    const tail = await content.read(sizeBytes - tailBytes, tailBytes);
    return head + fromUtf8(tail);
  } catch (error) {
    if (error instanceof RunError) return "";
    throw error;
  }
}
