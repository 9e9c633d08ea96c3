import { type BaseUrl, baseUrls } from "./_base_urls.ts";
import type { Budget } from "./_budget.ts";
import { addressSegments } from "./_segments.ts";
import type { Bounds } from "./_times.ts";
import { type Live, liveEdgeMs } from "./live.ts";
import type {
  AdaptationSet,
  MpdWarning,
  Period,
  Representation,
} from "./_presentation.ts";
import { seconds, wholeNumber } from "./_attributes.ts";
import { childOf, childrenOf, MpdError, type XmlElement } from "./xml.ts";

/** What a Period is read with. */
export interface PeriodContext {
  readonly startMs: number;
  /** Its duration, when the manifest says so. */
  readonly known: number | undefined;
  readonly nowWallMs: number;
  readonly live: Live | undefined;
  readonly bases: readonly BaseUrl[];
  readonly hasBase: boolean;
  readonly budget: Budget;
  /** Grows. */
  readonly warnings: MpdWarning[];
}

interface SetContext extends PeriodContext {
  readonly period: XmlElement;
}

interface RepresentationContext extends SetContext {
  readonly set: XmlElement;
}

/**
 * Reads a Period.
 *
 * @throws {MpdError} If a value in it is none; `missing` or `unsupported` if nothing in it can be used.
 */
export function readPeriod(
  element: XmlElement,
  context: PeriodContext,
): Period {
  warnOfLinks(element, context);
  const bases = baseUrls(element, context.bases);
  const inside = {
    ...context,
    bases,
    hasBase: hasBase(element, context),
    period: element,
  };
  const adaptationSets = usable(
    childrenOf(element, "AdaptationSet"),
    (set) => readSet(set, inside),
    context,
  );
  if (adaptationSets.length === 0) {
    throw missing(element, "an AdaptationSet with a Representation");
  }
  const reachMs = reachOf(adaptationSets);
  const told = context.live === undefined && reachMs > 0 ? reachMs : undefined;
  return {
    id: element.attributes.get("id") ?? "",
    startMs: context.startMs,
    durationMs: context.known ?? told,
    adaptationSets,
  };
}

/** Where the segments of a Period end, from its start: what the first Representation of each set comes to. */
export function reachOf(sets: readonly AdaptationSet[]): number {
  let reachMs = 0;
  for (const { representations } of sets) {
    const last = representations[0]?.segments.at(-1);
    if (last === undefined) continue;
    reachMs = Math.max(reachMs, last.startMs + last.durationMs);
  }
  return reachMs;
}

/**
 * What can be read of `elements`: those with something missing or unknown to us are left out with a warning.
 *
 * @throws {MpdError} The first problem, if nothing is left.
 */
function usable<Read>(
  elements: readonly XmlElement[],
  read: (element: XmlElement, at: number) => Read,
  { warnings }: PeriodContext,
): readonly Read[] {
  const found: Read[] = [];
  const before = warnings.length;
  let problem: MpdError | undefined;
  for (const [at, element] of elements.entries()) {
    try {
      found.push(read(element, at));
    } catch (error) {
      if (!(error instanceof MpdError) || !error.passable) throw error;
      problem ??= error;
      warnings.push({ line: error.line, text: error.problem });
    }
  }
  if (found.length === 0 && problem !== undefined) {
    // Told as the error, or as a warning one level up.
    warnings.length = before;
    throw problem;
  }
  return found;
}

/** Elements in other files (xlink, §5.5) are not fetched: what stands here counts. */
function warnOfLinks(element: XmlElement, { warnings }: PeriodContext): void {
  const href = element.attributes.get("xlink:href");
  if (href === undefined || href === "urn:mpeg:dash:resolve-to-zero:2013") {
    return;
  }
  warnings.push({
    line: element.line,
    text:
      `${element.name}@xlink:href (an element in another file) is not followed`,
  });
}

function hasBase(element: XmlElement, { hasBase }: PeriodContext): boolean {
  return hasBase || childOf(element, "BaseURL") !== undefined;
}

function missing(parent: XmlElement, what: string): MpdError {
  return new MpdError(
    "missing",
    parent.line,
    `${parent.name} must have ${what}`,
  );
}

function readSet(set: XmlElement, context: SetContext): AdaptationSet {
  warnOfLinks(set, context);
  const inside = {
    ...context,
    bases: baseUrls(set, context.bases),
    hasBase: hasBase(set, context),
    set,
  };
  const representations = usable(
    // Layers of a scalable stream are no choice of their own.
    childrenOf(set, "Representation")
      .filter((element) => !element.attributes.has("dependencyId")),
    (element, at) => readRepresentation(element, at, inside),
    context,
  ).toSorted((a, b) => a.bitsPerSecond - b.bitsPerSecond);
  if (representations.length === 0) throw missing(set, "a Representation");
  const component = childOf(set, "ContentComponent");
  return {
    id: set.attributes.get("id") ?? "",
    contentType: set.attributes.get("contentType") ??
      component?.attributes.get("contentType") ??
      typeOf(representations[0]!),
    language: set.attributes.get("lang") ?? "",
    roles: childrenOf(set, "Role").map((role) =>
      role.attributes.get("value") ?? ""
    ),
    essential: childOf(set, "EssentialProperty") !== undefined,
    representations,
  };
}

/** What a media type says the content is; subtitles come as `application/…`, too. */
function typeOf({ mimeType, codecs }: Representation): string {
  const [type = ""] = mimeType.split("/");
  if (type !== "application") return type;
  return /ttml|vtt/.test(mimeType) || /^(stpp|wvtt)/.test(codecs) ? "text" : "";
}

function readRepresentation(
  element: XmlElement,
  at: number,
  context: RepresentationContext,
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
  const bitsPerSecond = bandwidthOf(element, context);
  const id = element.attributes.get("id") ?? String(at + 1);
  const bases = baseUrls(element, context.bases);
  const aheadMs = aheadOf(element, context);
  return {
    id,
    bitsPerSecond,
    aheadMs,
    width: size("width"),
    height: size("height"),
    framesPerSecond: frameRate(common("frameRate")),
    codecs: common("codecs") ?? "",
    mimeType: common("mimeType") ?? "",
    bases,
    ...addressSegments([context.period, context.set, element], {
      bases: bases.map((base) => base.url),
      hasBase: hasBase(element, context),
      periodMs: context.known,
      window: windowOf(context, aheadMs),
      placeCount: bases.length,
      budget: context.budget,
      names: { representationId: id, bitsPerSecond },
      warn: ({ line }, text) => {
        const { warnings } = context;
        // Once for all Representations that have it from further out.
        if (warnings.some((each) => each.line === line && each.text === text)) {
          return;
        }
        warnings.push({ line, text });
      },
    }),
  };
}

/** `@bandwidth`. One that is missing or 0 is told and taken for the least: what there is can be played all the same. */
function bandwidthOf(
  element: XmlElement,
  { warnings }: PeriodContext,
): number {
  const bandwidth = wholeNumber(element, "bandwidth") ?? 0;
  if (bandwidth > 0) return bandwidth;
  warnings.push({
    line: element.line,
    text: "Representation must have @bandwidth above 0; taken for 1 bit/s",
  });
  return 1;
}

/** `@frameRate`, such as `25` or `30000/1001`. */
function frameRate(text: string | undefined): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,6})?)(?:\/(\d{1,6}))?$/.exec(text ?? "");
  const rate = Number(match?.[1]) / Number(match?.[2] ?? 1);
  return rate > 0 && rate < Infinity ? rate : undefined;
}

/** `@availabilityTimeOffset` of all levels together (§5.3.9.5.4), in ms; 0 in a static manifest. */
function aheadOf(
  element: XmlElement,
  { live, set, period }: RepresentationContext,
): number {
  let aheadMs = 0;
  for (const level of live === undefined ? [] : [period, set, element]) {
    for (const name of ["BaseURL", "SegmentTemplate", "SegmentBase"]) {
      const child = childOf(level, name);
      const offset = child && seconds(child, "availabilityTimeOffset");
      if (offset === undefined) continue;
      // Announced without end: as far ahead as the Period goes. A segment of an unknown length cannot be had early.
      aheadMs += offset === Infinity ? 0 : offset * 1000;
    }
  }
  return aheadMs;
}

/** What is there of a live Representation, from the start of its Period. */
function windowOf(
  { live, nowWallMs, startMs }: RepresentationContext,
  aheadMs: number,
): Bounds["window"] {
  if (live === undefined) return undefined;
  const edgeMs = liveEdgeMs(live, nowWallMs) - startMs;
  return { fromMs: edgeMs - live.timeShiftMs, toMs: edgeMs + aheadMs };
}
