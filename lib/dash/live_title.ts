/**
 * A live title as it grows: which segments there are at a time, when the next one comes, and when the manifest has to
 * be fetched again (ISO/IEC 23009-1 §5.4, annex A.3, A.8).
 *
 * A segment keeps the number it had when it was first seen, through every refresh: it is known again by its place in the
 * presentation. What has left the time shift buffer is forgotten. The title ends when its manifest has become static, or
 * says how long the presentation is and that time is over; one that announces updates has to say so again after the end.
 */
import {
  availableAtWallMs,
  joinAtMs,
  type Live,
  liveEdgeMs,
  targetLatencyMs,
  toldEndMs,
} from "./mpd/live.ts";
import type { Mpd, MpdDocument } from "./mpd/mpd.ts";
import { GrowingTrack, SAME_MS } from "./live_track.ts";
import { planTracks, type Track, type TrackChoice } from "./title.ts";

/** What there is of a live title at one time. */
export interface LiveView {
  /** The main one first, as `planTracks` has them; a number is never given twice, and none is left out but where the manifest has a gap. */
  readonly tracks: readonly Track[];
  /** What the manifest says of its being live; undefined once it is static. */
  readonly live: Live | undefined;
  /** The presentation time up to which there can be media. */
  readonly edgeMs: number;
  /** Nothing comes after the last of their positions. */
  readonly ended: boolean;
  /** When to look again: the next segment, or a refresh; Infinity when nothing changes any more. By this machine's clock, ms since 1970. */
  readonly nextAtWallMs: number;
}

/** A manifest may be asked for again this soon, not sooner, whatever it says. */
const MIN_REFRESH_MS = 500;
/** When nothing tells how long the next segment is. */
const UNKNOWN_SEGMENT_MS = 1000;

/** See the head of this file. */
export class LiveTitle {
  #document: MpdDocument;
  #fetchedAtWallMs: number;
  #offsetMs = 0;
  readonly #choice: TrackChoice;
  /** The main one first. */
  #tracks: readonly GrowingTrack[] = [];
  #aheadMs = 0;
  #view: { readonly atWallMs: number; readonly mpd: Mpd } | undefined;
  #latest: Mpd | undefined;

  /** Begins with a manifest that was fetched at `nowWallMs`, by this machine's clock. */
  constructor(
    document: MpdDocument,
    nowWallMs: number,
    choice: TrackChoice = "all",
  ) {
    this.#document = document;
    this.#choice = choice;
    this.#fetchedAtWallMs = nowWallMs;
  }

  /** What the author's clock is ahead of this machine's. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** How long before their end segments can be had. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Sets the clock by what UTCTiming told. */
  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#view = undefined;
  }

  /** The manifest was fetched again; `document` undefined when it had not changed. */
  take(document: MpdDocument | undefined, nowWallMs: number): void {
    this.#fetchedAtWallMs = nowWallMs;
    if (document === undefined) return;
    this.#document = document;
    this.#view = undefined;
  }

  /** The manifest as it is at `nowWallMs`. @throws {MpdError} As `MpdDocument.at`. */
  mpdAt(nowWallMs: number): Mpd {
    if (this.#view?.atWallMs !== nowWallMs) {
      const mpd = this.#document.at(nowWallMs + this.#offsetMs);
      this.#view = { atWallMs: nowWallMs, mpd };
      this.#latest = mpd;
      const planned = planTracks(mpd, { tracks: this.#choice });
      if (this.#tracks.length === 0) {
        this.#tracks = planned.map(({ media }) => new GrowingTrack(media));
      }
      for (const track of this.#tracks) {
        const now = planned.find(({ media }) => media === track.media);
        if (now !== undefined) track.learn(now.positions);
      }
      this.#aheadMs = aheadOf(mpd);
    }
    return this.#view.mpd;
  }

  /** The manifest as it was looked at last; undefined before that. */
  get latest(): Mpd | undefined {
    return this.#latest;
  }

  /** What there is at `nowWallMs`, by this machine's clock. @throws {MpdError} As `MpdDocument.at`. */
  positionsAt(nowWallMs: number): LiveView {
    const mpd = this.mpdAt(nowWallMs);
    const { live } = mpd;
    const { reachMs } = this.#main;
    const tracks = this.#tracks.map(({ media, positions }) => ({
      ...{ media, positions },
    }));
    if (live === undefined) {
      return {
        tracks,
        live,
        edgeMs: reachMs,
        ended: true,
        nextAtWallMs: Infinity,
      };
    }
    const ended = this.#isOver(mpd, live, nowWallMs);
    return {
      tracks,
      live,
      edgeMs: liveEdgeMs(live, nowWallMs + this.#offsetMs),
      ended,
      nextAtWallMs: ended ? Infinity : this.#nextAtWallMs(live, nowWallMs),
    };
  }

  /** When the manifest is due to be fetched again, by this machine's clock; Infinity when it never changes. */
  refreshAtWallMs(nowWallMs: number): number {
    const { live } = this.mpdAt(nowWallMs);
    if (live?.updateMs === undefined) return Infinity;
    const dueAtWallMs = this.#fetchedAtWallMs +
      Math.max(MIN_REFRESH_MS, live.updateMs);
    // A timeline that lists no segment although its time has come has to be asked for more.
    const wantedAtWallMs = Math.max(
      this.#segmentAtWallMs(live),
      this.#fetchedAtWallMs + Math.max(MIN_REFRESH_MS, this.#segmentMs / 2),
    );
    return live.updateMs === 0
      ? wantedAtWallMs
      : Math.min(dueAtWallMs, wantedAtWallMs);
  }

  /**
   * Where in the presentation a player that joins at `nowWallMs` begins, be it inside a segment; undefined while there is
   * nothing. Not so near the edge that the segment after the newest cannot be had when that has been played.
   *
   * @param targetMs How far behind the live edge; see `joinAtMs` for what counts without it.
   */
  joinMs(nowWallMs: number, targetMs?: number): number | undefined {
    const { live } = this.mpdAt(nowWallMs);
    const { positions } = this.#main;
    const last = positions.at(-1);
    if (live === undefined || last === undefined) return positions[0]?.startMs;
    const segmentMs = this.#segmentMs;
    const there = { nowWallMs: nowWallMs + this.#offsetMs, segmentMs };
    const edgeMs = liveEdgeMs(live, there.nowWallMs);
    const atMs = Math.min(
      joinAtMs(live, { ...there, targetMs }),
      edgeMs + this.#aheadMs - segmentMs,
    );
    const within = positions.find(({ startMs, durationMs }) =>
      startMs + durationMs > atMs + SAME_MS
    );
    // Else the manifest is late: what it lists ends before that.
    return within === undefined ? last.startMs : Math.max(within.startMs, atMs);
  }

  /** How far behind the live edge to play; see `targetLatencyMs` for what counts without `wantedMs`. */
  targetMs(wantedMs?: number): number {
    const { live } = this.#view?.mpd ?? {};
    return live === undefined
      ? wantedMs ?? 0
      : targetLatencyMs(live, this.#segmentMs, wantedMs);
  }

  /** Whether nothing comes any more of a live title. */
  #isOver(mpd: Mpd, live: Live, nowWallMs: number): boolean {
    const toldMs = toldEndMs(live);
    const sinceStart = (wallMs: number) =>
      wallMs + this.#offsetMs - live.startWallMs;
    // An end may be put off by an update, until the manifest still tells it when it is past.
    const settled = live.updateMs === undefined ||
      sinceStart(this.#fetchedAtWallMs) >= toldMs;
    if (!settled) return false;
    const endMs = live.updateMs === undefined
      ? Math.min(toldMs, endOf(mpd))
      : toldMs;
    // All of it was listed, or else it would have been by now.
    return this.#main.reachMs >= endMs - SAME_MS ||
      sinceStart(nowWallMs) >= endMs + this.#segmentMs;
  }

  get #main(): GrowingTrack {
    return this.#tracks[0]!;
  }

  get #segmentMs(): number {
    return this.#main.positions.at(-1)?.durationMs ?? UNKNOWN_SEGMENT_MS;
  }

  #nextAtWallMs(live: Live, nowWallMs: number): number {
    const nextAtWallMs = Math.min(
      this.#segmentAtWallMs(live),
      this.refreshAtWallMs(nowWallMs),
    );
    // One that is late, or that a timeline does not list yet, is looked for again soon.
    return nextAtWallMs > nowWallMs ? nextAtWallMs : nowWallMs + MIN_REFRESH_MS;
  }

  /** When the segment after the last one can be there, by this machine's clock. */
  #segmentAtWallMs(live: Live): number {
    const endMs = this.#main.reachMs + this.#segmentMs - this.#aheadMs;
    return availableAtWallMs(live, endMs) - this.#offsetMs;
  }
}

/** Where the presentation ends; Infinity while that is not known. */
function endOf({ periods }: Mpd): number {
  const { startMs, durationMs = Infinity } = periods.at(-1)!;
  return startMs + durationMs;
}

/** The least of what the Representations allow: what all rates can be had at. */
function aheadOf({ periods }: Mpd): number {
  return (periods.at(-1)?.adaptationSets ?? []).reduce(
    (least, { representations }) =>
      representations.reduce((ms, each) => Math.min(ms, each.aheadMs), least),
    Infinity,
  );
}
