import type { RecordOf } from "../../../lib/events/mod.ts";
import type { CdnNetwork } from "../scenario/scenario.ts";
import type { Player } from "../stage/stage.ts";

/** A segment as its client reports it. */
export type Downloaded = RecordOf<"segment.downloaded">;

/** One network of the act while it plays. */
export interface PlayedNetwork {
  readonly network: CdnNetwork;
  readonly cidr: string;
  readonly edgeHost: string;
  readonly edge: Player;
  readonly clients: readonly Viewer[];
}

/** One client, and what it printed with `--json`. */
export interface Viewer {
  readonly player: Player;
  readonly address: string;
  readonly summary: ViewerSummary;
  readonly segments: readonly Downloaded[];
}

/** What the demo reads of a `dash-client`'s result. */
export interface ViewerSummary {
  readonly averageBitsPerSecond: number;
  readonly switchCount: number;
  readonly stallCount: number;
  readonly stallMs: number;
  readonly startupMs: number;
  readonly highestLayerPercent: number;
  readonly lectureQoe: number;
}
