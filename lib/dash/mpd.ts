import { type ByteRange, durationMs, resolveUrl } from "./_attributes.ts";
import { Budget } from "./_budget.ts";
import {
  addressSegments,
  type Segment,
  type SegmentLocation,
} from "./_segments.ts";
import {
  childOf,
  childrenOf,
  MpdError,
  parseXml,
  type XmlElement,
} from "./xml.ts";

/** A static Media Presentation Description with every inheritance, BaseURL and template worked out. */
export interface Mpd {
  /** `ProgramInformation/Title`, or "". */
  readonly title: string;
  /** `@mediaPresentationDuration`, or the sum of the Periods. */
  readonly durationMs: number;
  /** `@minBufferTime`: what the author wants buffered so that a link of `@bandwidth` never stalls. */
  readonly minBufferMs: number;
  readonly periods: readonly Period[];
}

/** A stretch of the title with its own choice of media. */
export interface Period {
  readonly id: string;
  /** From the start of the presentation. */
  readonly startMs: number;
  /** Undefined only when nothing in the manifest tells. */
  readonly durationMs: number | undefined;
  readonly adaptationSets: readonly AdaptationSet[];
}

/** Encodings of one content a player may switch between. */
export interface AdaptationSet {
  /** `video`, `audio`, `text`, `image`, or "" when the manifest does not say. */
  readonly contentType: string;
  readonly language: string;
  /** Carries an EssentialProperty: a client that does not know the scheme leaves the set alone (§5.8.4.8). */
  readonly essential: boolean;
  /** Sorted by bandwidth, lowest first; ties keep the manifest's order. */
  readonly representations: readonly Representation[];
}

/** One encoding at one rate. */
export interface Representation {
  readonly id: string;
  /** `@bandwidth`: a link of this rate plays it after `minBufferTime` of preload (§5.3.5.2). */
  readonly bitsPerSecond: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly codecs: string;
  readonly mimeType: string;
  /** Undefined when every segment initializes itself. */
  readonly initialization: SegmentLocation | undefined;
  readonly segments: readonly Segment[];
}

export type { ByteRange, Segment, SegmentLocation };

/** Most alternatives kept of a BaseURL list and of products of such lists. */
const MAX_BASE_URLS = 8;

/**
 * Reads a manifest (ISO/IEC 23009-1) fetched from `url`.
 *
 * Reads leniently: unknown elements and attributes are passed over, since most manifests in the wild are not valid.
 * What is needed to play must be there. The namespace is not checked.
 *
 * @throws {MpdError} With code and line; `unsupported` for `type="dynamic"`, remote elements and SegmentBase.
 */
export function parseMpd(text: string, url: string): Mpd {
  const root = parseXml(text);
  if (root.name !== "MPD") {
    throw new MpdError(
      "not-an-mpd",
      root.line,
      `the document's element must be MPD, got ${root.name}`,
    );
  }
  if (root.attributes.get("type") === "dynamic") {
    throw new MpdError(
      "unsupported",
      root.line,
      'MPD@type="dynamic" (live) is not supported: only static titles are',
    );
  }
  const totalMs = durationMs(root, "mediaPresentationDuration");
  const bases = baseUrls(root, [url]);
  const budget = new Budget();
  const periods: Period[] = [];
  const elements = childrenOf(root, "Period").filter(isHere);
  for (const [at, element] of elements.entries()) {
    const before = periods.at(-1);
    const startMs = durationMs(element, "start") ??
      (before === undefined ? 0 : before.startMs + (before.durationMs ?? 0));
    const next = elements[at + 1];
    const endMs = next === undefined ? totalMs : durationMs(next, "start");
    const known = durationMs(element, "duration") ??
      (endMs === undefined ? undefined : Math.max(0, endMs - startMs));
    periods.push(readPeriod(element, { startMs, known, bases, budget }));
  }
  if (periods.length === 0) throw missing(root, "Period");
  const last = periods.at(-1);
  return {
    title: childOf(root, "ProgramInformation")?.children
      .find((child) => child.name === "Title")?.text ?? "",
    durationMs: totalMs ?? (last?.startMs ?? 0) + (last?.durationMs ?? 0),
    minBufferMs: durationMs(root, "minBufferTime") ?? 0,
    periods,
  };
}

/** Says whether an element is part of the document; remote ones (§5.5) would need another fetch. */
function isHere(element: XmlElement): boolean {
  const href = element.attributes.get("xlink:href");
  if (href === undefined) return true;
  if (href === "urn:mpeg:dash:resolve-to-zero:2013") return false;
  throw new MpdError(
    "unsupported",
    element.line,
    `${element.name}@xlink:href (an element in another file) is not supported`,
  );
}

function missing(parent: XmlElement, what: string): MpdError {
  return new MpdError(
    "missing",
    parent.line,
    `${parent.name} must have ${what}`,
  );
}

/** Applies the BaseURL children of one level (§5.6.4). */
function baseUrls(
  element: XmlElement,
  inherited: readonly string[],
): readonly string[] {
  const own = childrenOf(element, "BaseURL");
  if (own.length === 0) return inherited;
  const all = own.slice(0, MAX_BASE_URLS).flatMap((child) =>
    inherited.map((base) => resolveUrl(child, child.text, base))
  );
  return [...new Set(all)].slice(0, MAX_BASE_URLS);
}

interface PeriodContext {
  readonly startMs: number;
  /** Its duration, when the manifest says so. */
  readonly known: number | undefined;
  readonly bases: readonly string[];
  readonly budget: Budget;
}

function readPeriod(element: XmlElement, context: PeriodContext): Period {
  const bases = baseUrls(element, context.bases);
  const adaptationSets = childrenOf(element, "AdaptationSet").filter(isHere)
    .map((set) => readSet(set, { ...context, bases, period: element }))
    .filter((set) => set.representations.length > 0);
  if (adaptationSets.length === 0) {
    throw missing(element, "an AdaptationSet with a Representation");
  }
  let longestMs = 0;
  for (const { representations } of adaptationSets) {
    const last = representations[0]?.segments.at(-1);
    longestMs = Math.max(
      longestMs,
      last === undefined ? 0 : last.startMs + last.durationMs,
    );
  }
  return {
    id: element.attributes.get("id") ?? "",
    startMs: context.startMs,
    durationMs: context.known ?? (longestMs === 0 ? undefined : longestMs),
    adaptationSets,
  };
}

function readSet(
  set: XmlElement,
  context: PeriodContext & { readonly period: XmlElement },
): AdaptationSet {
  const bases = baseUrls(set, context.bases);
  const representations = childrenOf(set, "Representation")
    // Layers of a scalable stream are no choice of their own.
    .filter((element) => !element.attributes.has("dependencyId"))
    .map((element, at) =>
      readRepresentation(element, at, { ...context, bases, set })
    )
    .sort((a, b) => a.bitsPerSecond - b.bitsPerSecond);
  return {
    contentType: set.attributes.get("contentType") ??
      representations[0]?.mimeType.split("/")[0] ?? "",
    language: set.attributes.get("lang") ?? "",
    essential: childOf(set, "EssentialProperty") !== undefined,
    representations,
  };
}

function readRepresentation(
  element: XmlElement,
  at: number,
  context: PeriodContext & {
    readonly period: XmlElement;
    readonly set: XmlElement;
  },
): Representation {
  // Common attributes (§5.3.7) are inherited from the AdaptationSet.
  const common = (name: string) =>
    element.attributes.get(name) ?? context.set.attributes.get(name);
  const size = (name: string) => {
    const text = common(name);
    return text !== undefined && /^\d{1,6}$/.test(text)
      ? Number(text)
      : undefined;
  };
  const bandwidth = element.attributes.get("bandwidth");
  if (bandwidth === undefined) throw missing(element, "@bandwidth");
  const bitsPerSecond = /^\d{1,15}$/.test(bandwidth) ? Number(bandwidth) : 0;
  if (bitsPerSecond === 0) {
    throw new MpdError(
      "bad-value",
      element.line,
      `Representation@bandwidth must be a rate in bit/s, got "${bandwidth}"`,
    );
  }
  const id = element.attributes.get("id") ?? String(at + 1);
  return {
    id,
    bitsPerSecond,
    width: size("width"),
    height: size("height"),
    codecs: common("codecs") ?? "",
    mimeType: common("mimeType") ?? "",
    ...addressSegments([context.period, context.set, element], {
      bases: baseUrls(element, context.bases),
      periodMs: context.known,
      budget: context.budget,
      names: { representationId: id, bitsPerSecond },
    }),
  };
}
