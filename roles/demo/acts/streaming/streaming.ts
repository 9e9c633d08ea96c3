import {
  counted,
  formatBitRate,
  formatMs,
} from "../../../../lib/core/units.ts";
import type { StreamingAct } from "../../scenario/streaming_act.ts";
import type { Player, Stage } from "../../stage/stage.ts";
import {
  type Adapting,
  inVirtualTime,
  playOnOneNetwork,
  type PlayResult,
} from "./adaptation.ts";
import { reportAdaptation } from "./adaptation_report.ts";
import { playBehindBottleneck } from "./bottleneck.ts";
import { reportBottleneck } from "./bottleneck_report.ts";

/** Starts of processes. */
const STARTING_MS = 5000;

/**
 * The DASH slides with real players: fixed rates and rules, each on the same network that varies, and in the meantime
 * others that share one bottleneck.
 */
export async function playStreaming(
  act: StreamingAct,
  stage: Stage,
): Promise<void> {
  const { rules, shared } = act;
  const adapting = rules.length + 2;
  const slowest = inVirtualTime(act, { rule: "fixed", quality: "highest" });
  stage.begin(
    "streaming",
    `Streaming: ${
      counted(adapting + shared.players, "player")
    }, all at once; takes about ${
      formatMs(Math.max(slowest.totalMs, shared.mediaMs) + STARTING_MS)
    }`,
  );
  const origin = await openOrigin("origin", act, [], stage);
  const narrow = await openOrigin("narrow-origin", act, [
    ...["--limit-rate", `${shared.bytesPerSecond}B/s`],
  ], stage);
  stage.part(
    `the network "${act.trace}" for each of ${adapting} players: two with a fixed rate, and ${
      counted(rules.length, "rule")
    }`,
  );
  const alone = await playOnOneNetwork(act, origin.url, stage);
  stage.part(
    `in the meantime ${shared.players} players behind one bottleneck of ${
      formatBitRate(8 * shared.bytesPerSecond)
    }; one leaves`,
  );
  const [adapted, together] = await Promise.all([
    Promise.all(alone.map(async ({ what, player }): Promise<Adapting> => ({
      what,
      result: await stage.result(player) as PlayResult,
    }))),
    playBehindBottleneck(act, narrow.url, stage),
  ]);
  stage.figures.push({
    ...{ act: "streaming", trace: act.trace, mediaMs: act.mediaMs },
    players: reportAdaptation(act, adapted, stage),
    shared: reportBottleneck(act, together, stage),
  });
  await stage.end(origin.player, narrow.player);
}

/** An origin with the act's title. */
async function openOrigin(
  name: string,
  act: StreamingAct,
  more: readonly string[],
  stage: Stage,
): Promise<{ readonly player: Player; readonly url: string }> {
  const player = stage.start(name, [
    ...["origin", "--host", stage.machine(), "--port", "0"],
    ...["--ladder", act.ladder, "--segment", `${act.segmentMs}ms`, ...more],
  ]);
  const { host, port } = await player.until("role.listening");
  return { player, url: `http://${host}:${port}/manifest.mpd` };
}
