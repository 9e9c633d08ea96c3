import { durationMs, resolveUrl } from "./_attributes.ts";
import { type BaseUrl, baseUrls } from "./_base_urls.ts";
import { Budget } from "./_budget.ts";
import { type PeriodContext, reachOf, readPeriod } from "./_periods.ts";
import type {
  AdaptationSet,
  MpdWarning,
  Period,
  Representation,
} from "./_presentation.ts";
import type { ByteRange } from "./_attributes.ts";
import type { Segment, SegmentLocation } from "./_segments.ts";
import { type Live, readLive } from "./live.ts";
import {
  childOf,
  childrenOf,
  MpdError,
  parseXml,
  type XmlElement,
} from "./xml.ts";

/** A Media Presentation Description with every inheritance, BaseURL and template worked out. */
export interface Mpd {
  /** `ProgramInformation/Title`, or "". */
  readonly title: string;
  /** `@mediaPresentationDuration`, or to the end of the last Period; of a live one without it, to its live edge. */
  readonly durationMs: number;
  /** `@minBufferTime`: what the author wants buffered so that a link of `@bandwidth` never stalls. */
  readonly minBufferMs: number;
  /** Set when `type="dynamic"`: what is there depends on the time, and the manifest may change. */
  readonly live: Live | undefined;
  /** `Location`: where to fetch the manifest from the next time; empty: where it was fetched from. */
  readonly locations: readonly string[];
  readonly periods: readonly Period[];
  /** What was passed over, in the order of the document. */
  readonly warnings: readonly MpdWarning[];
}

export type {
  AdaptationSet,
  BaseUrl,
  ByteRange,
  Live,
  MpdWarning,
  Period,
  Representation,
  Segment,
  SegmentLocation,
};

/** A manifest that was read once: a live one lists other segments at other times. */
export interface MpdDocument {
  /** `type="dynamic"`. */
  readonly dynamic: boolean;
  /**
   * What there is at `nowWallMs`, in ms since 1970 by the author's clock. Of a static one always the same.
   *
   * @throws {MpdError} With code and line.
   */
  at(nowWallMs: number): Mpd;
}

/**
 * Reads a manifest (ISO/IEC 23009-1) fetched from `url`: as {@linkcode parseMpd}, to be looked at more than once.
 *
 * @throws {MpdError} `not-xml`, `doctype`, `too-large`, `not-an-mpd`.
 */
export function openMpd(text: string, url: string): MpdDocument {
  const root = parseXml(text);
  if (root.name !== "MPD") {
    throw new MpdError(
      "not-an-mpd",
      root.line,
      `the document's element must be MPD, got ${root.name}`,
    );
  }
  const dynamic = root.attributes.get("type") === "dynamic";
  return { dynamic, at: (nowWallMs) => readMpd(root, url, nowWallMs) };
}

/**
 * Reads a manifest (ISO/IEC 23009-1) fetched from `url`.
 *
 * Reads leniently: unknown elements and attributes are passed over, since most manifests in the wild are not valid;
 * what cannot be used is left out with a warning. What is needed to play must be there. The namespace is not checked.
 *
 * @param options The time at which a live one is looked at; without it, only static ones are read.
 * @throws {MpdError} With code and line; `unsupported` for `type="dynamic"` without a time.
 */
export function parseMpd(
  text: string,
  url: string,
  options: { readonly nowWallMs?: number } = {},
): Mpd {
  const document = openMpd(text, url);
  if (document.dynamic && options.nowWallMs === undefined) {
    throw new MpdError(
      "unsupported",
      1,
      'MPD@type="dynamic" (live) is not supported: only static titles are',
    );
  }
  return document.at(options.nowWallMs ?? 0);
}

function readMpd(root: XmlElement, url: string, nowWallMs: number): Mpd {
  const live = root.attributes.get("type") === "dynamic"
    ? readLive(root, url)
    : undefined;
  const totalMs = durationMs(root, "mediaPresentationDuration");
  const warnings: MpdWarning[] = [];
  const patch = childOf(root, "PatchLocation");
  if (patch !== undefined) {
    const text = "PatchLocation is passed over: the manifest is fetched whole";
    warnings.push({ line: patch.line, text });
  }
  const context = {
    nowWallMs,
    live,
    bases: baseUrls(root, [
      { url, serviceLocation: "", priority: 1, weight: undefined },
    ]),
    hasBase: childOf(root, "BaseURL") !== undefined,
    budget: new Budget(),
    warnings,
  };
  const { periods, problems } = readPeriods(root, totalMs, context);
  if (periods.length === 0) {
    throw problems[0] ??
      new MpdError("missing", root.line, "MPD must have Period");
  }
  const last = periods.at(-1)!;
  return {
    title: childOf(root, "ProgramInformation")?.children
      .find((child) => child.name === "Title")?.text ?? "",
    durationMs: totalMs ??
      last.startMs + (last.durationMs ?? reachOf(last.adaptationSets)),
    minBufferMs: durationMs(root, "minBufferTime") ?? 0,
    live,
    locations: childrenOf(root, "Location").map((child) =>
      resolveUrl(child, child.text, url)
    ),
    periods,
    warnings,
  };
}

/**
 * Reads the Periods, each with when it starts and how long it is as far as the manifest says so (§5.3.2.1).
 *
 * One without `@start` begins where the one before it ends. In a live manifest that may not be known yet: it then is an
 * Early Available Period, which shows what is going to come and has no place in time. A static one goes by what the
 * Period before lists.
 */
function readPeriods(
  root: XmlElement,
  totalMs: number | undefined,
  context: Omit<PeriodContext, "startMs" | "known">,
) {
  const { live, warnings } = context;
  const elements = childrenOf(root, "Period");
  const periods: Period[] = [];
  const problems: MpdError[] = [];
  let nextMs: number | undefined = 0;
  for (const [at, element] of elements.entries()) {
    const startMs: number | undefined = durationMs(element, "start") ?? nextMs;
    if (startMs === undefined) {
      const text = "Period has no @start yet: it is left out until it has";
      warnings.push({ line: element.line, text });
      continue;
    }
    const next = elements[at + 1];
    const endMs = next === undefined ? totalMs : durationMs(next, "start");
    const known: number | undefined = durationMs(element, "duration") ??
      (endMs === undefined ? undefined : Math.max(0, endMs - startMs));
    const ends: number | undefined = known ??
      (live === undefined ? 0 : undefined);
    nextMs = ends === undefined ? undefined : startMs + ends;
    try {
      const period = readPeriod(element, { ...context, startMs, known });
      periods.push(period);
      if (live === undefined) nextMs = startMs + (period.durationMs ?? 0);
    } catch (error) {
      if (!(error instanceof MpdError) || !error.passable) throw error;
      problems.push(error);
      warnings.push({ line: error.line, text: error.problem });
    }
  }
  return { periods, problems };
}
