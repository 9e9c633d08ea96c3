import { RunError } from "../../lib/core/errors.ts";
import type { SegmentLocation } from "../../lib/dash/mpd/mpd.ts";
import type { Choice, Media, Position } from "../../lib/dash/title.ts";
import type { RandomAccessFile } from "../../lib/io/files.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Fetched } from "./network/fetcher.ts";
import type { DownloadFlags } from "./flags.ts";
import { checkDuration, openTitle, rungOf } from "./source/manifest.ts";
import { showDownload } from "./result/download_result.ts";
import type { PlayLog } from "./result/played.ts";
import type { SegmentSource } from "./source/segment_source.ts";

/** Fetches a title in one rate, one segment after the other, without waiting for anything to be played. */
export async function downloadTitle(
  flags: DownloadFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<void> {
  checkDuration(flags);
  const { quality } = flags;
  const { segments, tracks, title, mediaMs, manifestMs } = await openTitle(
    flags,
    ctx,
    { quality },
  );
  const { media, positions } = tracks[0]!;
  await using file = flags.save === undefined
    ? undefined
    : await ctx.files.open(flags.save, { write: true, create: true });
  const saving = new Saving(file);
  await saving.cut();
  let bytes = 0;
  const startedAtMs = ctx.clock.nowMs();
  const downloads: PlayLog["downloads"] = [];
  let initialized: string | undefined;
  const download = async (position: Position) => {
    const choice = position.choices[rungOf(quality, position)]!;
    const fetch = async (location: SegmentLocation) => {
      const about = { segments, position, saving };
      const got = await fetchPatiently(location, about);
      bytes += got.bytes;
      return got;
    };
    const { initialization } = choice;
    const key = JSON.stringify(initialization);
    if (initialization !== undefined && key !== initialized) {
      await fetch(initialization);
      initialized = key;
    }
    const got = await fetch(choice.segment);
    const record = recordOf(got, {
      ...{ media, choice, position, count: positions.length },
    });
    downloads.push({ atMs: ctx.clock.nowMs() - startedAtMs, record });
    ctx.emit({ type: "segment.downloaded", ...record });
  };
  try {
    for (const position of positions) await download(position);
  } catch (error) {
    if (!ctx.signal.aborted) throw error; // Told to stop: what is whole counts.
  }
  await saving.cut();
  ctx.finish(showDownload({
    url: flags.operand,
    ...{ title, mediaMs, manifestMs },
    downloads,
    bytes,
    complete: downloads.length === positions.length,
    elapsedMs: ctx.clock.nowMs() - startedAtMs,
    savedTo: flags.save,
  }));
}

/** The file of `--save`, if there is one, as it grows by whole segments. */
class Saving {
  readonly #file: RandomAccessFile | undefined;
  #wholeBytes = 0;
  #bytes = 0;

  constructor(file: RandomAccessFile | undefined) {
    this.#file = file;
  }

  /** Takes the next bytes of a segment. */
  readonly sink = async (part: Uint8Array): Promise<void> => {
    await this.#file?.writeAt(this.#bytes, part);
    this.#bytes += part.length;
  };

  /** The segment is whole. */
  keep(): void {
    this.#wholeBytes = this.#bytes;
  }

  /** Begins the segment anew: a second try starts where the first one did. */
  rewind(): void {
    this.#bytes = this.#wholeBytes;
  }

  /** Leaves whole segments only. */
  async cut(): Promise<void> {
    await this.#file?.truncate(this.#wholeBytes);
  }
}

async function fetchPatiently(
  location: SegmentLocation,
  { segments, position, saving }: {
    readonly segments: SegmentSource;
    readonly position: Position;
    readonly saving: Saving;
  },
): Promise<Fetched> {
  const got = await segments.get(location, {
    segmentNumber: position.number,
    sink: saving.sink,
    begin: () => saving.rewind(),
  });
  if (!got.ok) {
    throw new RunError(
      "segment-unavailable",
      `Cannot go on: segment ${position.number} cannot be had, last ${got.url}: ${got.problem}`,
    );
  }
  saving.keep();
  return got;
}

function recordOf(
  got: Fetched,
  { media, choice, position, count }: {
    readonly media: Media;
    readonly choice: Choice;
    readonly position: Position;
    readonly count: number;
  },
): PlayLog["downloads"][number]["record"] {
  const { ok: _ok, url: _url, ...measured } = got;
  return {
    media,
    segmentNumber: position.number,
    segmentCount: count,
    representationId: choice.representationId,
    height: choice.height,
    bitsPerSecond: choice.bitsPerSecond,
    layer: position.choices.indexOf(choice) + 1,
    layerCount: position.choices.length,
    mediaMs: position.durationMs,
    ...measured,
    throughputBitsPerSecond: got.bytes * 8000 / Math.max(got.downloadMs, 0.1),
    bufferMs: 0,
    stallMs: 0,
    reason: "download only",
  };
}
