/**
 * Live presentations (`MPD@type="dynamic"`, ISO/IEC 23009-1 §5.3.1 and annex A.3): what is there at a time.
 *
 * The presentation began at `availabilityStartTime`. A segment that ends at presentation time e can be fetched from
 * `availabilityStartTime + e` on (earlier by `@availabilityTimeOffset`), until `timeShiftBufferDepth` later. So the
 * live edge moves with the wall clock and nothing has to be asked for it; only the clocks have to agree, which is what
 * UTCTiming is for (§5.8.4.11).
 */
import {
  durationMs,
  resolveUrl,
  seconds,
  wallMs,
  wholeNumber,
} from "./_attributes.ts";
import { childOf, childrenOf, MpdError, type XmlElement } from "./xml.ts";

/** What a live manifest says beside its Periods. */
export interface Live {
  /** `@availabilityStartTime`: when presentation time 0 was, in ms since 1970. */
  readonly startWallMs: number;
  /** `@timeShiftBufferDepth`: how far back one may go; Infinity without it. */
  readonly timeShiftMs: number;
  /** `@minimumUpdatePeriod`: the manifest may change that long after it was fetched; undefined: it never does. */
  readonly updateMs: number | undefined;
  /** `@suggestedPresentationDelay`: how far behind the live edge the author wants everybody to play. */
  readonly delayMs: number | undefined;
  /** `@publishTime`, in ms since 1970. */
  readonly publishWallMs: number | undefined;
  /** `@availabilityEndTime`, in ms since 1970: nothing comes after it. */
  readonly endWallMs: number | undefined;
  /** `ServiceDescription/Latency`: what a low-latency player aims for (annex K). */
  readonly latency: {
    readonly targetMs: number | undefined;
    readonly minMs: number | undefined;
    readonly maxMs: number | undefined;
  };
  /** `ServiceDescription/PlaybackRate`: how slow and how fast it may play for that. */
  readonly playbackRate:
    | { readonly min: number; readonly max: number }
    | undefined;
  /** `@mediaPresentationDuration`: how long it is in the end; undefined while nobody knows. */
  readonly totalMs: number | undefined;
  /** In the order of the manifest: the first one that is known and answers counts. */
  readonly clocks: readonly UtcClock[];
}

/** A way to learn what time the author's clock says. */
export type UtcClock =
  /** The time stands in the manifest: it was this when the manifest was made. */
  | { readonly kind: "direct"; readonly wallMs: number }
  /** The Date field of an answer to HEAD. */
  | { readonly kind: "head"; readonly url: string }
  /** A body that {@linkcode readClock} reads. */
  | { readonly kind: "get"; readonly url: string };

/** Reads the attributes of a live manifest. @throws {MpdError} If `availabilityStartTime` is missing, or a value is none. */
export function readLive(root: XmlElement, url: string): Live {
  const startWallMs = wallMs(root, "availabilityStartTime");
  if (startWallMs === undefined) {
    throw new MpdError(
      "missing",
      root.line,
      'MPD@type="dynamic" must have @availabilityStartTime: when the presentation began is not known',
    );
  }
  const service = childOf(root, "ServiceDescription");
  const latency = service && childOf(service, "Latency");
  const rate = service && childOf(service, "PlaybackRate");
  const milliseconds = (name: string) => latency && wholeNumber(latency, name);
  return {
    startWallMs,
    timeShiftMs: durationMs(root, "timeShiftBufferDepth") ?? Infinity,
    updateMs: durationMs(root, "minimumUpdatePeriod"),
    delayMs: durationMs(root, "suggestedPresentationDelay"),
    publishWallMs: wallMs(root, "publishTime"),
    endWallMs: wallMs(root, "availabilityEndTime"),
    latency: {
      targetMs: milliseconds("target"),
      minMs: milliseconds("min"),
      maxMs: milliseconds("max"),
    },
    playbackRate: rate && {
      min: Math.min(1, seconds(rate, "min") ?? 1),
      max: Math.max(1, seconds(rate, "max") ?? 1),
    },
    totalMs: durationMs(root, "mediaPresentationDuration"),
    clocks: childrenOf(root, "UTCTiming").flatMap((child) =>
      clockOf(child, url)
    ),
  };
}

/** The clock an UTCTiming element names; none for NTP and SNTP, which are not HTTP. */
function clockOf(element: XmlElement, base: string): UtcClock[] {
  const scheme = element.attributes.get("schemeIdUri") ?? "";
  const kind = /^urn:mpeg:dash:utc:([a-z-]+):20\d\d$/.exec(scheme)?.[1];
  // Servers in a list are divided by white space.
  const [first = ""] = (element.attributes.get("value") ?? "").trim()
    .split(/\s+/);
  switch (kind) {
    case "direct": {
      const at = Date.parse(first);
      return Number.isNaN(at) ? [] : [{ kind: "direct", wallMs: at }];
    }
    case "http-head":
      return [{ kind: "head", url: resolveUrl(element, first, base) }];
    case "http-xsdate":
    case "http-iso":
      return [{ kind: "get", url: resolveUrl(element, first, base) }];
    default:
      return [];
  }
}

/** Reads what a clock's URL answered (`http-xsdate`, `http-iso`), or a Date field; undefined when it is no time. */
export function readClock(text: string): number | undefined {
  const trimmed = text.trim().slice(0, 64);
  // Without a zone it is UTC here, not the time of this machine.
  const zoned = /^\d{4}-\d\d-\d\dT[\d:.]+$/.test(trimmed)
    ? `${trimmed}Z`
    : trimmed;
  const at = Date.parse(zoned);
  return Number.isNaN(at) ? undefined : at;
}

/** The live edge: the presentation time up to which there is media at `nowWallMs`, in ms since the start; below 0 before it. */
export function liveEdgeMs(live: Live, nowWallMs: number): number {
  return Math.min(nowWallMs, live.endWallMs ?? Infinity) - live.startWallMs;
}

/** Where the manifest says the presentation ends, whatever its Periods say: Infinity while it does not. */
export function toldEndMs(live: Live): number {
  const { totalMs = Infinity, endWallMs = Infinity, startWallMs } = live;
  return Math.min(totalMs, endWallMs - startWallMs);
}

/** When a segment that ends at `endMs` of the presentation can first be fetched, in ms since 1970. */
export function availableAtWallMs(live: Live, endMs: number): number {
  return live.startWallMs + endMs;
}

/**
 * How far behind the live edge to play: as the user wants, or else the author's latency target,
 * `suggestedPresentationDelay`, or three segments. Not farther than the time shift buffer goes back: who begins at its
 * end would play slower for minutes to get there.
 */
export function targetLatencyMs(
  live: Live,
  segmentMs: number,
  wantedMs?: number,
): number {
  const ms = wantedMs ?? live.latency.targetMs ?? live.delayMs ?? 3 * segmentMs;
  // Of a buffer that holds no segment at all there is the newest one, and then the next.
  return Math.min(ms, Math.max(live.timeShiftMs, 2 * segmentMs));
}

/**
 * Where a player that joins now should start, in ms of the presentation: its target behind the live edge, and not
 * before what is still there.
 *
 * @param options.targetMs See {@linkcode targetLatencyMs}.
 */
export function joinAtMs(
  live: Live,
  options: {
    readonly nowWallMs: number;
    readonly segmentMs: number;
    readonly targetMs?: number | undefined;
  },
): number {
  const edgeMs = liveEdgeMs(live, options.nowWallMs);
  const { segmentMs } = options;
  const targetMs = targetLatencyMs(live, segmentMs, options.targetMs);
  return Math.max(0, edgeMs - live.timeShiftMs, edgeMs - targetMs);
}
