import { formatBitRate } from "../../../../lib/core/units.ts";
import { ABR_RULES, type AbrName } from "../../../../lib/dash/abr/mod.ts";
import { parseLadder } from "../../../../lib/media/ladder.ts";
import { namedTrace } from "../../../../lib/model/trace_catalog.ts";
import {
  type AbrPlayResult,
  playOverTrace,
} from "../../../../lib/sim/abr_play.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Player, Stage } from "../../stage/stage.ts";
import type { Downloaded, ViewerSummary } from "../viewers.ts";

/** A way to choose rates. */
export interface Choosing {
  /** As the report calls it. */
  readonly name: string;
  readonly rule: AbrName;
  /** Of the rule `fixed`. */
  readonly quality?: "lowest" | "highest";
}

/** A player that is over. */
export interface Adapting {
  readonly what: Choosing;
  readonly result: PlayResult;
}

/** What `dash-client --json` prints of a play; instants are the player's, from its start, as the trace's are. */
export interface PlayResult extends ViewerSummary {
  readonly ladder: readonly { readonly bitsPerSecond: number }[];
  readonly playedMs: number;
  readonly score: number;
  readonly percentOfOptimum?: number;
  readonly segments: readonly {
    readonly atMs: number;
    readonly bitsPerSecond: number;
    readonly bufferMs: number;
    readonly mediaMs: number;
  }[];
  readonly stalls: readonly {
    readonly atMs: number;
    readonly stallMs: number;
  }[];
}

/** Who plays: both ends of the ladder, and each rule. */
function castOf({ rules }: StreamingAct): readonly Choosing[] {
  return [
    { name: "lowest", rule: "fixed", quality: "lowest" },
    { name: "highest", rule: "fixed", quality: "highest" },
    ...rules.map((rule) => ({ name: rule, rule })),
  ];
}

/** The same title, network and choices without sockets and clocks. */
export function inVirtualTime(
  act: StreamingAct,
  { rule, quality }: Pick<Choosing, "rule" | "quality">,
): AbrPlayResult {
  const ladder = parseLadder(act.ladder).map(({ bitsPerSecond }) =>
    bitsPerSecond
  );
  const durationsMs = Array.from(
    { length: Math.ceil(act.mediaMs / act.segmentMs) },
    () => act.segmentMs,
  );
  return playOverTrace(
    {
      name: "as planned",
      ...{ ladder, durationsMs },
      sizesBits: durationsMs.map((ms) =>
        ladder.map((rate) => rate * ms / 1000)
      ),
    },
    namedTrace(act.trace)!,
    ABR_RULES[rule],
    {
      bufferCapMs: act.bufferMs,
      abandon: false,
      fixedIndex: quality === "highest" ? ladder.length - 1 : 0,
    },
  );
}

/** Starts a player for each way to choose, each with the act's network for itself; returns when all show a picture. */
export async function playOnOneNetwork(
  act: StreamingAct,
  url: string,
  stage: Stage,
): Promise<readonly { readonly what: Choosing; readonly player: Player }[]> {
  const started = castOf(act).map((what) => {
    const { name, rule, quality } = what;
    const player = stage.start(name, [
      ...["dash-client", url, "--json", "--abr", rule],
      ...quality === undefined ? [] : ["--quality", quality],
      ...["--trace", act.trace, "--duration", `${act.mediaMs}ms`],
      ...["--buffer", `${act.bufferMs}ms`],
    ]);
    showProgress(player, stage);
    return { what, player };
  });
  await Promise.all(
    started.map(({ player }) => player.until("playout.started")),
  );
  return started;
}

/** A row on the screen for a player: its newest segment. */
export function showProgress(player: Player, stage: Stage): void {
  player.role.subscribe((event) => {
    if (event.type === "segment.downloaded") {
      stage.progress(player.name, describe(event));
    }
  });
}

function describe(event: Downloaded): string {
  return `segment ${event.segmentNumber} in ${event.height}p, ${
    formatBitRate(event.bitsPerSecond)
  }; buffer ${(event.bufferMs / 1000).toFixed(1)} s${
    event.stallMs === 0
      ? ""
      : `, stalled ${(event.stallMs / 1000).toFixed(1)} s`
  }`;
}
