import {
  FRAMES_PER_SECOND,
  INIT_NAME,
  type Rung,
  RUNGS,
  SEGMENT_COUNT,
  SEGMENT_FRAMES,
  segmentName,
  TIMESCALE,
  TITLE_FRAMES,
} from "./title.ts";

/** Seconds of data a player should hold before it starts; with it the rates of the MPD hold as ISO/IEC 23009-1 §5.3.5.2 defines them. */
export const MIN_BUFFER_SECONDS = 1.5;

/**
 * Returns the title's manifest in the form the lecture shows: static, full profile, a SegmentList for each rate.
 *
 * The lecture's has the shared Initialization in the AdaptationSet only, where Representations inherit it (§5.3.9.1).
 * It stands in each SegmentList here as well, because some players look nowhere else.
 */
export function titleMpd(title: string): string {
  const duration = `PT0H10M${
    (TITLE_FRAMES / FRAMES_PER_SECOND - 600).toFixed(3)
  }S`;
  const largest = RUNGS.at(-1)!;
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" minBufferTime="PT${
    MIN_BUFFER_SECONDS.toFixed(3)
  }S" type="static" mediaPresentationDuration="${duration}" maxSegmentDuration="PT0H0M5.000S" profiles="urn:mpeg:dash:profile:full:2011">
 <ProgramInformation>
  <Title>${escapeXml(title)}</Title>
  <Source>rolecall test card</Source>
 </ProgramInformation>
 <Period duration="${duration}">
  <AdaptationSet segmentAlignment="true" bitstreamSwitching="true" maxWidth="${largest.width}" maxHeight="${largest.height}" maxFrameRate="${FRAMES_PER_SECOND}" par="16:9" lang="und">
   <SegmentList>
    <Initialization sourceURL="${INIT_NAME}"/>
   </SegmentList>
${RUNGS.map(representation).join("")}  </AdaptationSet>
 </Period>
</MPD>
`;
}

function representation(rung: Rung): string {
  const urls = Array.from(
    { length: SEGMENT_COUNT },
    (_, at) =>
      `     <SegmentURL media="${segmentName(rung.height, at + 1)}"/>\n`,
  );
  const segmentTicks = SEGMENT_FRAMES * TIMESCALE / FRAMES_PER_SECOND;
  return `   <Representation id="${rung.id}" mimeType="video/mp4" codecs="${rung.codecs}" width="${rung.width}" height="${rung.height}" frameRate="${FRAMES_PER_SECOND}" sar="1:1" startWithSAP="1" bandwidth="${rung.bitsPerSecond}">
    <SegmentList timescale="${TIMESCALE}" duration="${segmentTicks}">
     <Initialization sourceURL="${INIT_NAME}"/>
${urls.join("")}    </SegmentList>
   </Representation>
`;
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
