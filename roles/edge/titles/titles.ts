import type { AdaptationSet } from "../../../lib/dash/mpd/mpd.ts";
import { parseMpd } from "../../../lib/dash/mpd/mpd.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { FieldLookup } from "../../../lib/http/fields.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import { readPlaylistUris } from "../../../lib/media/manifests/hls_reader.ts";

/** Most manifests remembered, HLS has one for each rate, and most segments of all together; the oldest are forgotten first. */
const MAX_TITLES = 256;
const MAX_SEGMENTS = 200_000;

/** One rate of a stretch of media. */
export interface Rung {
  readonly bitsPerSecond: number;
  readonly target: string;
}

/** What is known of a segment. */
export interface KnownSegment {
  /** What a player asks for after it; undefined after the last. */
  readonly next: string | undefined;
  /** The same stretch in each rate, lowest first. */
  readonly rungs: readonly Rung[];
  /** `video`, `audio` …, or "". */
  readonly contentType: string;
}

/** A manifest read: every object it names, in the order a player of each rate would ask for them. */
export interface KnownTitle {
  /** Initialization segments and media, each once. */
  readonly targets: readonly string[];
  readonly segments: ReadonlyMap<string, KnownSegment>;
}

/**
 * Reads what a manifest says of its segments; of a live one, of those that are there now.
 *
 * @param options.targetOf The target a URL has on this edge; undefined when it is elsewhere, and then not ours to fetch.
 * @throws {MpdError} If it cannot be read.
 */
export function readTitle(
  text: string,
  url: string,
  { targetOf, nowWallMs }: {
    readonly targetOf: (url: string) => string | undefined;
    readonly nowWallMs: number;
  },
): KnownTitle {
  const segments = new Map<string, KnownSegment>();
  const targets = new Set<string>();
  const ours = (urls: readonly string[]) => {
    for (const each of urls) {
      const target = targetOf(each);
      if (target !== undefined) return normaliseTarget(target);
    }
    return undefined;
  };
  for (const { adaptationSets } of parseMpd(text, url, { nowWallMs }).periods) {
    for (const set of adaptationSets) {
      readSet(set, ours, (target, known) => {
        targets.add(target);
        if (known !== undefined) segments.set(target, known);
      });
    }
  }
  return { targets: [...targets], segments };
}

/**
 * Reads what an HLS playlist says of its segments. It knows nothing of other rates: each has a playlist of its own.
 *
 * @param resolve The target of a URI; undefined when it is elsewhere.
 * @throws {SyntaxError} If it is no playlist.
 */
function readPlaylist(
  text: string,
  resolve: (uri: string) => string | undefined,
): KnownTitle {
  const targets = readPlaylistUris(text).segments.map(resolve);
  const segments = new Map<string, KnownSegment>();
  for (const [at, target] of targets.entries()) {
    if (target === undefined) continue;
    segments.set(target, {
      next: targets[at + 1],
      rungs: [{ bitsPerSecond: 0, target }],
      contentType: "",
    });
  }
  return { targets: [...segments.keys()], segments };
}

function readSet(
  { contentType, representations }: AdaptationSet,
  ours: (urls: readonly string[]) => string | undefined,
  found: (target: string, known: KnownSegment | undefined) => void,
): void {
  const all = representations.map(({ bitsPerSecond, segments }) => ({
    bitsPerSecond,
    targets: segments.map(({ urls }) => ours(urls)),
  }));
  const longest = Math.max(0, ...all.map(({ targets }) => targets.length));
  const rungs = Array.from(
    { length: longest },
    (_, at) =>
      all.flatMap(({ bitsPerSecond, targets }) =>
        targets[at] === undefined
          ? []
          : [{ bitsPerSecond, target: targets[at] }]
      ),
  );
  for (const [index, { targets }] of all.entries()) {
    const first = representations[index]!.initialization;
    const initialization = first === undefined ? undefined : ours(first.urls);
    if (initialization !== undefined) found(initialization, undefined);
    for (const [at, target] of targets.entries()) {
      if (target === undefined) continue;
      const next = targets[at + 1];
      // Parts of one file are one object here.
      found(target, {
        next: next === target ? undefined : next,
        rungs: rungs[at]!,
        contentType,
      });
    }
  }
}

/** The titles clients have asked for lately. */
export class Titles {
  readonly #titles = new Map<string, KnownTitle>();
  readonly #targetOf: (url: string) => string | undefined;
  readonly #urlOf: (target: string) => string;
  readonly #clock: Pick<Clock, "wallMs">;

  /** Knows none yet. */
  constructor(
    upstream: {
      targetOf(url: string): string | undefined;
      urlOf(target: string): string;
    },
    clock: Pick<Clock, "wallMs">,
  ) {
    this.#clock = clock;
    this.#targetOf = (url) => upstream.targetOf(url);
    this.#urlOf = (target) => upstream.urlOf(target);
  }

  /** Whether the manifest at this target has been read. */
  has(target: string): boolean {
    return this.#titles.has(target);
  }

  /** Reads a manifest, or an HLS playlist, by its name. @throws {SyntaxError} If it cannot be read. */
  learn(target: string, text: string): KnownTitle {
    const title = isPlaylist(target)
      ? readPlaylist(text, (uri) => this.resolve(uri, target))
      : readTitle(text, this.#urlOf(target), {
        targetOf: this.#targetOf,
        nowWallMs: this.#clock.wallMs(),
      });
    this.#titles.delete(target);
    this.#titles.set(target, title);
    let segments = 0;
    for (const each of this.#titles.values()) segments += each.segments.size;
    for (const [oldest, { segments: { size } }] of this.#titles) {
      const fits = this.#titles.size <= MAX_TITLES && segments <= MAX_SEGMENTS;
      if (fits || oldest === target) break;
      this.#titles.delete(oldest);
      segments -= size;
    }
    return title;
  }

  /** The target of a URI that stands in what was found at `target`; undefined when it is elsewhere. */
  resolve(uri: string, target: string): string | undefined {
    const base = this.#urlOf(target);
    const there = URL.canParse(uri, base)
      ? this.#targetOf(new URL(uri, base).href)
      : undefined;
    return there === undefined ? undefined : normaliseTarget(there);
  }

  /** What is known of a segment, by a manifest that knows it in several rates if there is one. */
  find(target: string): KnownSegment | undefined {
    let found: KnownSegment | undefined;
    for (const { segments } of this.#titles.values()) {
      const known = segments.get(target);
      if (known !== undefined && known.rungs.length > 1) return known;
      found ??= known;
    }
    return found;
  }
}

/** Whether a target is that of a DASH manifest, by its name. */
export function isManifest(target: string): boolean {
  return /\.mpd(\?|$)/i.test(target);
}

/** Whether a target is that of an HLS playlist, by its name. */
export function isPlaylist(target: string): boolean {
  return /\.m3u8(\?|$)/i.test(target);
}

/** Whether an answer is a page for people: such as the player's page of a title, whose path ends as that of the manifest does. */
export function isPage(headers: FieldLookup): boolean {
  return /^text\/html\b/i.test(headers.get("content-type") ?? "");
}
