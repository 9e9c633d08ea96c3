/**
 * What the reference program of ITU-T P.1203 reads (mode 0: rates, sizes of the picture and stalls, no bitstream), so that
 * its score can be had beside ours. The model itself, whose code and tables are licensed for research only, is not here.
 *
 * Times are seconds of media, rates kbit/s. I13 is the picture, I11 the sound, I23 the stalls, the start-up being the one
 * at 0. Sound has no segments when its codec is none of the four that the model knows; the program then takes it for good.
 */
import type { SegmentRecord } from "../player/messages.ts";
import type { Choice } from "../title.ts";

/** The document. */
export interface P1203Input {
  readonly IGen: { readonly displaySize: string; readonly device: "pc" };
  readonly I11: Stream;
  readonly I13: Stream;
  readonly I23: {
    readonly streamId: number;
    readonly stalling: readonly (readonly [atS: number, durationS: number])[];
  };
}

interface Stream {
  readonly streamId: number;
  readonly segments: readonly Readonly<Record<string, string | number>>[];
}

/** A play that went from its beginning on without seeks. */
export interface P1203Play {
  readonly picture: readonly SegmentRecord[];
  readonly sound: readonly SegmentRecord[];
  readonly playedMs: number;
  readonly startupMs: number;
  readonly stalls: readonly {
    readonly playedMs: number;
    readonly stallMs: number;
  }[];
  choiceOf(representationId: string): Choice | undefined;
}

/** The screen the model is asked about; another size than this was in no test of it. */
const DISPLAY = "1920x1080";
const STREAM_ID = 1;

/** Returns the document; undefined when the manifest does not say what the model must know: size, pictures a second and codec. */
export function p1203Input(play: P1203Play): P1203Input | undefined {
  const picture = segmentsOf(play.picture, play.playedMs, (record) => {
    const choice = play.choiceOf(record.representationId);
    const codec = videoCodec(choice?.codecs ?? "");
    if (choice === undefined || codec === undefined) return undefined;
    if (choice.width === 0 || choice.framesPerSecond === 0) return undefined;
    return {
      codec,
      fps: choice.framesPerSecond,
      resolution: `${choice.width}x${choice.height}`,
    };
  });
  if (picture === undefined || picture.length === 0) return undefined;
  const sound = segmentsOf(play.sound, play.playedMs, (record) => {
    const codec = audioCodec(
      play.choiceOf(record.representationId)?.codecs ?? "",
    );
    return codec === undefined ? undefined : { codec };
  });
  return {
    IGen: { displaySize: DISPLAY, device: "pc" },
    I11: { streamId: STREAM_ID, segments: sound ?? [] },
    I13: { streamId: STREAM_ID, segments: picture },
    I23: {
      streamId: STREAM_ID,
      stalling: [
        [0, play.startupMs / 1000],
        ...play.stalls.map(({ playedMs, stallMs }) =>
          [playedMs / 1000, stallMs / 1000] as const
        ),
      ],
    },
  };
}

/** Those that were played, with what `about` says of each; undefined if it says nothing of one. */
function segmentsOf(
  records: readonly SegmentRecord[],
  untilMs: number,
  about: (
    record: SegmentRecord,
  ) => Readonly<Record<string, string | number>> | undefined,
) {
  const segments: Readonly<Record<string, string | number>>[] = [];
  let startMs = 0;
  for (const record of records) {
    if (startMs >= untilMs) break;
    const more = about(record);
    if (more === undefined) return undefined;
    const mediaMs = Math.min(record.mediaMs, untilMs - startMs);
    segments.push({
      ...more,
      bitrate: record.bytes * 8 / Math.max(1, record.mediaMs),
      start: startMs / 1000,
      duration: mediaMs / 1000,
    });
    startMs += mediaMs;
  }
  return segments;
}

function videoCodec(codecs: string): string | undefined {
  if (/\bavc[1-4]\b/.test(codecs)) return "h264";
  if (/\b(hvc1|hev1)\b/.test(codecs)) return "h265";
  if (/\bvp0?9\b/.test(codecs)) return "vp9";
  return /\bav01\b/.test(codecs) ? "av1" : undefined;
}

function audioCodec(codecs: string): string | undefined {
  if (/\bmp4a\.40\.2\b/.test(codecs)) return "aaclc";
  if (/\bmp4a\.40\.(5|29)\b/.test(codecs)) return "heaac";
  if (/\bac-3\b/.test(codecs)) return "ac3";
  return /\bmp4a\.6[9bB]\b/.test(codecs) ? "mp2" : undefined;
}
