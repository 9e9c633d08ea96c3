/** A DASH title for tests that decode nothing: two video rates and a sound, in segments of 4 s named `RATE-NUMBER`. */
export const SEGMENTS = 12;

/** The bytes of a segment: as long as its rate says, for a hundredth of the time. */
export function segmentOf(name: string): Uint8Array<ArrayBuffer> {
  const [rate, number] = name.split("-");
  return new Uint8Array(Number(rate) * 4 / 8 / 100).fill(Number(number));
}

/** The manifest; `rates` of the video, in bit/s, and BaseURLs. */
export function manifestOf(
  rates: readonly number[] = [800_000, 2_400_000],
  bases = "",
) {
  const template =
    '<SegmentTemplate media="$Bandwidth$-$Number$.m4s" initialization="init-$Bandwidth$.mp4" duration="4" startNumber="1"/>';
  const representations = rates.map((rate) =>
    `<Representation id="v${rate}" bandwidth="${rate}" width="640" height="360" codecs="avc3.64001e"/>`
  ).join("\n");
  return `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:isoff-live:2011" mediaPresentationDuration="PT${
    4 * SEGMENTS
  }S" minBufferTime="PT4S">
${bases}<Period>
<AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true">
${template}
${representations}
</AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4">
${template}
<Representation id="a" bandwidth="64000" codecs="mp4a.40.2"/>
</AdaptationSet>
</Period>
</MPD>
`;
}

/** What an origin of the title answers; `max-age` is ten minutes. */
export function answerOf(path: string): Response {
  const headers = { "cache-control": "max-age=600" };
  const name = /\/([^/?]*)(\?|$)/.exec(path)![1]!;
  if (name === "film.mpd") {
    return new Response(manifestOf(), {
      headers: { ...headers, "content-type": "application/dash+xml" },
    });
  }
  const known = /^(init-\d+\.mp4|(\d+-\d+)\.m4s)$/.exec(name);
  if (known === null || Number(known[2]?.split("-")[1]) > SEGMENTS) {
    return new Response("no", { status: 404 });
  }
  const body = known[2] === undefined
    ? new TextEncoder().encode(name)
    : segmentOf(known[2]);
  return new Response(body, { headers });
}
