import { InputError, messageOf, RunError } from "../../lib/core/errors.ts";
import { ABR_RULES } from "../../lib/dash/abr/mod.ts";
import {
  Player,
  type PlayerInput,
  type PlayerOutput,
} from "../../lib/dash/player.ts";
import { summarizePlay } from "../../lib/dash/qoe.ts";
import type { Clock } from "../../lib/io/clock.ts";
import { drive } from "../../lib/io/drive.ts";
import type { RoleContext } from "../../lib/role.ts";
import { CmcdSession } from "./cmcd.ts";
import type { PlayFlags } from "./flags.ts";
import { Inbox } from "../../lib/io/inbox.ts";
import { openLink } from "./link.ts";
import { openTitle, rungOf } from "./manifest.ts";
import type { SegmentSource } from "./segment_source.ts";
import { simulate } from "./simulate.ts";
import { type Played, type PlayLog, showPlay } from "./result.ts";

/** Plays a title without showing it: requests, measures, adapts, buffers, and reports. */
export async function playTitle(
  flags: PlayFlags & { readonly operand: string },
  ctx: RoleContext,
): Promise<void> {
  const { abr } = flags;
  if (abr === "all") return simulate(flags, ctx);
  if (flags.operand === "") {
    throw new InputError(
      "the manifest's URL is missing, such as http://127.0.0.1:8080/manifest.mpd; only --simulate and --abr all do without",
    );
  }
  if (flags.speed === 0) throw new InputError("--speed must be above 0");
  if (flags.buffer === 0) throw new InputError("--buffer must be above 0");
  const link = await openLink(flags, ctx);
  const cmcd = flags.cmcd === undefined
    ? undefined
    : new CmcdSession(flags.cmcd, { contentId: flags.operand, ctx });
  const opened = await openTitle(flags, ctx, { link, cmcd });
  if (opened.live !== undefined) cmcd?.setLive();
  const { positions } = opened;
  const fixedIndex = positions[0] === undefined
    ? 0
    : rungOf(flags.quality, positions[0]);
  const player = new Player(positions, {
    startMs: flags.startBuffer,
    resumeMs: flags.startBuffer,
    capMs: flags.buffer,
    rule: ABR_RULES[abr],
    fixedIndex,
    speed: flags.speed,
  });
  const session = new Session(player, { ...opened, cmcd }, flags.speed, ctx);
  link?.start();
  const failure = await session.run();
  const { playout } = player;
  const played: Played = {
    ...session.log,
    url: flags.operand,
    title: opened.title,
    abr,
    speed: flags.speed,
    bufferCapMs: flags.buffer,
    mediaMs: opened.mediaMs,
    manifestMs: opened.manifestMs,
    ladder: positions[0]?.choices ?? [],
    complete: playout.state === "ended",
    summary: summarizePlay(session.log.downloads.map(({ record }) => record), {
      playedMs: playout.positionMs,
      startupMs: session.log.startupMs,
      stallCount: playout.stallCount,
      stallMs: playout.stalledMs,
    }),
  };
  ctx.finish(showPlay(played));
  if (failure !== undefined) throw failure;
}

/** One title being played: performs what the player asks for and keeps the log for the report. */
class Session {
  readonly #player: Player;
  readonly #segments: SegmentSource;
  readonly #cmcd: CmcdSession | undefined;
  readonly #ctx: RoleContext;
  readonly #clock: Clock;
  readonly #inbox = new Inbox<PlayerInput>();
  readonly #fetching = new Set<Promise<void>>();
  #failure: Error | undefined;
  #startedAtMs = 0;
  readonly log: PlayLog = { downloads: [], stalls: [], startupMs: 0 };

  constructor(
    player: Player,
    { segments, cmcd }: {
      readonly segments: SegmentSource;
      readonly cmcd: CmcdSession | undefined;
    },
    speed: number,
    ctx: RoleContext,
  ) {
    this.#player = player;
    this.#segments = segments;
    this.#cmcd = cmcd;
    this.#ctx = ctx;
    // The player's clock: `speed` times as fast as the real one.
    this.#clock = {
      nowMs: () => ctx.clock.nowMs() * speed,
      wallMs: () => ctx.clock.wallMs(),
      bootedAtWallMs: () => ctx.clock.bootedAtWallMs(),
      sleepUntil: (atMs, signal) => ctx.clock.sleepUntil(atMs / speed, signal),
    };
  }

  /** Plays to the end, the first failure or the signal; returns the failure. */
  async run(): Promise<Error | undefined> {
    this.#startedAtMs = this.#clock.nowMs();
    this.#inbox.push({ kind: "start" });
    await drive(
      this.#player,
      this.#inbox,
      (output) => this.#perform(output),
      { clock: this.#clock, signal: this.#ctx.signal },
    );
    await Promise.all(this.#fetching);
    // Brings the buffer up to this instant, for the summary; what it would do next is nobody's business any more.
    this.#player.handle({ kind: "timeout" }, this.#clock.nowMs());
    return this.#failure;
  }

  #perform(output: PlayerOutput): void {
    const { emit } = this.#ctx;
    switch (output.kind) {
      case "fetch":
        return this.#fetch(output);
      case "downloaded": {
        const atMs = this.#clock.nowMs() - this.#startedAtMs;
        this.log.downloads.push({ atMs, record: output.record });
        return emit({ type: "segment.downloaded", ...output.record });
      }
      case "missed": {
        const { kind: _kind, ...fields } = output;
        return emit({ type: "segment.missed", ...fields });
      }
      case "started":
        this.log.startupMs = output.startupMs;
        return emit({
          type: "playout.started",
          startupMs: output.startupMs,
        });
      case "stalled":
        this.log.stalls.push({
          atMs: output.atMs - this.#startedAtMs,
          positionMs: output.positionMs,
          stallMs: 0,
        });
        return emit({
          type: "playout.stalled",
          positionMs: output.positionMs,
        });
      case "resumed": {
        const { positionMs, stallMs } = output;
        const stall = this.log.stalls.at(-1);
        if (stall !== undefined) stall.stallMs = stallMs;
        return emit({ type: "playout.resumed", positionMs, stallMs });
      }
      case "ended":
        this.#inbox.close();
        return emit({ type: "playout.ended", positionMs: output.positionMs });
      case "gave-up":
        this.#failure = new RunError(
          "segment-unavailable",
          `Cannot go on: segment ${output.segmentNumber} is to be had in no rate, last ${output.url}: ${output.problem}`,
        );
        return this.#inbox.close();
    }
  }

  #fetch(
    { fetchId, segmentNumber, location, fallback, state }: Extract<
      PlayerOutput,
      { kind: "fetch" }
    >,
  ) {
    const failed = (url: string, problem: string, absent: boolean) => {
      this.#inbox.push({ kind: "failed", fetchId, url, problem, absent });
    };
    const work = async () => {
      try {
        const got = await this.#segments.get(location, {
          segmentNumber,
          rounds: fallback ? 1 : undefined,
          cmcd: this.#cmcd?.segment(state),
        });
        if (got.ok) {
          const { ok: _ok, url: _url, ...measured } = got;
          this.#inbox.push({ kind: "fetched", fetchId, ...measured });
        } else failed(got.url, got.problem, got.absent);
      } catch (error) {
        if (this.#ctx.signal.aborted) return;
        if (!(error instanceof RunError)) this.#failure = error as Error;
        if (!(error instanceof RunError)) return this.#inbox.close();
        failed(location.urls[0]!, messageOf(error), false);
      }
    };
    const running = work();
    this.#fetching.add(running);
    running.finally(() => this.#fetching.delete(running));
  }
}
