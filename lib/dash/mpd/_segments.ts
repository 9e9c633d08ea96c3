/**
 * From SegmentList, SegmentTemplate and SegmentBase to a list of segments (ISO/IEC 23009-1 §5.3.9).
 *
 * Each may stand in the Period, the AdaptationSet and the Representation. The innermost level decides which of the
 * three is used; attributes and children of that kind not given there come from the next level out.
 */
import {
  type ByteRange,
  byteRange,
  resolveUrl,
  wholeNumber,
} from "./_attributes.ts";
import { Inherited } from "./_inherited.ts";
import { type Bounds, timesOf } from "./_times.ts";
import { expandTemplate, type TemplateValues } from "./template.ts";
import { childOf, MpdError, type XmlElement } from "./xml.ts";

/** Where a segment is. */
export interface SegmentLocation {
  /** The same bytes from several places: one for each of the Representation's `bases`, in that order. */
  readonly urls: readonly string[];
  readonly range: ByteRange | undefined;
}

/** A media segment. */
export interface Segment extends SegmentLocation {
  /** `@startNumber` and on; from 1 where the manifest does not number them. */
  readonly number: number;
  /** From the start of its Period. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** What {@linkcode addressSegments} works out. */
export interface Addressed {
  /** Undefined when every segment initializes itself. */
  readonly initialization: SegmentLocation | undefined;
  /** Where the index (`sidx`) is that says what the segments are; undefined when the manifest says it. */
  readonly index: SegmentLocation | undefined;
  /** Empty when there is an index. */
  readonly segments: readonly Segment[];
}

/** Where a Representation is, and what bounds its segments. */
export interface Place extends Bounds {
  readonly bases: readonly string[];
  /** A BaseURL says where the Representation is; else only the manifest's own URL is known. */
  readonly hasBase: boolean;
  readonly names: {
    readonly representationId: string;
    readonly bitsPerSecond: number;
  };
  /** Tells what is odd and does no harm. */
  readonly warn: (element: XmlElement, text: string) => void;
}

/** What an initialization segment has no value of. */
const NAMES_A_SEGMENT = /\$((?:Number|Time)(?:%[^$]*)?)\$/g;

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
  if (kind === undefined) return wholeFile(chain.at(-1)!, place);
  const info = new Inherited(
    chain.map((level) => childOf(level, kind))
      .filter((level) => level !== undefined),
  );
  switch (kind) {
    case "SegmentTemplate":
      return templateSegments(info, place);
    case "SegmentList":
      return listSegments(info, place);
    case "SegmentBase":
      return baseSegments(info, chain.at(-1)!, place);
  }
}

/** A file without segment information is one segment: all of it, for all of the Period. */
function wholeFile(representation: XmlElement, place: Place): Addressed {
  if (!place.hasBase) {
    throw new MpdError(
      "missing",
      representation.line,
      "Representation must have a SegmentTemplate, SegmentList or SegmentBase, or a BaseURL that names its file",
    );
  }
  if (place.periodMs === undefined) {
    throw new MpdError(
      "missing",
      representation.line,
      "Representation of one file needs MPD@mediaPresentationDuration or Period@duration",
    );
  }
  place.budget.takeSegments(place.placeCount, representation);
  return {
    initialization: undefined,
    index: undefined,
    segments: [{
      urls: urlsAt(representation, "", place),
      range: undefined,
      number: 1,
      startMs: 0,
      durationMs: place.periodMs,
    }],
  };
}

/** One file with an index in it (§5.3.9.2): what the segments are, the index says. */
function baseSegments(
  info: Inherited,
  representation: XmlElement,
  place: Place,
): Addressed {
  const indexRange = byteRange(info.having("indexRange"), "indexRange");
  const child = info.children("Initialization")[0];
  const initialization = child && locate(child, "sourceURL", "range", place);
  if (indexRange === undefined) {
    // An index in another file (RepresentationIndex) is a help for seeking, which can be done without.
    return { ...wholeFile(representation, place), initialization };
  }
  const urls = urlsAt(info.innermost, "", place);
  // What stands before the index is what initializes a decoder.
  const head = indexRange.first > 0
    ? { urls, range: { first: 0, last: indexRange.first - 1 } }
    : undefined;
  return {
    initialization: initialization ?? head,
    index: { urls, range: indexRange },
    segments: [],
  };
}

function listSegments(info: Inherited, place: Place): Addressed {
  const entries = info.children("SegmentURL");
  if (entries.length === 0 && place.window === undefined) {
    throw new MpdError(
      "missing",
      info.innermost.line,
      "SegmentList must have SegmentURL elements",
    );
  }
  const startNumber = wholeNumber(info.having("startNumber"), "startNumber") ??
    1;
  const timings = entries.length === 0
    ? []
    : timesOf(info, place, entries.length);
  const segments: Segment[] = [];
  for (const { index, startMs, durationMs } of timings) {
    const entry = entries[index];
    if (entry === undefined) break;
    segments.push({
      ...locate(entry, "media", "mediaRange", place),
      number: startNumber + index,
      startMs,
      durationMs,
    });
  }
  const initialization = info.children("Initialization")[0];
  return {
    initialization: initialization === undefined
      ? undefined
      : locate(initialization, "sourceURL", "range", place),
    index: undefined,
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

function templateSegments(info: Inherited, place: Place): Addressed {
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
  const timings = timesOf(info, place, countOf(info, startNumber));
  const urlsOf = (attribute: string, template: string, values: object) => {
    const element = info.having(attribute);
    const reference = fill(element, attribute, template, {
      ...place.names,
      ...values,
    });
    return urlsAt(element, reference, place);
  };
  const initialization = initializationOf(info, place);
  const child = info.children("Initialization")[0];
  return {
    initialization: initialization !== undefined
      ? { urls: urlsOf("initialization", initialization, {}), range: undefined }
      : child === undefined
      ? undefined
      : locate(child, "sourceURL", "range", place),
    index: undefined,
    segments: timings.map(({ time, index, startMs, durationMs }) => {
      const number = startNumber + index;
      const urls = urlsOf("media", media, { number, time });
      return { urls, range: undefined, number, startMs, durationMs };
    }),
  };
}

/** `@initialization`. One that names a segment's number or time cannot be meant so (§5.3.9.4.4): what it says is the name then, as in other players. */
function initializationOf(
  info: Inherited,
  { warn }: Place,
): string | undefined {
  const template = info.text("initialization");
  if (template === undefined || template.search(NAMES_A_SEGMENT) < 0) {
    return template;
  }
  warn(
    info.having("initialization"),
    "SegmentTemplate@initialization must not have $Number$ or $Time$; taken as it is written",
  );
  return template.replaceAll(NAMES_A_SEGMENT, "$$$$$1$$$$");
}

/** How many segments `@endNumber` says there are; undefined without it. */
function countOf(info: Inherited, startNumber: number): number | undefined {
  const element = info.having("endNumber");
  const endNumber = wholeNumber(element, "endNumber");
  if (endNumber !== undefined && endNumber < startNumber) {
    throw new MpdError(
      "bad-value",
      element.line,
      `SegmentTemplate@endNumber must be at least ${startNumber}, got ${endNumber}`,
    );
  }
  return endNumber === undefined ? undefined : endNumber - startNumber + 1;
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
