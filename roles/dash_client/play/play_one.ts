import { InputError } from "../../../lib/core/errors.ts";
import { ABR_RULES } from "../../../lib/dash/abr/mod.ts";
import { Player } from "../../../lib/dash/player/player.ts";
import type { PlayerOptions } from "../../../lib/dash/player/player_options.ts";
import { summarizePlay } from "../../../lib/dash/qoe/qoe.ts";
import type { Choice, Track } from "../../../lib/dash/title.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { inHindsight } from "../../../lib/sim/abr_hindsight.ts";
import { liveThresholds, thresholdsOf } from "../checks/buffers.ts";
import { CmcdSession } from "../network/cmcd.ts";
import type { SharingTotals } from "../sharing/cooperation.ts";
import type { Sharing } from "../sharing/open_cooperation.ts";
import { share } from "../sharing/share.ts";
import type { PlayFlags } from "../flags.ts";
import type { Link } from "../network/link.ts";
import { type OpenTitle, openTitle, rungOf } from "../source/manifest.ts";
import type { Played } from "../result/played.ts";
import { type Joined, joinLive } from "./live_play.ts";
import { Session } from "./session.ts";

/** How it went. */
export interface PlayedOnce {
  readonly played: Played;
  /** On the player's clock. */
  readonly beganAtMs: number;
  readonly failure: Error | undefined;
}

/**
 * Plays a title once, to its end, the first failure or the signal.
 *
 * @param options.link What all that is fetched passes; others may use it as well.
 * @param options.cooperation The players with which this one shares.
 */
export async function playOne(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
  { link, cooperation }: {
    readonly link: Link | undefined;
    readonly cooperation: Sharing | undefined;
  },
): Promise<PlayedOnce> {
  const cmcd = flags.cmcd === undefined
    ? undefined
    : new CmcdSession(flags.cmcd, { contentId: flags.operand, ctx });
  const opened = await openTitle(flags, ctx, {
    ...{ link, cmcd, takesLive: true },
    ...{ tracks: flags.tracks, quality: flags.quality },
    limitMs: flags.duration && flags.duration + (flags.startAt ?? 0),
  });
  if (
    opened.live === undefined &&
    (flags.liveDelay ?? flags.catchUp) !== undefined
  ) {
    throw new InputError(
      "--live-delay and --catch-up are for live titles: this one is whole",
    );
  }
  checkTracks(flags.tracks, opened.tracks);
  const joined = opened.live && await joinLive(opened.live, flags, ctx);
  if (joined !== undefined) cmcd?.setLive();
  const tracks = joined?.tracks ?? opened.tracks;
  await using sharer = cooperation &&
    await share(cooperation, { tracks, opened, speed: flags.speed, ctx });
  const segments = sharer?.segments ?? opened.segments;
  const player = new Player(tracks, {
    ...optionsOf(flags, opened, joined),
    offered: sharer && ((position) => sharer.segments.offered(position)),
  });
  const session = new Session(player, { segments, cmcd }, flags.speed, ctx);
  link?.start();
  const beganAtMs = ctx.clock.nowMs() * flags.speed;
  const failure = await session.run(joined?.growth);
  const played = playedOf(flags, {
    ...{ opened, joined, player, session, failure, trace: link?.trace },
    sharing: sharer?.totals(),
  });
  return { played, beganAtMs, failure };
}

/** Refuses `--tracks` that the title has not; what does not say what it is may be pictures. @throws {InputError} */
function checkTracks(
  wanted: PlayFlags["tracks"],
  [main]: readonly Track[],
): void {
  const media = main?.media;
  const isThere = wanted === "all" || media === wanted ||
    wanted === "video" && media === "other";
  if (isThere || media === undefined) return;
  throw new InputError(
    `--tracks ${wanted}: this title has no ${
      wanted === "audio" ? "sound" : "picture"
    }`,
  );
}

/** What there is to tell of a play that is over. */
function playedOf(
  flags: PlayFlags & { readonly operand: string },
  { opened, joined, player, session, failure, trace, sharing }: {
    readonly opened: OpenTitle;
    readonly joined: Joined | undefined;
    readonly player: Player;
    readonly session: Session;
    readonly failure: Error | undefined;
    readonly trace: NetworkTrace | undefined;
    readonly sharing: SharingTotals | undefined;
  },
): Played {
  const tracks = joined?.tracks ?? opened.tracks;
  const { playout } = player;
  const ladder = tracks[0]!.positions[0]?.choices ?? [];
  const summary = summarizePlay(
    session.log.downloads.map(({ record }) => record),
    {
      playedMs: playout.playedMs,
      startupMs: session.log.startupMs,
      stallCount: playout.stallCount,
      stallMs: playout.stalledMs,
      skips: playout.skips,
    },
  );
  // Who leaps about, lives at the live edge, or shares the network has no one to be compared with.
  const comparable = joined === undefined && session.log.seeks.length === 0 &&
    flags.clients === 1 && sharing === undefined;
  const rates = ladder.map(({ bitsPerSecond }) => bitsPerSecond);
  const play = { ...session.log, ...summary, ladder: rates };
  const { speed, buffer: bufferCapMs } = flags;
  return {
    ...session.log,
    url: flags.operand,
    title: opened.title,
    abr: flags.abr,
    speed,
    bufferCapMs,
    mediaMs: joined === undefined ? opened.mediaMs : flags.duration,
    manifestMs: opened.manifestMs,
    targetLatencyMs: joined?.live.targetMs,
    inChunks: joined?.live.chunkMs !== undefined,
    ladder,
    choices: choicesOf(tracks),
    trace,
    sharing,
    hindsight: comparable
      ? inHindsight({ ...play, speed, bufferCapMs }, trace)
      : undefined,
    complete: playout.state === "ended" && failure === undefined,
    summary,
  };
}

/** All that can be chosen, by name. */
function choicesOf(tracks: readonly Track[]): ReadonlyMap<string, Choice> {
  const choices = new Map<string, Choice>();
  for (const { positions } of tracks) {
    for (const position of positions) {
      for (const choice of position.choices) {
        choices.set(choice.representationId, choice);
      }
    }
  }
  return choices;
}

function optionsOf(
  flags: PlayFlags,
  { positions }: OpenTitle,
  joined: Joined | undefined,
): PlayerOptions {
  const first = joined?.tracks[0]?.positions[0] ?? positions[0];
  const last = positions.at(-1);
  const endMs = last === undefined ? 0 : last.startMs + last.durationMs;
  if (joined === undefined) {
    const places = [
      ["--start-at", flags.startAt ?? 0],
      ...flags.seek.flatMap(({ atMs, toMs }) =>
        [atMs, toMs].map((ms) => ["--seek", ms] as const)
      ),
    ] as const;
    for (const [name, toMs] of places) {
      if (toMs === 0 || toMs < endMs) continue;
      throw new InputError(
        `${name} must be in what is played, which ends at ${
          endMs / 1000
        } s, got ${toMs / 1000}s`,
      );
    }
  }
  const rule = ABR_RULES[flags.abr as Exclude<PlayFlags["abr"], "all">];
  const thresholds = thresholdsOf(flags, longestMs(positions));
  return {
    rule,
    ...joined === undefined ? thresholds : liveThresholds(thresholds, {
      segmentMs: joined.live.chunkMs ?? first?.durationMs ?? 0,
      thereMs: joined.thereMs,
    }),
    capMs: flags.buffer,
    fixedIndex: first === undefined ? 0 : rungOf(flags.quality, first),
    speed: flags.speed,
    fromMs: joined?.fromMs ?? flags.startAt,
    seeks: flags.seek,
    abandon: flags.abandon,
    giveUpMs: flags.giveUpAfter === 0 ? Infinity : flags.giveUpAfter,
    live: joined?.live,
  };
}

function longestMs(positions: OpenTitle["positions"]): number {
  return positions.reduce((ms, each) => Math.max(ms, each.durationMs), 0);
}
