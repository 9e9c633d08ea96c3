/**
 * When the segments of a Representation are (ISO/IEC 23009-1 §5.3.9.5.3, §5.3.9.6).
 *
 * Times come either from `@duration` (all segments alike) or from a SegmentTimeline (`S@t @d @r`: starts at t, lasts d,
 * r more like it). Everything is in units of `@timescale`; `@presentationTimeOffset` is the media time at which the
 * Period starts. Of a live Period only the segments in the window are there; a segment is in it while any of it is.
 */
import { bigNumber, wholeNumber } from "./_attributes.ts";
import type { Budget } from "./_budget.ts";
import type { Inherited } from "./_inherited.ts";
import { childrenOf, MpdError, type XmlElement } from "./xml.ts";

/** A segment's place in time. */
export interface Timing {
  /** `$Time$`. */
  readonly time: bigint;
  /** Segments before it, counted from 0: `$Number$` is that many after `@startNumber`. */
  readonly index: number;
  /** From the start of the Period. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** What bounds a Period's segments. */
export interface Bounds {
  /** Duration of the Period, when the manifest says so. */
  readonly periodMs: number | undefined;
  /** Of a live Period: segments have to end after `fromMs` and not after `toMs`. */
  readonly window:
    | { readonly fromMs: number; readonly toMs: number }
    | undefined;
  /** Places each segment is at: they all count. */
  readonly placeCount: number;
  readonly budget: Budget;
}

/** A manifest's duration may be rounded; a segment that would be shorter than this is not there. */
const ROUNDING_MS = 1;
/** Most segments of a live Representation that are listed, the newest: a manifest without a time shift depth may have begun in 1970. */
const MAX_LIVE_SEGMENTS = 5000;

/**
 * Start and duration of each segment.
 *
 * @param count How many there are, when that is known otherwise.
 * @throws {MpdError} If they are not given, or are too many.
 */
export function timesOf(
  info: Inherited,
  bounds: Bounds,
  count: number | undefined,
): readonly Timing[] {
  const timescale = info.timescale;
  const offset = bigNumber(
    info.having("presentationTimeOffset"),
    "presentationTimeOffset",
    { signed: true }, // Never by the standard, sometimes by packagers.
  ) ?? 0n;
  const timeline = info.children("SegmentTimeline")[0];
  if (timeline !== undefined) {
    return timelineTimes(timeline, { timescale, offset, ...bounds });
  }
  const element = info.having("duration");
  const units = wholeNumber(element, "duration");
  if (units === 0) {
    throw new MpdError(
      "bad-value",
      element.line,
      `${element.name}@duration must be above 0`,
    );
  }
  return units === undefined
    ? oneTime(element, bounds, count)
    : equalTimes(element, { ...bounds, units, timescale, count });
}

/** A template without any times, or a list of one entry, is one segment: it lasts as long as its Period (§5.3.9.2.2). */
function oneTime(
  element: XmlElement,
  { periodMs, budget, placeCount }: Bounds,
  count: number | undefined,
): readonly Timing[] {
  if ((count ?? 1) !== 1 || periodMs === undefined) {
    throw new MpdError(
      "missing",
      element.line,
      `${element.name} must have @duration, or a SegmentTimeline`,
    );
  }
  budget.takeSegments(placeCount, element);
  return [{ time: 0n, index: 0, startMs: 0, durationMs: periodMs }];
}

function equalTimes(
  element: XmlElement,
  options: Bounds & {
    readonly units: number;
    readonly timescale: number;
    readonly count: number | undefined;
  },
): readonly Timing[] {
  const { units, timescale, periodMs, window, budget, placeCount } = options;
  const eachMs = units * 1000 / timescale;
  const { first, end } = window === undefined
    ? { first: 0, end: options.count ?? countIn(element, periodMs, eachMs) }
    : liveRange(window, { eachMs, periodMs, count: options.count });
  budget.takeSegments((end - first) * placeCount, element);
  const timings: Timing[] = [];
  for (let index = first; index < end; index++) {
    const startMs = index * eachMs;
    const leftMs = (periodMs ?? Infinity) - startMs;
    // The last one may be shorter; what a list names beyond the Period's end is not played.
    if (index > 0 && leftMs < ROUNDING_MS) break;
    timings.push({
      time: BigInt(index) * BigInt(units),
      index,
      startMs,
      durationMs: leftMs > 0 ? Math.min(eachMs, leftMs) : eachMs,
    });
  }
  return timings;
}

/** The first segment in a window, and the one after the last. */
function liveRange(
  window: NonNullable<Bounds["window"]>,
  { eachMs, periodMs, count }: {
    readonly eachMs: number;
    readonly periodMs: number | undefined;
    readonly count: number | undefined;
  },
): { readonly first: number; readonly end: number } {
  const toMs = Math.min(window.toMs, endOf(periodMs, eachMs));
  // Half a millisecond: sums of numbers such as 2002 / 1.001 must not fall short of a multiple.
  const end = Math.max(
    0,
    Math.min(count ?? Infinity, Math.floor((toMs + 0.5) / eachMs)),
  );
  const fromMs = Math.max(0, oldestMs(window, eachMs) + 0.5);
  const first = Math.max(Math.floor(fromMs / eachMs), end - MAX_LIVE_SEGMENTS);
  return { first: Math.min(first, end), end };
}

/**
 * Segments that end after this are there: what is in the time shift buffer, and the newest one however shallow that is
 * (a segment stays for the depth and as long again as it lasts, §5.3.9.5.3).
 */
function oldestMs(
  { fromMs, toMs }: NonNullable<Bounds["window"]>,
  eachMs: number,
): number {
  return Math.min(fromMs, toMs - eachMs);
}

/** The end of a live Period, as a multiple of the segment's duration: its last segment may be shorter, and is there all the same. */
function endOf(periodMs: number | undefined, eachMs: number): number {
  return periodMs === undefined
    ? Infinity
    : Math.ceil((periodMs - ROUNDING_MS) / eachMs) * eachMs;
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

type TimelineOptions = Bounds & {
  readonly timescale: number;
  readonly offset: bigint;
};

function timelineTimes(
  timeline: XmlElement,
  options: TimelineOptions,
): readonly Timing[] {
  const { timescale, offset, window, budget, placeCount } = options;
  const entries = childrenOf(timeline, "S");
  if (entries.length === 0 && window === undefined) {
    throw new MpdError(
      "missing",
      timeline.line,
      "SegmentTimeline must have S elements",
    );
  }
  const toMs = (units: bigint) => Number(units) * 1000 / timescale;
  const timings: Timing[] = [];
  let time = 0n;
  let index = 0;
  for (const [at, entry] of entries.entries()) {
    time = bigNumber(entry, "t") ?? time;
    const units = bigNumber(entry, "d") ?? 0n;
    if (units === 0n) {
      throw new MpdError("bad-value", entry.line, "S@d must be above 0");
    }
    const repeats = repeatsOf(entry, entries[at + 1], { time, units }, options);
    const gone = goneOf({ time, units, repeats }, options);
    time += gone * units;
    index += Number(gone);
    budget.takeSegments(Number(repeats - gone + 1n) * placeCount, entry);
    for (let left = repeats - gone; left >= 0n; left -= 1n) {
      const startMs = toMs(time - offset);
      const endMs = toMs(time + units - offset);
      if (
        window === undefined ||
        (endMs > oldestMs(window, toMs(units)) &&
          endMs <= window.toMs + ROUNDING_MS)
      ) {
        timings.push({ time, index, startMs, durationMs: toMs(units) });
      }
      index += 1;
      time += units;
    }
  }
  return timings;
}

/** How many of the `repeats + 1` segments of an S have left the live window, or are more than are listed: they are not even looked at. */
function goneOf(
  { time, units, repeats }: {
    readonly time: bigint;
    readonly units: bigint;
    readonly repeats: bigint;
  },
  { window, timescale, offset }: TimelineOptions,
): bigint {
  if (window === undefined) return 0n;
  const eachMs = Number(units) * 1000 / timescale;
  const from = Math.max(oldestMs(window, eachMs), Number.MIN_SAFE_INTEGER);
  const fromUnits = offset + BigInt(Math.floor(from * timescale / 1000));
  const before = fromUnits > time ? (fromUnits - time) / units : 0n;
  const over = repeats + 1n - BigInt(MAX_LIVE_SEGMENTS);
  const gone = before > over ? before : over;
  return gone < 0n ? 0n : gone > repeats + 1n ? repeats + 1n : gone;
}

/** How many more segments like it follow one: `S@r`, or what fits before the next S or the end of the Period. */
function repeatsOf(
  entry: XmlElement,
  next: XmlElement | undefined,
  { time, units }: { readonly time: bigint; readonly units: bigint },
  options: TimelineOptions,
): bigint {
  const repeats = bigNumber(entry, "r", { signed: true }) ?? 0n;
  if (repeats >= 0n) return repeats;
  const end = next === undefined ? undefined : bigNumber(next, "t");
  const room = (end ?? periodEnd(entry, options)) - time;
  return room <= 0n ? 0n : (room + units - 1n) / units - 1n;
}

/** The media time at which the Period ends, or has got to: where `r="-1"` of the last S stops. */
function periodEnd(
  entry: XmlElement,
  { periodMs, window, timescale, offset }: TimelineOptions,
): bigint {
  const endMs = Math.min(periodMs ?? Infinity, window?.toMs ?? Infinity);
  if (endMs === Infinity) {
    throw new MpdError(
      "missing",
      entry.line,
      'S@r="-1" needs MPD@mediaPresentationDuration or Period@duration',
    );
  }
  return offset +
    BigInt(Math.ceil((endMs - ROUNDING_MS) * timescale / 1000));
}
