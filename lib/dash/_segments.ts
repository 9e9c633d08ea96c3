/**
 * From SegmentList and SegmentTemplate to a list of segments (ISO/IEC 23009-1 §5.3.9).
 *
 * Either may stand in the Period, the AdaptationSet and the Representation. The innermost level decides which of the
 * two is used; attributes and children of that kind not given there come from the next level out. Times come either
 * from `@duration` (all segments alike) or from a SegmentTimeline (`S@t @d @r`: starts at t, lasts d, r more like it).
 * Everything is in units of `@timescale`; `@presentationTimeOffset` is the media time at which the Period starts.
 */
import {
  bigNumber,
  type ByteRange,
  byteRange,
  resolveUrl,
  wholeNumber,
} from "./_attributes.ts";
import type { Budget } from "./_budget.ts";
import { expandTemplate, type TemplateValues } from "./template.ts";
import { childOf, childrenOf, MpdError, type XmlElement } from "./xml.ts";

/** Where a segment is. */
export interface SegmentLocation {
  /** The same bytes from several hosts: one for each alternative BaseURL, in the manifest's order. */
  readonly urls: readonly string[];
  readonly range: ByteRange | undefined;
}

/** A media segment. */
export interface Segment extends SegmentLocation {
  /** From the start of its Period. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** What {@linkcode addressSegments} works out. */
export interface Addressed {
  /** Undefined when every segment initializes itself. */
  readonly initialization: SegmentLocation | undefined;
  readonly segments: readonly Segment[];
}

interface Place {
  readonly bases: readonly string[];
  /** Duration of the Period, when the manifest says so. */
  readonly periodMs: number | undefined;
  readonly budget: Budget;
  readonly names: {
    readonly representationId: string;
    readonly bitsPerSecond: number;
  };
}

interface Timing {
  readonly time: bigint;
  readonly startMs: number;
  readonly durationMs: number;
}

/** A manifest's duration may be rounded; a segment that would be shorter than this is not there. */
const ROUNDING_MS = 1;

const KINDS = ["SegmentTemplate", "SegmentList", "SegmentBase"] as const;

/**
 * Works out initialization and media segments of a Representation.
 *
 * @param chain Period, AdaptationSet and Representation.
 * @throws {MpdError} If there is no usable segment information, or too much of it.
 */
export function addressSegments(
  chain: readonly XmlElement[],
  place: Place,
): Addressed {
  const innermost = chain.findLast((level) =>
    KINDS.some((kind) => childOf(level, kind) !== undefined)
  );
  const kind = KINDS.find((kind) =>
    innermost !== undefined && childOf(innermost, kind) !== undefined
  );
  const representation = chain.at(-1)!;
  if (kind === undefined || kind === "SegmentBase") {
    throw new MpdError(
      "unsupported",
      representation.line,
      "Representation must have a SegmentList or SegmentTemplate: single files with an index (SegmentBase) are not supported",
    );
  }
  const levels = chain.map((level) => childOf(level, kind))
    .filter((level) => level !== undefined);
  return kind === "SegmentList"
    ? listSegments(new Inherited(levels), place)
    : templateSegments(new Inherited(levels), place);
}

/** Segment information of up to three levels, seen as one. */
class Inherited {
  readonly #levels: readonly XmlElement[];

  constructor(levels: readonly XmlElement[]) {
    this.#levels = levels;
  }

  /** The innermost level with the attribute; the innermost of all when none has it. */
  having(attribute: string): XmlElement {
    return this.#levels.findLast((level) => level.attributes.has(attribute)) ??
      this.#levels.at(-1)!;
  }

  text(attribute: string): string | undefined {
    return this.having(attribute).attributes.get(attribute);
  }

  children(name: string): readonly XmlElement[] {
    const level = this.#levels.findLast((level) =>
      childOf(level, name) !== undefined
    );
    return level === undefined ? [] : childrenOf(level, name);
  }

  get innermost(): XmlElement {
    return this.#levels.at(-1)!;
  }

  /** `@timescale`: units in a second. */
  get timescale(): number {
    const element = this.having("timescale");
    const value = wholeNumber(element, "timescale") ?? 1;
    if (value === 0) {
      throw new MpdError(
        "bad-value",
        element.line,
        `${element.name}@timescale must not be 0`,
      );
    }
    return value;
  }
}

function listSegments(info: Inherited, place: Place) {
  const entries = info.children("SegmentURL");
  if (entries.length === 0) {
    throw new MpdError(
      "missing",
      info.innermost.line,
      "SegmentList must have SegmentURL elements",
    );
  }
  const timings = timesOf(info, place, entries.length);
  const segments: Segment[] = [];
  for (const [at, { startMs, durationMs }] of timings.entries()) {
    const entry = entries[at];
    if (entry === undefined) break;
    segments.push({
      ...locate(entry, "media", "mediaRange", place),
      startMs,
      durationMs,
    });
  }
  const initialization = info.children("Initialization")[0];
  return {
    initialization: initialization === undefined
      ? undefined
      : locate(initialization, "sourceURL", "range", place),
    segments,
  };
}

function locate(
  element: XmlElement,
  urlName: string,
  rangeName: string,
  place: Place,
): SegmentLocation {
  // Without a URL the range is one of the BaseURL's resource.
  const reference = element.attributes.get(urlName) ?? "";
  return {
    urls: urlsAt(element, reference, place),
    range: byteRange(element, rangeName),
  };
}

/** The URLs of one resource, one for each base. */
function urlsAt(
  element: XmlElement,
  reference: string,
  { bases, budget }: Place,
): readonly string[] {
  const urls = bases.map((base) => resolveUrl(element, reference, base));
  budget.takeUrls(urls, element);
  return urls;
}

function templateSegments(info: Inherited, place: Place) {
  const media = info.text("media");
  if (media === undefined) {
    throw new MpdError(
      "missing",
      info.innermost.line,
      "SegmentTemplate must have @media",
    );
  }
  const startNumber = wholeNumber(info.having("startNumber"), "startNumber") ??
    1;
  const endNumber = wholeNumber(info.having("endNumber"), "endNumber");
  if (endNumber !== undefined && endNumber < startNumber) {
    const element = info.having("endNumber");
    throw new MpdError(
      "bad-value",
      element.line,
      `SegmentTemplate@endNumber must be at least ${startNumber}, got ${endNumber}`,
    );
  }
  const timings = timesOf(
    info,
    place,
    endNumber === undefined ? undefined : endNumber - startNumber + 1,
  );
  const urlsOf = (attribute: string, template: string, values: object) => {
    const element = info.having(attribute);
    const reference = fill(element, attribute, template, {
      ...place.names,
      ...values,
    });
    return urlsAt(element, reference, place);
  };
  const initialization = info.text("initialization");
  const child = info.children("Initialization")[0];
  return {
    initialization: initialization !== undefined
      ? { urls: urlsOf("initialization", initialization, {}), range: undefined }
      : child === undefined
      ? undefined
      : locate(child, "sourceURL", "range", place),
    segments: timings.map(({ time, startMs, durationMs }, at) => ({
      urls: urlsOf("media", media, { number: startNumber + at, time }),
      range: undefined,
      startMs,
      durationMs,
    })),
  };
}

function fill(
  element: XmlElement,
  attribute: string,
  template: string,
  values: TemplateValues,
): string {
  try {
    return expandTemplate(template, values);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MpdError(
      "bad-value",
      element.line,
      `${element.name}@${attribute}: ${error.message}`,
    );
  }
}

/** Start and duration of each segment; `count` is how many there are, when that is known otherwise. */
function timesOf(
  info: Inherited,
  place: Place,
  count: number | undefined,
): readonly Timing[] {
  const timescale = info.timescale;
  const offset = bigNumber(
    info.having("presentationTimeOffset"),
    "presentationTimeOffset",
  ) ?? 0n;
  const timeline = info.children("SegmentTimeline")[0];
  if (timeline !== undefined) {
    return timelineTimes(timeline, { timescale, offset, ...place });
  }
  const element = info.having("duration");
  // A list of one entry needs no duration: it lasts as long as its Period.
  const units = wholeNumber(element, "duration") ??
    (count === 1 && place.periodMs !== undefined
      ? Math.ceil(place.periodMs * timescale / 1000)
      : undefined);
  if (units === undefined || units === 0) {
    throw new MpdError(
      units === 0 ? "bad-value" : "missing",
      element.line,
      `${element.name} must have @duration above 0, or a SegmentTimeline`,
    );
  }
  const eachMs = units * 1000 / timescale;
  const total = count ?? countIn(element, place.periodMs, eachMs);
  place.budget.takeSegments(total * place.bases.length, element);
  const timings: Timing[] = [];
  for (let at = 0; at < total; at++) {
    const startMs = at * eachMs;
    const leftMs = (place.periodMs ?? Infinity) - startMs;
    // The last one may be shorter; what a list names beyond the Period's end is not played.
    if (at > 0 && leftMs < ROUNDING_MS) break;
    timings.push({
      time: offset + BigInt(at) * BigInt(units),
      startMs,
      durationMs: leftMs > 0 ? Math.min(eachMs, leftMs) : eachMs,
    });
  }
  return timings;
}

function countIn(
  element: XmlElement,
  periodMs: number | undefined,
  eachMs: number,
): number {
  if (periodMs === undefined) {
    throw new MpdError(
      "missing",
      element.line,
      "SegmentTemplate@duration needs MPD@mediaPresentationDuration or Period@duration: how many segments there are is not known",
    );
  }
  return Math.max(1, Math.ceil((periodMs - ROUNDING_MS) / eachMs));
}

function timelineTimes(
  timeline: XmlElement,
  place: Place & { readonly timescale: number; readonly offset: bigint },
): readonly Timing[] {
  const { timescale, offset } = place;
  const entries = childrenOf(timeline, "S");
  const toMs = (units: bigint) => Number(units) * 1000 / timescale;
  const timings: Timing[] = [];
  let time = 0n;
  for (const [at, entry] of entries.entries()) {
    time = bigNumber(entry, "t") ?? time;
    const units = bigNumber(entry, "d") ?? 0n;
    if (units === 0n) {
      throw new MpdError("bad-value", entry.line, "S@d must be above 0");
    }
    let repeats = bigNumber(entry, "r", { signed: true }) ?? 0n;
    if (repeats < 0n) {
      const next = entries[at + 1];
      const end = next === undefined ? undefined : bigNumber(next, "t");
      repeats = (end ?? periodEnd(entry, place)) - time;
      repeats = repeats <= 0n ? 0n : (repeats + units - 1n) / units - 1n;
    }
    place.budget.takeSegments(
      (Number(repeats) + 1) * place.bases.length,
      entry,
    );
    for (let left = repeats; left >= 0n; left -= 1n) {
      timings.push({
        time,
        startMs: toMs(time - offset),
        durationMs: toMs(units),
      });
      time += units;
    }
  }
  if (timings.length === 0) {
    throw new MpdError(
      "missing",
      timeline.line,
      "SegmentTimeline must have S elements",
    );
  }
  return timings;
}

/** The media time at which the Period ends: where `r="-1"` of the last S stops. */
function periodEnd(
  entry: XmlElement,
  { periodMs, timescale, offset }: {
    readonly periodMs: number | undefined;
    readonly timescale: number;
    readonly offset: bigint;
  },
): bigint {
  if (periodMs === undefined) {
    throw new MpdError(
      "missing",
      entry.line,
      'S@r="-1" needs MPD@mediaPresentationDuration or Period@duration',
    );
  }
  return offset +
    BigInt(Math.floor((periodMs - ROUNDING_MS) * timescale / 1000));
}
