import type { RecordOf } from "../../../../lib/events/mod.ts";
import { formatMs } from "../../../../lib/core/units.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Player, Stage } from "../../stage/stage.ts";
import { showProgress } from "./adaptation.ts";
import type { Downloaded } from "../viewers.ts";

/** Players that shared a bottleneck; instants are in ms since the first of them had its manifest. */
export interface SharedPlay {
  readonly players: readonly SharingPlayer[];
  /** From when on all of them played. */
  readonly allAtMs: number;
  /** When the first one left. */
  readonly leftAtMs: number;
  /** When the first of those who stayed had all that it wanted. */
  readonly doneAtMs: number;
}

/** One of them. The first is the one that left. */
export interface SharingPlayer {
  readonly name: string;
  readonly startupMs: number;
  readonly segments: readonly SharedSegment[];
}

/** A segment, and when its last byte came. */
export interface SharedSegment {
  readonly atMs: number;
  readonly record: Downloaded;
}

/** Plays with several players through one origin that sends no more than a rate; one is ended in the middle. */
export async function playBehindBottleneck(
  { shared, bufferMs }: StreamingAct,
  url: string,
  stage: Stage,
): Promise<SharedPlay> {
  const { clock, signal } = stage.ctx;
  const players = Array.from({ length: shared.players }, (_, at) => {
    const player = stage.start(`viewer-${at + 1}`, [
      ...["dash-client", url, "--json", "--duration", `${shared.mediaMs}ms`],
      ...["--buffer", `${bufferMs}ms`],
    ]);
    showProgress(player, stage);
    return player;
  });
  const began = await Promise.all(
    players.map((player) => player.until("playout.started")),
  );
  const fromWallMs = Math.min(
    ...began.map(({ time, startupMs }) => Date.parse(time) - startupMs),
  );
  const since = ({ time }: { readonly time: string }) =>
    Date.parse(time) - fromWallMs;
  const [leaver, ...others] = players as [Player, ...Player[]];
  await clock.sleepUntil(clock.nowMs() + shared.leavesAfterMs, signal);
  const leftAtMs = clock.wallMs() - fromWallMs;
  stage.say(leaver.name, `leaves, after ${formatMs(shared.leavesAfterMs)}`);
  await stage.end(leaver);
  await Promise.all(others.map((player) => stage.result(player)));
  const sharing = players.map((player, at) =>
    sharingOf(player, began[at]!, since)
  );
  return {
    players: sharing,
    allAtMs: Math.max(...began.map(since)),
    leftAtMs,
    doneAtMs: Math.min(
      ...sharing.slice(1).map(({ segments }) => segments.at(-1)?.atMs ?? 0),
    ),
  };
}

function sharingOf(
  player: Player,
  { startupMs }: RecordOf<"playout.started">,
  since: (event: Downloaded) => number,
): SharingPlayer {
  const segments = player.all("segment.downloaded").map((record) => ({
    ...{ record, atMs: since(record) },
  }));
  return { name: player.name, startupMs, segments };
}
