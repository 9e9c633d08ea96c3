/** Who takes part in a swarm that is played, and what came of it; the same for processes and for virtual time. */
import type { ChokerName } from "../../../lib/bittorrent/swarm/choking/choker.ts";
import type { PickerName } from "../../../lib/bittorrent/swarm/pieces/picker.ts";
import type { RolecallEvent } from "../../../lib/events/mod.ts";

/** When somebody leaves. */
export type Leaving =
  | { readonly kind: "never" }
  /** So long after the beginning. */
  | { readonly kind: "at"; readonly atMs: number }
  /** So long after it has everything. */
  | { readonly kind: "complete"; readonly afterMs: number }
  /** With this share of the pieces. */
  | { readonly kind: "share"; readonly share: number }
  /** When it has sent so many bytes. */
  | { readonly kind: "sent"; readonly bytes: number }
  /** As soon as the others have every piece among them. */
  | { readonly kind: "first-copy" };

/** Somebody. */
export interface Member {
  readonly name: string;
  readonly isSeed: boolean;
  /** After the beginning; who comes at 0 is there before the seed is. */
  readonly joinsAtMs: number;
  readonly leaves: Leaving;
  readonly uploadBytesPerSecond: number;
  readonly picker?: PickerName;
  readonly choker?: ChokerName;
  readonly freeRide?: boolean;
  /** A seed that shows every piece to everyone, instead of each to one peer first. */
  readonly plainSeed?: boolean;
}

/** A swarm to be played. */
export interface SwarmPlan {
  readonly fileBytes: number;
  readonly pieceBytes: number;
  readonly members: readonly Member[];
  readonly slots: number;
  readonly chokeIntervalMs: number;
  readonly optimisticIntervalMs: number;
  /** The curtain falls then, whatever happened. */
  readonly endsAtMs: number;
}

/** An event of somebody, with the time since the beginning. */
export interface Observed {
  readonly atMs: number;
  readonly name: string;
  readonly event: RolecallEvent;
}

/** How many copies of the rarest piece there were, and of a piece on average, from a time on. */
export interface AvailabilityPoint {
  readonly atMs: number;
  readonly min: number;
  readonly mean: number;
  readonly members: number;
}

/** How it went for somebody; times since the beginning, null for what did not happen. */
export interface MemberOutcome {
  readonly member: Member;
  readonly joinedAtMs: number | null;
  readonly completedAtMs: number | null;
  readonly leftAtMs: number | null;
  /** Share of the pieces it had at the end, 0 to 1. */
  readonly share: number;
}

/** What came of a swarm that was played. */
export interface SwarmOutcome {
  readonly members: readonly MemberOutcome[];
  readonly availability: readonly AvailabilityPoint[];
  /** Choking, unchoking and connections, by time. */
  readonly observed: readonly Observed[];
  /** When every piece was at someone beside the seed. */
  readonly firstCopyAtMs: number | null;
  readonly endedAtMs: number;
  /** `complete`: everyone who stayed has everything; `stuck`: nobody can get what is missing; `time`: the time was up. */
  readonly end: "complete" | "stuck" | "time";
  /** Names by peer id, in hex. */
  readonly names: ReadonlyMap<string, string>;
}
