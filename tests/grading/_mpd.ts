/** A manifest as the grader reads it (ISO/IEC 23009-1): which rates there are, and where their segments lie. */
import { SaxesParser } from "saxes";

/** An element of XML; names are without their prefix. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** A segment, or a part of a file that is one. */
export interface Segment {
  readonly url: URL;
  /** `FIRST-LAST`, both in bytes. */
  readonly range?: string;
}

/** One rate of one period. */
export interface Rate {
  readonly id: string;
  readonly bitsPerSecond: number;
  readonly isVideo: boolean;
  readonly seconds: number;
  readonly initialization?: Segment;
  readonly segments: readonly Segment[];
  /** How long the segments are together, as far as the manifest says so; NaN for a rate that is one file. */
  readonly coveredSeconds: number;
  readonly longestSeconds: number;
  /** A segment that may not be: two after the last. */
  readonly beyond?: Segment;
}

/** Reads XML. @throws {Error} If it is not well-formed. */
export function parseXml(text: string): Element {
  const top: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  const local = (name: string) => name.replace(/^.*:/, "");
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = {
      ...{ name: local(name), attributes: { ...attributes } },
      ...{ children: [], text: "" },
    };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => void (open.at(-1)!.text += text));
  parser.on("closetag", () => void open.pop());
  parser.write(text).close();
  return top.children[0]!;
}

/** `PT1H2M3.5S` in seconds; NaN for what is no duration. */
export function secondsOf(duration: string | undefined): number {
  const match = /^P(?:(\d+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/
    .exec(duration ?? "");
  if (match === null) return NaN;
  const [days, hours, minutes, seconds] = match.slice(1)
    .map((part) => Number(part ?? 0));
  return ((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!;
}

function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** An element as the levels of a manifest give it together: inner attributes win, and inner children. */
function inherited(chain: readonly Element[], name: string) {
  const found = chain.flatMap((level) => childrenOf(level, name).slice(0, 1));
  if (found.length === 0) return undefined;
  return {
    attributes: Object.assign(
      {},
      ...found.map((one) => one.attributes),
    ) as Readonly<Record<string, string>>,
    children: (child: string) =>
      found.map((one) => childrenOf(one, child)).findLast((all) =>
        all.length > 0
      ) ?? [],
  };
}

/** All rates of a static manifest. */
export function ratesOf(mpd: Element, url: URL): Rate[] {
  const total = secondsOf(mpd.attributes["mediaPresentationDuration"]);
  let at = 0;
  return childrenOf(mpd, "Period").flatMap((period) => {
    const start = secondsOf(period.attributes["start"]);
    if (!Number.isNaN(start)) at = start;
    const own = secondsOf(period.attributes["duration"]);
    const seconds = Number.isNaN(own) ? total - at : own;
    at += seconds;
    return childrenOf(period, "AdaptationSet").flatMap((set) =>
      childrenOf(set, "Representation").map((representation) =>
        rateOf([mpd, period, set, representation], url, seconds)
      )
    );
  });
}

function rateOf(chain: readonly Element[], url: URL, seconds: number): Rate {
  const attributes: Readonly<Record<string, string>> = Object.assign(
    {},
    ...chain.slice(2).map((level) => level.attributes),
  );
  const base = chain.flatMap((level) =>
    childrenOf(level, "BaseURL").slice(0, 1)
  )
    .reduce((outer, { text }) => new URL(text.trim(), outer), url);
  const id = attributes["id"] ?? "";
  const bandwidth = attributes["bandwidth"] ?? "";
  const type = `${attributes["contentType"]} ${attributes["mimeType"]}`;
  return {
    ...{ id, seconds, bitsPerSecond: Number(bandwidth || NaN) },
    isVideo: /video/.test(type) ||
      !/audio|text|image|application/.test(type),
    ...(templateOf(chain, { base, id, bandwidth, seconds }) ??
      listOf(chain, base) ?? {
      ...{ segments: [{ url: base }], coveredSeconds: NaN },
      longestSeconds: NaN,
    }),
  };
}

/** What a rate has of its segments. */
type Layout = Pick<
  Rate,
  "initialization" | "segments" | "coveredSeconds" | "longestSeconds" | "beyond"
>;

/** A name of a template with its `$…$` filled in. */
function filled(
  pattern: string,
  values: Readonly<Record<string, string | number>>,
): string {
  return pattern.replace(
    /\$(?:(\w+)(?:%0(\d+)d)?)?\$/g,
    (_, name?: string, width = "1") =>
      name === undefined
        ? "$"
        : `${values[name] ?? ""}`.padStart(Number(width), "0"),
  );
}

function templateOf(
  chain: readonly Element[],
  { base, id, bandwidth, seconds }: {
    readonly base: URL;
    readonly id: string;
    readonly bandwidth: string;
    readonly seconds: number;
  },
): Layout | undefined {
  const template = inherited(chain, "SegmentTemplate");
  if (template === undefined) return undefined;
  const { attributes } = template;
  const known = { RepresentationID: id, Bandwidth: bandwidth };
  const at = (pattern: string, values = {}): Segment => ({
    url: new URL(filled(pattern, { ...known, ...values }), base),
  });
  const timescale = Number(attributes["timescale"] ?? 1);
  const first = Number(attributes["startNumber"] ?? 1);
  const length = Number(attributes["duration"] ?? NaN);
  const line = template.children("SegmentTimeline")[0];
  const times = line === undefined
    ? Array.from(
      { length: Math.ceil(seconds * timescale / length - 0.001) },
      (_, index) => ({ time: index * length, length }),
    )
    : timesOf(line, seconds * timescale);
  const media = attributes["media"] ?? "";
  const covered = times.reduce((sum, one) => sum + one.length, 0);
  return {
    ...(attributes["initialization"] === undefined
      ? {}
      : { initialization: at(attributes["initialization"]) }),
    segments: times.map(({ time }, index) =>
      at(media, { Number: first + index, Time: time })
    ),
    coveredSeconds: covered / timescale,
    longestSeconds: Math.max(...times.map((one) => one.length)) / timescale,
    ...(/\$Number/.test(media)
      ? { beyond: at(media, { Number: first + times.length + 1 }) }
      : {}),
  };
}

/** The segments of a SegmentTimeline, in its units. */
function timesOf(line: Element, end: number) {
  const times: { time: number; length: number }[] = [];
  let time = 0;
  for (const { attributes } of childrenOf(line, "S")) {
    const length = Number(attributes["d"]);
    time = Number(attributes["t"] ?? time);
    const repeated = Number(attributes["r"] ?? 0);
    const count = repeated < 0
      ? Math.ceil((end - time) / length)
      : repeated + 1;
    for (let index = 0; index < count; index++, time += length) {
      times.push({ time, length });
    }
  }
  return times;
}

function listOf(chain: readonly Element[], base: URL): Layout | undefined {
  const list = inherited(chain, "SegmentList");
  if (list === undefined) return undefined;
  const segmentAt = (name = "", range?: string): Segment => ({
    url: new URL(name, base),
    ...(range === undefined ? {} : { range }),
  });
  const segments = list.children("SegmentURL").map(({ attributes }) =>
    segmentAt(attributes["media"], attributes["mediaRange"])
  );
  const first = list.children("Initialization")[0]?.attributes;
  const longestSeconds = Number(list.attributes["duration"] ?? NaN) /
    Number(list.attributes["timescale"] ?? 1);
  return {
    ...(first === undefined ? {} : {
      initialization: segmentAt(first["sourceURL"], first["range"]),
    }),
    ...{ segments, longestSeconds },
    coveredSeconds: segments.length * longestSeconds,
  };
}
