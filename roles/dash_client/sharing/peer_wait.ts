import { assistStep } from "../../../lib/dash/peer_assist.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { SegmentOptions } from "../source/segment_source.ts";
import type { PeerPieces } from "./cooperation.ts";

/** How often peers' announcements are looked at while none has what is wanted. */
const LOOK_MS = 50;

/** How peers did with a segment. */
export interface FromPeers {
  /** Since they were asked; 0 if they were not. */
  readonly elapsedMs: number;
  /** Until the first piece of it. */
  readonly firstMs: number | undefined;
  /** Pieces that did not come. */
  readonly missing: readonly number[];
}

/** What {@linkcode waitForPeers} needs to know. */
export interface PeerWait {
  readonly peer: PeerPieces;
  /** The pieces of a segment that are not here. */
  readonly wanted: readonly number[];
  /** Of the player's clock: so many times as fast. */
  readonly speed: number;
  readonly ctx: RoleContext;
  /** Makes that what comes can be checked; false when it cannot, so that peers are not asked. Without it, it can. */
  readonly vouch?: () => Promise<boolean>;
}

/** Waits for peers as long as that is wise: see `lib/dash/peer_assist.ts`. */
export async function waitForPeers(
  { peer, wanted, speed, ctx, vouch }: PeerWait,
  { state, signal: given }: SegmentOptions,
): Promise<FromPeers> {
  const { clock, rng, signal } = ctx;
  const ending = given ?? signal;
  const lot = rng();
  const wantedAtMs = clock.nowMs();
  let missing = wanted;
  let askedAtMs: number | undefined;
  let firstMs: number | undefined;
  try {
    while (missing.length > 0 && !ending.aborted && !signal.aborted) {
      const nowMs = clock.nowMs();
      // A piece that was forgotten is had, so that nobody can be asked for it.
      const forgotten = missing.some((index) =>
        peer.piece(index) === "forgotten"
      );
      const step = assistStep({
        bufferMs: state!.bufferMs,
        durationMs: state!.durationMs!,
        startup: state!.startup || forgotten,
        lot,
        elapsedMs: (nowMs - wantedAtMs) * speed,
        offered: !forgotten && peer.offered(missing),
        askedMs: askedAtMs === undefined
          ? undefined
          : (nowMs - askedAtMs) * speed,
      });
      if (step.source === "cdn") break;
      if (step.source === "peers" && askedAtMs === undefined) {
        askedAtMs = nowMs;
        if (vouch !== undefined && !(await vouch())) break;
        peer.want(missing, true);
      } else {
        const forMs = step.source === "nobody"
          ? Math.min(step.forMs / speed, LOOK_MS)
          : step.forMs / speed;
        await peer.changed(nowMs + forMs, ending);
      }
      missing = lacking(peer, wanted);
      if (missing.length < wanted.length) {
        firstMs ??= clock.nowMs() - (askedAtMs ?? wantedAtMs);
      }
    }
  } finally {
    peer.want(wanted, false);
  }
  const elapsedMs = askedAtMs === undefined ? 0 : clock.nowMs() - askedAtMs;
  return { elapsedMs, firstMs, missing };
}

/** Which of these pieces are not here. */
export function lacking(
  peer: PeerPieces,
  pieces: readonly number[],
): readonly number[] {
  return pieces.filter((index) => !(peer.piece(index) instanceof Uint8Array));
}
