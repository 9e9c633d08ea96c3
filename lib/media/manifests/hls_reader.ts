/** Most names in one playlist that are read. */
const MAX_URIS = 200_000;

/** What a playlist names, as it is written there. */
export interface PlaylistUris {
  /** Playlists of renditions: those of a multivariant playlist. */
  readonly playlists: readonly string[];
  /** Initialization sections and segments, each once, in their order. */
  readonly media: readonly string[];
  /** The segments alone. */
  readonly segments: readonly string[];
}

/**
 * Reads which URIs an HLS playlist (RFC 8216 §4) names, and nothing else of it: a line that is no tag is one of a
 * rendition behind `EXT-X-STREAM-INF`, else of a segment; `EXT-X-MEDIA` and `EXT-X-MAP` have theirs in an attribute.
 *
 * @throws {SyntaxError} If it does not begin with `#EXTM3U`.
 */
export function readPlaylistUris(text: string): PlaylistUris {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines[0]?.trim() !== "#EXTM3U") {
    throw new SyntaxError("A playlist must begin with #EXTM3U");
  }
  const playlists = new Set<string>();
  const media = new Set<string>();
  const segments = new Set<string>();
  let isRendition = false;
  for (const line of lines) {
    if (playlists.size + media.size >= MAX_URIS) break;
    const uri = line.trim();
    if (uri === "") continue;
    if (!uri.startsWith("#")) {
      (isRendition ? playlists : media).add(uri);
      if (!isRendition) segments.add(uri);
      isRendition = false;
      continue;
    }
    if (uri.startsWith("#EXT-X-STREAM-INF:")) isRendition = true;
    const named = uriAttribute(uri);
    if (named === undefined) continue;
    if (uri.startsWith("#EXT-X-MEDIA:")) playlists.add(named);
    if (uri.startsWith("#EXT-X-MAP:")) media.add(named);
  }
  return {
    playlists: [...playlists],
    media: [...media],
    segments: [...segments],
  };
}

/** The value of `URI` in an attribute list (RFC 8216 §4.2), where quoted values may hold anything but quotes. */
function uriAttribute(tag: string): string | undefined {
  const list = tag.slice(tag.indexOf(":") + 1);
  for (const [, name, value] of list.matchAll(ATTRIBUTE)) {
    if (name === "URI") return value!.slice(1, -1) || undefined;
  }
  return undefined;
}

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)/g;
