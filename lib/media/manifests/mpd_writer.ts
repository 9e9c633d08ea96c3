/**
 * Writes manifests (ISO/IEC 23009-1), in the order of MPEG's DASH-MPD.xsd.
 *
 * With addressing `list` in the form the lecture shows: full profile, a SegmentList for each rate, and one in the
 * AdaptationSet with only the shared Initialization, which Representations inherit (§5.3.9.1). It stands in each
 * SegmentList here as well, because some players look nowhere else.
 */
import {
  type Published,
  type PublishedLive,
  type PublishedSet,
  type Rendition,
  segmentNameOf,
} from "./published.ts";

const PROFILES = {
  list: "urn:mpeg:dash:profile:full:2011",
  number: "urn:mpeg:dash:profile:isoff-live:2011",
  time: "urn:mpeg:dash:profile:isoff-live:2011",
  base: "urn:mpeg:dash:profile:isoff-on-demand:2011",
} as const;

/** Returns the manifest of a title. */
export function writeMpd(title: Published): string {
  const { live } = title;
  const duration = xsDuration(title.durationSeconds);
  const longest = Math.max(
    ...title.sets.map((set) => set.nominalTicks / set.timescale),
  );
  const attributes = [
    'xmlns="urn:mpeg:dash:schema:mpd:2011"',
    `minBufferTime="PT${title.minBufferSeconds.toFixed(3)}S"`,
    ...(live === undefined
      ? ['type="static"', `mediaPresentationDuration="${duration}"`]
      : liveAttributes(live, longest)),
    `maxSegmentDuration="PT0H0M${longest.toFixed(3)}S"`,
    `profiles="${PROFILES[title.addressing]}"`,
  ];
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD ${attributes.join(" ")}>
 <ProgramInformation>
  <Title>${escapeXml(title.title)}</Title>
  <Source>${escapeXml(title.source)}</Source>
 </ProgramInformation>
${serviceDescription(live)} <Period id="1" ${
    live === undefined ? `duration="${duration}"` : 'start="PT0S"'
  }>
${
    title.sets.map((set, at) => adaptationSet(set, at + 1, title)).join("")
  } </Period>
${
    live === undefined
      ? ""
      : ` <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="${live.clockName}"/>\n`
  }</MPD>
`;
}

function liveAttributes(live: PublishedLive, longest: number): string[] {
  const { startWallMs, timeShiftSeconds, delaySeconds } = live;
  const iso = (wallMs: number) => new Date(wallMs).toISOString();
  return [
    'type="dynamic"',
    `availabilityStartTime="${iso(startWallMs)}"`,
    `publishTime="${iso(Math.floor(live.nowWallMs / 1000) * 1000)}"`,
    `minimumUpdatePeriod="${xsDuration(longest)}"`,
    `timeShiftBufferDepth="${xsDuration(timeShiftSeconds)}"`,
    `suggestedPresentationDelay="${xsDuration(delaySeconds)}"`,
  ];
}

/** What low-latency players aim for, and how much faster and slower they may play for it (annex K). */
function serviceDescription(live: PublishedLive | undefined): string {
  if (live?.targetSeconds === undefined) return "";
  const target = Math.round(1000 * live.targetSeconds);
  return ` <ServiceDescription id="0">
  <Latency target="${target}" max="${2 * target}"/>
  <PlaybackRate min="0.90" max="1.10"/>
 </ServiceDescription>
`;
}

function adaptationSet(
  set: PublishedSet,
  id: number,
  title: Published,
): string {
  const { contentType, renditions, sharedInitName } = set;
  const videos = renditions.flatMap(({ video }) => video ?? []);
  const most = (key: "width" | "height") =>
    Math.max(...videos.map((video) => video[key]));
  const attributes = [
    `id="${id}" contentType="${contentType}" segmentAlignment="true"`,
    // One file for each: switching is at subsegments.
    ...(title.addressing === "base" ? ['subsegmentAlignment="true"'] : []),
    ...(title.addressing === "base" ? ['subsegmentStartsWithSAP="1"'] : []),
    ...(sharedInitName === undefined ? [] : ['bitstreamSwitching="true"']),
    ...(contentType === "video"
      ? [
        `maxWidth="${most("width")}" maxHeight="${most("height")}"`,
        `maxFrameRate="${videos[0]!.frameRate}" par="${aspectOf(videos)}"`,
      ]
      : []),
    'lang="und"',
  ];
  const inherited = title.addressing === "list" && sharedInitName !== undefined
    ? `   <SegmentList>
    <Initialization sourceURL="${escapeXml(sharedInitName)}"/>
   </SegmentList>
`
    : "";
  return `  <AdaptationSet ${attributes.join(" ")}>
${inherited}${
    renditions.map((each) => representation(each, set, title)).join("")
  }  </AdaptationSet>
`;
}

/** Shapes of pictures that have a name: width to height. */
const ASPECTS = [[16, 9], [4, 3], [9, 16], [3, 4], [1, 1], [21, 9]] as const;

/** The shape of the pictures, by the largest, whose sides are rounded least: a known one it is to the pixel, else its own. */
function aspectOf(
  videos: readonly { readonly width: number; readonly height: number }[],
): string {
  const { width, height } = videos.reduce((largest, video) =>
    video.height > largest.height ? video : largest
  );
  // Widths are even: at most so much is lost.
  const known = ASPECTS.find(([across, up]) =>
    Math.abs(width - height * across / up) < 2
  );
  const [across, up] = known ?? [width, height];
  const divisor = greatestDivisor(across, up);
  return `${across / divisor}:${up / divisor}`;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function representation(
  rendition: Rendition,
  set: PublishedSet,
  title: Published,
): string {
  const { id, codecs, video, audio, bitsPerSecond } = rendition;
  const attributes = [
    `id="${escapeXml(id)}" mimeType="${set.contentType}/mp4"`,
    `codecs="${codecs}"`,
    ...(video === undefined ? [] : [
      `width="${video.width}" height="${video.height}"`,
      `frameRate="${video.frameRate}" sar="1:1"`,
    ]),
    ...(audio === undefined ? [] : [`audioSamplingRate="${audio.sampleRate}"`]),
    `startWithSAP="1" bandwidth="${bitsPerSecond}"`,
  ];
  const channels = audio === undefined
    ? ""
    : `    <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="${audio.channels}"/>\n`;
  return `   <Representation ${attributes.join(" ")}>
${channels}${segmentInformation(rendition, set, title)}   </Representation>
`;
}

function segmentInformation(
  rendition: Rendition,
  set: PublishedSet,
  { addressing, live }: Published,
): string {
  const init = escapeXml(rendition.initName);
  const template = `    <SegmentTemplate${
    live?.aheadSeconds === undefined
      ? ""
      : ` availabilityTimeOffset="${
        live.aheadSeconds.toFixed(3)
      }" availabilityTimeComplete="false"`
  } timescale="${set.timescale}"`;
  switch (addressing) {
    case "list":
      return segmentList(rendition, set);
    case "number":
      return `${template} duration="${set.nominalTicks}" startNumber="1" initialization="${init}" media="${
        escapeXml(rendition.mediaName)
      }"/>\n`;
    case "time":
      return `${template} initialization="${init}" media="${
        escapeXml(rendition.mediaName)
      }">
${timeline(set)}    </SegmentTemplate>
`;
    case "base": {
      const { name, initBytes, indexBytes } = rendition.file!;
      return `    <BaseURL>${escapeXml(name)}</BaseURL>
    <SegmentBase timescale="${set.timescale}" indexRangeExact="true" indexRange="${initBytes}-${
        initBytes + indexBytes - 1
      }">
     <Initialization range="0-${initBytes - 1}"/>
    </SegmentBase>
`;
    }
  }
}

function segmentList(rendition: Rendition, set: PublishedSet): string {
  const { timescale, nominalTicks, segmentTicks, firstNumber } = set;
  let ticks = (firstNumber - 1) * nominalTicks;
  const urls = segmentTicks.map((length, at) => {
    const name = segmentNameOf(rendition, { number: firstNumber + at, ticks });
    ticks += length;
    return `     <SegmentURL media="${escapeXml(name)}"/>\n`;
  });
  // All but the last as long as @duration says, or each as the timeline says.
  const equal = segmentTicks.slice(0, -1).every((one) => one === nominalTicks);
  const times = equal ? ` duration="${nominalTicks}"` : "";
  return `    <SegmentList timescale="${timescale}"${times}>
     <Initialization sourceURL="${escapeXml(rendition.initName)}"/>
${equal ? "" : timeline(set, { perSegment: true })}${
    urls.join("")
  }    </SegmentList>
`;
}

/**
 * A SegmentTimeline, equal neighbours as one S; with `perSegment` each has its own: where there is a list of SegmentURLs,
 * dash.js (5.2.1) takes the one at the number of the S, whatever its `@r`, plays the wrong segments and stops early.
 */
function timeline(
  { segmentTicks, firstNumber, nominalTicks }: PublishedSet,
  { perSegment = false } = {},
) {
  const start = (firstNumber - 1) * nominalTicks;
  const runs: { ticks: number; count: number }[] = [];
  for (const ticks of segmentTicks) {
    const last = runs.at(-1);
    if (last?.ticks === ticks && !perSegment) last.count += 1;
    else runs.push({ ticks, count: 1 });
  }
  const lines = runs.map(({ ticks, count }, at) =>
    `      <S${at === 0 ? ` t="${start}"` : ""} d="${ticks}"${
      count > 1 ? ` r="${count - 1}"` : ""
    }/>\n`
  );
  return `     <SegmentTimeline>\n${lines.join("")}     </SegmentTimeline>\n`;
}

/** `PT0H10M34.625S`, as the lecture's manifest has it. */
function xsDuration(seconds: number): string {
  const rounded = Math.round(seconds * 1000) / 1000;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor(rounded % 3600 / 60);
  const rest = rounded - 3600 * hours - 60 * minutes;
  return `PT${hours}H${minutes}M${rest.toFixed(3)}S`;
}

/** Escapes text for XML; what XML cannot hold (control characters) is left out. */
function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"]/g, (character) => entities[character]!);
}
