/**
 * Where in a swarm the segments of a live title are. A torrent has the hashes of all its pieces before the first one is
 * shared; of a live title nobody has them. So there is no torrent but a room: for every half hour of the presentation a
 * swarm with a piece for each half second of each Representation, most of which are never filled. Which piece a segment
 * is follows from the manifest alone, so players that never heard of each other agree on it; whether what a peer gives
 * for it is the segment, the CDN's digest of it tells (RFC 9530).
 */
import type { Mpd, SegmentLocation } from "./mpd/mpd.ts";

/** Media in a room: players go on to the next one when it is over. */
const ROOM_MS = 1_800_000;
/** No two segments of one Representation begin in the same: shorter ones are not shared. */
const SLOT_MS = 500;
/** Representations that have pieces; those after them in the manifest are not shared. */
const COLUMNS = 32;

/** Pieces in a room. */
export const ROOM_PIECES: number = ROOM_MS / SLOT_MS * COLUMNS;

/** A segment's place. */
export interface LiveSlot {
  /** Half hours since the presentation began. */
  readonly room: number;
  readonly pieceIndex: number;
}

/** Where a segment of a manifest belongs; undefined when it is not to be shared: none of its segments, too short, or a part of a file. */
export function liveSlotOf(
  { periods }: Pick<Mpd, "periods">,
  { urls: [url], range }: SegmentLocation,
): LiveSlot | undefined {
  if (range !== undefined) return undefined;
  // What is asked for is near the end.
  for (const { startMs, adaptationSets } of periods.toReversed()) {
    const all = adaptationSets.flatMap((set) => set.representations);
    for (const [column, { segments }] of all.slice(0, COLUMNS).entries()) {
      const found = segments.findLast((each) => each.urls[0] === url);
      if (found === undefined) continue;
      const atMs = Math.round(startMs + found.startMs);
      if (atMs < 0 || found.durationMs < SLOT_MS) return undefined;
      const room = Math.floor(atMs / ROOM_MS);
      const slot = Math.floor((atMs - room * ROOM_MS) / SLOT_MS);
      return { room, pieceIndex: slot * COLUMNS + column };
    }
  }
  return undefined;
}
