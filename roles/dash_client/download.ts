import { RunError } from "../../lib/core/errors.ts";
import { type Attempt, nextAttempt } from "../../lib/dash/attempts.ts";
import type { SegmentLocation } from "../../lib/dash/mpd.ts";
import type { Choice, Position } from "../../lib/dash/title.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Fetched, Fetcher } from "./fetcher.ts";
import type { DownloadFlags } from "./flags.ts";
import { openTitle, rungOf } from "./manifest.ts";
import { type PlayLog, showDownload } from "./result.ts";

/** Fetches a title in one rate, one segment after the other, without waiting for anything to be played. */
export async function downloadTitle(
  flags: DownloadFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<void> {
  const { fetcher, positions, ...about } = await openTitle(flags, ctx);
  await using file = flags.save === undefined
    ? undefined
    : await ctx.files.open(flags.save, { write: true, create: true });
  await file?.truncate(0);
  let savedBytes = 0;
  let bytes = 0;
  const startedAtMs = ctx.clock.nowMs();
  const downloads: PlayLog["downloads"] = [];
  let initialized: string | undefined;
  for (const position of positions) {
    const choice = position.choices[rungOf(flags.quality, position)]!;
    const fetch = async (location: SegmentLocation) => {
      const from = savedBytes;
      const sink = file === undefined
        ? undefined
        : async (part: Uint8Array) => {
          await file.writeAt(savedBytes, part);
          savedBytes += part.length;
        };
      const got = await fetchPatiently(location, {
        fetcher,
        position,
        ctx,
        // A second try starts where the first one did.
        sink,
        rewind: () => void (savedBytes = from),
      });
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
    const record = recordOf(got, { choice, position, count: positions.length });
    downloads.push({ atMs: ctx.clock.nowMs() - startedAtMs, record });
    ctx.emit({ type: "segment.downloaded", ...record });
  }
  await file?.truncate(savedBytes);
  ctx.finish(showDownload({
    url: flags.operand,
    ...about,
    downloads,
    bytes,
    elapsedMs: ctx.clock.nowMs() - startedAtMs,
    savedTo: flags.save,
  }));
}

async function fetchPatiently(
  location: SegmentLocation,
  { fetcher, position, ctx, sink, rewind }: {
    readonly fetcher: Fetcher;
    readonly position: Position;
    readonly ctx: RoleContext;
    readonly sink: ((bytes: Uint8Array) => Promise<void>) | undefined;
    rewind(): void;
  },
): Promise<Fetched> {
  let attempt: Attempt = { index: 0, urlIndex: 0, tries: 0, fallback: false };
  for (;;) {
    const url = location.urls[attempt.urlIndex]!;
    rewind();
    const got = await fetcher.get(url, {
      range: location.range,
      ...(sink === undefined ? {} : { sink }),
    });
    if (got.ok) return got;
    // Index 0 has no rung below it: this rate or none.
    const next = nextAttempt(attempt, {
      status: got.status,
      urlCount: location.urls.length,
    });
    if (next === undefined) {
      throw new RunError(
        "segment-unavailable",
        `Cannot go on: segment ${position.number} cannot be had, last ${url}: ${got.problem}`,
      );
    }
    ctx.emit({
      type: "segment.missed",
      segmentNumber: position.number,
      url,
      problem: got.problem,
      next: next.step,
    });
    await ctx.clock.sleepUntil(ctx.clock.nowMs() + next.waitMs, ctx.signal);
    attempt = next.attempt;
  }
}

function recordOf(
  got: Fetched,
  { choice, position, count }: {
    readonly choice: Choice;
    readonly position: Position;
    readonly count: number;
  },
): PlayLog["downloads"][number]["record"] {
  const { ok: _ok, url: _url, ...measured } = got;
  return {
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
