import { InputError } from "../../../lib/core/errors.ts";
import type { Position, Track } from "../../../lib/dash/title.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { OpenTitle } from "../source/manifest.ts";
import type { Segments } from "../source/segment_source.ts";
import { CooperatingPeer, type SharingTotals } from "./cooperation.ts";
import { CooperativeSource } from "./cooperative_source.ts";
import { LivePeer } from "./live_cooperation.ts";
import { LiveCooperativeSource } from "./live_cooperative_source.ts";
import type { Sharing } from "./open_cooperation.ts";

/** One player that shares. */
export interface Sharer extends AsyncDisposable {
  readonly segments: Segments & {
    /** The highest rung in which peers have a segment; -1 if in none. */
    offered(position: Position): number;
  };
  /** So far. */
  totals(): SharingTotals;
}

/** Lets a player share what it plays. @throws {InputError} If the torrent is another title's, or the title is not live any more. */
export async function share(
  sharing: Sharing,
  { tracks, opened, speed, ctx }: {
    readonly tracks: readonly Track[];
    readonly opened: OpenTitle;
    readonly speed: number;
    readonly ctx: RoleContext;
  },
): Promise<Sharer> {
  if (sharing.kind === "torrent") {
    const { torrent, cooperation } = sharing;
    torrent.check(tracks);
    const peer = new CooperatingPeer(cooperation, ctx);
    return {
      segments: new CooperativeSource(opened.segments, {
        ...{ torrent, peer, speed, ctx },
      }),
      totals: () => peer.totals,
      [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
    };
  }
  const { live } = opened;
  if (live === undefined) {
    throw new InputError(
      "--cooperate: the title has just ended being live; begin again to share it whole",
    );
  }
  const rooms = new LivePeer(sharing.cooperation, ctx);
  const segments = new LiveCooperativeSource(opened.segments, {
    ...{ rooms, ctx, manifest: () => live.title.latest },
  });
  // Who waits with that for the first segment meets nobody in time for it.
  const [first] = tracks[0]?.positions.at(-1)?.choices ?? [];
  if (first !== undefined) await segments.prepare(first.segment);
  return {
    segments,
    totals: () => rooms.totals,
    [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
  };
}
