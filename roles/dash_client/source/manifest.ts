import { InputError, RunError } from "../../../lib/core/errors.ts";
import { type Mpd, openMpd } from "../../../lib/dash/mpd/mpd.ts";
import { Locations } from "../../../lib/dash/locations.ts";
import {
  planTracks,
  type Position,
  type Track,
  type TrackChoice,
} from "../../../lib/dash/title.ts";
import { MpdError } from "../../../lib/dash/mpd/xml.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { CmcdSession } from "../network/cmcd.ts";
import { Fetcher } from "../network/fetcher.ts";
import type { SourceFlags } from "../flags.ts";
import type { Link } from "../network/link.ts";
import type { ResolverOptions } from "../network/lookup.ts";
import { Names } from "../network/names.ts";
import { readIndexes } from "./indexes.ts";
import {
  type FetchedManifest,
  fetchManifest,
  type LiveSource,
  openLive,
} from "./live_source.ts";
import { SegmentSource } from "./segment_source.ts";

/** A manifest is asked for so often at what `--resolver` says. */
const TRIES_BY_NAME = 3;
/** So many things that were left out of a manifest are told. */
const MAX_WARNINGS = 20;

/** A title, ready to be fetched. */
export interface OpenTitle {
  readonly segments: SegmentSource;
  /** The main one first; of a live title what was there when it was opened. */
  readonly tracks: readonly Track[];
  /** Of the main track. */
  readonly positions: readonly Position[];
  /** Set when the title is live: what comes after that. */
  readonly live: LiveSource | undefined;
  readonly title: string;
  readonly mediaMs: number;
  /** From the request for the manifest to the last byte of it. */
  readonly manifestMs: number;
}

interface OpenOptions {
  readonly takesLive?: boolean;
  readonly tracks?: TrackChoice;
  readonly limitMs?: number | undefined;
  readonly quality?: string;
}

/**
 * Finds and reads the manifest.
 *
 * @param options.link What all that is fetched passes.
 * @param options.cmcd What tells the CDN of the player.
 * @param options.takesLive The caller can do with a live title.
 * @param options.tracks What of it is wanted; the main track unless said otherwise.
 * @param options.quality A rung that is to be there, as {@linkcode rungOf} takes it.
 * @param options.limitMs Where in the presentation to end; `--duration` unless said otherwise.
 * @throws {InputError} If the operand is no URL or the manifest cannot be read as one, with its line.
 * @throws {RunError} If it cannot be had.
 */
export async function openTitle(
  flags: SourceFlags & { readonly operand: string },
  ctx: RoleContext,
  options: OpenOptions & {
    readonly link?: Link | undefined;
    readonly cmcd?: CmcdSession | undefined;
  } = {},
): Promise<OpenTitle> {
  const url = urlOf(flags.operand);
  const names = new Names(await resolverOf(flags, ctx), ctx);
  const fetcher = new Fetcher(ctx, names, {
    timeoutMs: flags.timeout,
    link: options.link,
  });
  const got = await firstManifest(url, fetcher, {
    cmcd: options.cmcd,
    tries: flags.resolver === undefined ? 1 : TRIES_BY_NAME,
  });
  try {
    const locations = new Locations(ctx.rng);
    const world = { ctx, fetcher, locations };
    const opened = await readTitle(got, { flags, ...world, ...options });
    const { mpd, tracks, live } = opened;
    const { positions } = tracks[0]!;
    const { title } = mpd;
    const [first] = positions;
    if (options.quality !== undefined && first !== undefined) {
      rungOf(options.quality, first);
    }
    locations.learn(mpd);
    locations.redirected(got.askedUrl, got.url);
    const segments = new SegmentSource(fetcher, locations, ctx);
    const mediaMs = positions.reduce((sum, each) => sum + each.durationMs, 0);
    ctx.emit({
      type: "manifest.loaded",
      url: got.url,
      title,
      bytes: got.bytes,
      mediaMs,
      segmentCount: positions.length,
      bitsPerSecond: positions[0]?.choices.map((each) => each.bitsPerSecond) ??
        [],
      server: got.server,
      elapsedMs: got.downloadMs,
    });
    for (const { line, text } of mpd.warnings.slice(0, MAX_WARNINGS)) {
      ctx.emit({ type: "manifest.warned", url: got.url, line, text });
    }
    const manifestMs = got.downloadMs;
    return {
      ...{ segments, tracks, positions, live, title, mediaMs, manifestMs },
    };
  } catch (error) {
    if (!(error instanceof MpdError)) throw error;
    throw unreadable(got, error);
  }
}

/** What else came. */
function kindOf(text: string): string {
  if (/<(?:!doctype )?html/i.test(text)) return "a page and ";
  if (text.startsWith("#EXTM3U")) return "an HLS playlist and ";
  return text.trim() === "" ? "empty and " : "";
}

/** Why there is no title in what came: an origin's own URL leads to a page. */
function unreadable(
  { url, text }: { readonly url: string; readonly text: string },
  error: MpdError,
): InputError {
  const what = /<(?:[\w.-]+:)?MPD[\s>]/.test(text)
    ? ""
    : `it is ${kindOf(text)}no manifest (MPD); `;
  return new InputError(`Cannot read ${url}: ${what}${error.message}`, {
    cause: error,
  });
}

/**
 * A node that does not answer is no end while a resolver may name another one: it is asked again.
 *
 * @throws {RunError} `manifest-unreachable`, `manifest-refused`.
 */
async function firstManifest(
  url: string,
  fetcher: Fetcher,
  { cmcd, tries }: {
    readonly cmcd: CmcdSession | undefined;
    readonly tries: number;
  },
): Promise<FetchedManifest> {
  const got = await fetchManifest(url, fetcher, { cmcd: cmcd?.manifest() });
  if (got.ok) return got;
  if (got.status === undefined && tries > 1) {
    return await firstManifest(url, fetcher, { cmcd, tries: tries - 1 });
  }
  throw new RunError(
    got.status === undefined ? "manifest-unreachable" : "manifest-refused",
    got.problem.includes(url)
      ? got.problem
      : `Cannot fetch ${url}: ${got.problem}`,
  );
}

async function readTitle(
  got: FetchedManifest,
  { flags, takesLive, tracks = "video", limitMs, ...world }: OpenOptions & {
    readonly flags: SourceFlags;
    readonly ctx: RoleContext;
    readonly fetcher: Fetcher;
    readonly locations: Locations;
  },
): Promise<
  Pick<OpenTitle, "tracks" | "live"> & { readonly mpd: Mpd }
> {
  const document = openMpd(got.text, got.url);
  if (!document.dynamic) {
    const mpd = await readIndexes(document.at(0), world.fetcher);
    const planned = planTracks(mpd, {
      ...{ tracks, limitMs: limitMs ?? flags.duration ?? Infinity },
    });
    return { mpd, tracks: planned, live: undefined };
  }
  if (takesLive !== true) {
    throw new MpdError(
      "unsupported",
      1,
      'MPD@type="dynamic" (live) can only be played: it has no end',
    );
  }
  const live = await openLive(document, got, { ...world, tracks });
  const nowWallMs = world.ctx.clock.wallMs();
  const view = live.title.positionsAt(nowWallMs);
  return { mpd: live.title.mpdAt(nowWallMs), tracks: view.tracks, live };
}

/** Refuses a `--duration` in which nothing plays. @throws {InputError} */
export function checkDuration(
  { duration }: { readonly duration?: number | undefined },
): void {
  if (duration === 0) throw new InputError("--duration must be above 0");
}

/** The manifest's URL. @throws {InputError} If it is none. */
export function urlOf(operand: string): string {
  let url: URL | undefined;
  try {
    url = new URL(operand);
  } catch { /* said below */ }
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InputError(
      `the manifest must be a URL such as http://127.0.0.1:8080/manifest.mpd, got "${operand}"`,
    );
  }
  return url.href;
}

/** Which DNS server to ask, and how. @throws {InputError} If there is none for what is to be asked. */
export async function resolverOf(
  flags: SourceFlags & { readonly cooperate?: boolean },
  ctx: RoleContext,
): Promise<ResolverOptions | undefined> {
  const { resolver, host, clientSubnet } = flags;
  if (resolver === undefined) {
    const idle = host !== "" && !flags.cooperate;
    if (idle || clientSubnet !== undefined) {
      throw new InputError(
        "--host and --client-subnet say how to ask --resolver; without it there is nobody to ask",
      );
    }
    return undefined;
  }
  const [address] = await ctx.net.resolve(resolver.host, {
    signal: ctx.signal,
  });
  return {
    resolver: { host: address!, port: resolver.port },
    host,
    clientSubnet,
  };
}

/**
 * Finds the rung `--quality` names.
 *
 * @throws {InputError} If there is none, with those there are.
 */
export function rungOf(
  quality: string,
  { choices }: Pick<Position, "choices">,
): number {
  if (quality === "lowest") return 0;
  if (quality === "highest") return choices.length - 1;
  const height = /^(\d+)p$/.exec(quality)?.[1];
  const index = choices.findLastIndex((choice) =>
    height === undefined
      ? choice.representationId === quality
      : choice.height === Number(height)
  );
  if (index >= 0) return index;
  const known = choices.map((choice) =>
    choice.height === 0 ? choice.representationId : `${choice.height}p`
  );
  throw new InputError(
    `--quality must be lowest, highest or one of ${
      known.join(", ")
    } in this title, got "${quality}"`,
  );
}
