import type {
  AbandonRecord,
  LatencyRecord,
  SegmentRecord,
} from "../../../lib/dash/player/messages.ts";
import type { PlaySummary } from "../../../lib/dash/qoe/qoe.ts";
import type { Choice } from "../../../lib/dash/title.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { Hindsight } from "../../../lib/sim/abr_hindsight.ts";
import type { SharingTotals } from "../sharing/cooperation.ts";

/** What happened while a title was played; times are the player's, from its start. */
export interface PlayLog {
  /** Of the main track. */
  readonly downloads: { atMs: number; record: SegmentRecord }[];
  /** What goes with the picture. */
  readonly sound: { atMs: number; record: SegmentRecord }[];
  readonly abandoned: { atMs: number; record: AbandonRecord }[];
  readonly stalls: {
    atMs: number;
    positionMs: number;
    /** Media played before it. */
    playedMs: number;
    stallMs: number;
  }[];
  readonly seeks: {
    atMs: number;
    fromMs: number;
    toMs: number;
    seekMs: number;
  }[];
  readonly latencies: { atMs: number; record: LatencyRecord }[];
  startupMs: number;
}

/** A title that was played, wholly or in part. */
export interface Played extends Readonly<PlayLog> {
  readonly url: string;
  readonly title: string;
  readonly abr: string;
  readonly speed: number;
  readonly bufferCapMs: number;
  /** Media to play; undefined when that has no end. */
  readonly mediaMs: number | undefined;
  readonly manifestMs: number;
  /** How far behind the live edge it was to be; undefined when the title is whole. */
  readonly targetLatencyMs: number | undefined;
  /** Segments came in chunks, which were played as they came. */
  readonly inChunks?: boolean;
  readonly ladder: readonly Choice[];
  /** All that could be chosen, by `Representation@id`. */
  readonly choices: ReadonlyMap<string, Choice>;
  /** The network of `--trace`. */
  readonly trace: NetworkTrace | undefined;
  /** What it gave other players and got from them; undefined without `--cooperate`. */
  readonly sharing: SharingTotals | undefined;
  /** Undefined where there is nothing to compare with. */
  readonly hindsight: Hindsight | undefined;
  readonly complete: boolean;
  readonly summary: PlaySummary;
}

/** One line of a table. */
export type Row = readonly [name: string, value: string];
