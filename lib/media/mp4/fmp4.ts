import { concat, utf8 } from "../../core/bytes.ts";

/** A box of ISO/IEC 14496-12: its size, its four letters, its content. */
export function box(
  type: string,
  ...content: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return concat(u32(size), utf8(type), ...content);
}

/** A box with version and flags in front of its content. */
function fullBox(
  type: string,
  { version = 0, flags = 0 }: { version?: number; flags?: number },
  ...content: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  return box(type, u32((version << 24) | flags), ...content);
}

function u16(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint16(2 * at, value));
  return bytes;
}

function u32(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value));
  return bytes;
}

function u64(value: number): Uint8Array<ArrayBuffer> {
  return u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

function zeros(count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count);
}

/** The unit matrix of mvhd and tkhd. */
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** Sample flags (§8.8.3.1): depends on others and is no sync sample; depends on none. */
const DELTA_SAMPLE = 0x01010000;
const SYNC_SAMPLE = 0x02000000;
const TRACK_ID = 1;

/** What an initialisation segment says of its only track. */
export type Track = VideoTrack | AudioTrack;

interface AnyTrack {
  /** Ticks per second. */
  readonly timescale: number;
  /** Length of the whole presentation in ticks; 0: it has no end. */
  readonly durationTicks: number;
  readonly sampleTicks: number;
}

/** A track of FLAC of one channel, see {@linkcode flacFrame}. */
export interface AudioTrack extends AnyTrack {
  readonly kind: "audio";
  readonly sampleRate: number;
  /** METADATA_BLOCK_STREAMINFO with its header. */
  readonly streamInfo: Uint8Array;
}

/** A track of H.264. */
export interface VideoTrack extends AnyTrack {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  /** AVCProfileIndication, profile_compatibility and AVCLevelIndication: bytes 1 to 3 of the sequence parameter set. */
  readonly profile: Uint8Array;
  readonly parameterSets: {
    readonly sequence: Uint8Array;
    readonly picture: Uint8Array;
  };
}

/**
 * Returns the initialisation segment of a track: ftyp and moov (ISO/IEC 14496-12 §8.1). Video is avc3 (ISO/IEC
 * 14496-15 §5.4), audio FLAC ("Encapsulation of FLAC in ISO Base Media File Format", version 0.0.4).
 *
 * The parameter sets of video here are only a first guess for players that want one; avc3 says that those in the segments
 * count.
 */
export function initialisationSegment(
  track: Track,
): Uint8Array<ArrayBuffer> {
  const { timescale, durationTicks } = track;
  const movieHeader = fullBox(
    "mvhd",
    {},
    u32(0, 0, timescale, 0, 0x10000),
    u16(0x100, 0),
    zeros(8),
    MATRIX,
    zeros(24),
    u32(TRACK_ID + 1),
  );
  const extends_ = box(
    "mvex",
    ...(durationTicks === 0
      ? []
      : [fullBox("mehd", { version: 1 }, u64(durationTicks))]),
    fullBox(
      "trex",
      {},
      u32(TRACK_ID, 1, track.sampleTicks, 0, flagsOf(track)),
    ),
  );
  return concat(
    box("ftyp", utf8("iso6"), u32(0), utf8("iso6avc1dash")),
    box("moov", movieHeader, trackBox(track), extends_),
  );
}

/** What samples are when nothing else is said: sound can be decoded from each, pictures only from key pictures. */
function flagsOf({ kind }: Pick<Track, "kind">): number {
  return kind === "video" ? DELTA_SAMPLE : SYNC_SAMPLE;
}

function trackBox(track: Track): Uint8Array {
  const video = track.kind === "video";
  const { width, height } = video ? track : { width: 0, height: 0 };
  const enabledInMovie = 3;
  const header = fullBox(
    "tkhd",
    { flags: enabledInMovie },
    u32(0, 0, TRACK_ID, 0, 0),
    zeros(8),
    u16(0, 0, video ? 0 : 0x100, 0), // volume
    MATRIX,
    u32(width << 16, height << 16),
  );
  const undetermined = 0x55c4; // language "und", three letters of five bits
  const media = box(
    "mdia",
    fullBox("mdhd", {}, u32(0, 0, track.timescale, 0), u16(undetermined, 0)),
    fullBox(
      "hdlr",
      {},
      u32(0),
      utf8(video ? "vide" : "soun"),
      zeros(12),
      utf8("rolecall test card\0"),
    ),
    box(
      "minf",
      video
        ? fullBox("vmhd", { flags: 1 }, zeros(8))
        : fullBox("smhd", {}, zeros(4)),
      box("dinf", fullBox("dref", {}, u32(1), fullBox("url ", { flags: 1 }))),
      box(
        "stbl",
        fullBox(
          "stsd",
          {},
          u32(1),
          video ? pictureEntry(track) : soundEntry(track),
        ),
        fullBox("stts", {}, u32(0)),
        fullBox("stsc", {}, u32(0)),
        fullBox("stsz", {}, u32(0, 0)),
        fullBox("stco", {}, u32(0)),
      ),
    ),
  );
  return box("trak", header, media);
}

function soundEntry(track: AudioTrack): Uint8Array {
  return box(
    "fLaC",
    zeros(6),
    u16(1), // data_reference_index
    zeros(8),
    u16(1, 16, 0, 0), // channels, bits
    u32(track.sampleRate << 16 >>> 0),
    fullBox("dfLa", {}, track.streamInfo),
  );
}

function pictureEntry(track: VideoTrack): Uint8Array {
  const { sequence, picture } = track.parameterSets;
  const configuration = box(
    "avcC",
    Uint8Array.of(1, ...track.profile, 0xff), // lengths have 4 bytes
    Uint8Array.of(0xe1), // one sequence parameter set
    u16(sequence.length),
    sequence,
    Uint8Array.of(1),
    u16(picture.length),
    picture,
  );
  return box(
    "avc3",
    zeros(6),
    u16(1), // data_reference_index
    zeros(16),
    u16(track.width, track.height),
    u32(0x480000, 0x480000, 0), // 72 dots per inch
    u16(1), // frame_count
    zeros(32),
    u16(24, 0xffff), // depth, pre_defined
    configuration,
    box("pasp", u32(1, 1)),
  );
}

/** Puts the length in front of each NAL unit, as samples in a file have it (ISO/IEC 14496-15 §5.3.2). */
export function sampleOf(
  ...nalUnits: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  return concat(...nalUnits.flatMap((unit) => [u32(unit.length), unit]));
}

/** What a media segment holds. */
export interface SegmentContent {
  readonly kind: Track["kind"];
  /** Counts from 1 (mfhd). */
  readonly sequenceNumber: number;
  readonly startTicks: number;
  readonly sampleTicks: number;
  /** In decoding order; of pictures, the first is a key picture and the others are not. */
  readonly samples: readonly Uint8Array[];
  /** The segment is padded to this size with a `free` box, which players skip; one that is larger stays as it is. */
  readonly sizeBytes: number;
  /** A chunk that goes on where another one ended: its first picture is no key picture. */
  readonly isContinued?: boolean;
}

/** A part of a file and how long it plays, as an index has it. */
export interface IndexEntry {
  readonly bytes: number;
  readonly ticks: number;
}

/** Bytes of {@linkcode segmentIndex} for so many entries. */
export function indexBytes(count: number): number {
  return 32 + 12 * count;
}

/** Returns the index of the segments that follow it directly: sidx (ISO/IEC 14496-12 §8.16.3). At most 65,535. */
export function segmentIndex(
  timescale: number,
  entries: readonly IndexEntry[],
): Uint8Array<ArrayBuffer> {
  const startsWithSap = 0x90000000; // of type 1
  return fullBox(
    "sidx",
    {},
    u32(TRACK_ID, timescale, 0, 0),
    u16(0, entries.length),
    u32(
      ...entries.flatMap(({ bytes, ticks }) => [bytes, ticks, startsWithSap]),
    ),
  );
}

/** A segment without the zeros at its end, and how large it is with them. */
export interface PaddedSegment {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sizeBytes: number;
  /** Where each chunk ends, of one that is made of chunks. */
  readonly chunkEnds?: readonly number[];
}

/** Returns a media segment: styp, moof, mdat, free (ISO/IEC 14496-12 §8.8, §8.16.2). */
export function mediaSegment(content: SegmentContent): Uint8Array<ArrayBuffer> {
  const { bytes, sizeBytes } = paddedSegment(content);
  if (bytes.length === sizeBytes) return bytes;
  const whole = new Uint8Array(sizeBytes);
  whole.set(bytes);
  return whole;
}

/** As {@linkcode mediaSegment}, for whoever need not have a megabyte of zeros in memory. */
export function paddedSegment(content: SegmentContent): PaddedSegment {
  const { samples } = content;
  const type = segmentType();
  // The offset is a fixed-size field: the fragment is as long with 0 as with the right one.
  const fragmentBytes = fragment(content, 0).length;
  const dataBytes = samples.reduce((sum, sample) => sum + sample.length, 8);
  const used = type.length + fragmentBytes + dataBytes;
  const paddingBytes = content.sizeBytes - used;
  const padded = paddingBytes >= 8;
  const segment = new Uint8Array(padded ? used + 8 : used);
  let at = 0;
  const put = (bytes: Uint8Array) => {
    segment.set(bytes, at);
    at += bytes.length;
  };
  put(type);
  put(fragment(content, fragmentBytes + 8));
  put(u32(dataBytes));
  put(utf8("mdat"));
  for (const sample of samples) put(sample);
  if (padded) {
    put(u32(paddingBytes));
    put(utf8("free"));
  }
  return { bytes: segment, sizeBytes: padded ? content.sizeBytes : used };
}

/**
 * Returns a media segment of several fragments, so that what is made of it can be sent while the rest is not
 * (low-latency CMAF, ISO/IEC 23000-19 §7.3.2.3). Each has its share of the size; what it lacks stands in its `mdat`, as
 * players take the time from `moof` to the end of `mdat` for that of the chunk, and it for whole when that has ended.
 */
export function chunkedSegment(
  content: SegmentContent,
  chunkSamples: number,
): PaddedSegment {
  const { samples, sizeBytes } = content;
  const count = Math.ceil(samples.length / chunkSamples);
  const parts: Uint8Array[] = [segmentType()];
  const chunkEnds: number[] = [];
  let at = parts[0]!.length;
  for (let first = 0; first < samples.length; first += chunkSamples) {
    const chunk = {
      ...content,
      sequenceNumber: (content.sequenceNumber - 1) * count + chunkEnds.length +
        1,
      startTicks: content.startTicks + first * content.sampleTicks,
      samples: samples.slice(first, first + chunkSamples),
      isContinued: first > 0,
    };
    const head = fragment(chunk, fragment(chunk, 0).length + 8);
    const share = (first + chunk.samples.length) / samples.length;
    const used = chunk.samples.reduce((sum, { length }) => sum + length, 8);
    const lacking = Math.floor(sizeBytes * share) - (at + head.length + used);
    const data = box("mdat", ...chunk.samples, zeros(Math.max(0, lacking)));
    parts.push(head, data);
    at += head.length + data.length;
    chunkEnds.push(at);
  }
  return { bytes: concat(...parts), sizeBytes: at, chunkEnds };
}

function segmentType(): Uint8Array {
  return box("styp", utf8("msdh"), u32(0), utf8("msdhiso6"));
}

function fragment(content: SegmentContent, dataOffset: number): Uint8Array {
  const baseIsFragment = 0x020000;
  const durationAndFlags = 0x000028;
  const offsetFirstFlagsAndSizes = 0x000205;
  return box(
    "moof",
    fullBox("mfhd", {}, u32(content.sequenceNumber)),
    box(
      "traf",
      fullBox(
        "tfhd",
        { flags: baseIsFragment | durationAndFlags },
        u32(TRACK_ID, content.sampleTicks, flagsOf(content)),
      ),
      fullBox("tfdt", { version: 1 }, u64(content.startTicks)),
      fullBox(
        "trun",
        { flags: offsetFirstFlagsAndSizes },
        u32(
          content.samples.length,
          dataOffset,
          content.isContinued ? flagsOf(content) : SYNC_SAMPLE,
        ),
        u32(...content.samples.map((sample) => sample.length)),
      ),
    ),
  );
}
