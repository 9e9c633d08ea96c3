import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import { problemAt } from "../../../lib/events/dash.ts";
import { Chunks } from "../../../lib/dash/chunks.ts";
import type { Player } from "../../../lib/dash/player/player.ts";
import type {
  PlayerInput,
  PlayerOutput,
} from "../../../lib/dash/player/messages.ts";
import {
  readSampleTimes,
  type SampleTimes,
} from "../../../lib/dash/sample_times.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import { drive } from "../../../lib/io/drive.ts";
import { Inbox } from "../../../lib/io/inbox.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { CmcdSession } from "../network/cmcd.ts";
import type { PlayLog } from "../result/played.ts";
import type { Segments } from "../source/segment_source.ts";
import type { Growth } from "./live_play.ts";

type Fetch = Extract<PlayerOutput, { kind: "fetch" }>;
type FailedInput = Extract<PlayerInput, { kind: "failed" }>;

/** Of neither medium there is any more. */
const NO_MORE: PlayerInput = {
  kind: "grown",
  tracks: Array(2).fill({ media: "other", positions: [] }),
  ended: true,
};
/** A player is told how a segment comes along this often, in its own time. */
const PROGRESS_MS = 50;
/** What comes after that of an initialization segment is none. */
const MAX_INIT_BYTES = 2 ** 20;

/** One title being played: performs what the player asks for and keeps the log for the report. */
export class Session {
  readonly #player: Player;
  readonly #segments: Segments;
  readonly #cmcd: CmcdSession | undefined;
  readonly #speed: number;
  readonly #ctx: RoleContext;
  readonly #clock: Clock;
  readonly #inbox = new Inbox<PlayerInput>();
  readonly #fetching = new Map<number, AbortController>();
  readonly #working = new Set<Promise<void>>();
  /** Aborts when playing is over. */
  readonly #over = new AbortController();
  #failure: Error | undefined;
  #ended = false;
  #startedAtMs = 0;
  /** When the player was told what it is acting on: deciding takes time, and is no part of what happened. */
  #toldAtMs = 0;
  readonly log: PlayLog = {
    downloads: [],
    sound: [],
    abandoned: [],
    stalls: [],
    seeks: [],
    latencies: [],
    startupMs: 0,
  };

  /** Plays with what `segments` fetches. */
  constructor(
    player: Player,
    { segments, cmcd }: {
      readonly segments: Segments;
      readonly cmcd: CmcdSession | undefined;
    },
    speed: number,
    ctx: RoleContext,
  ) {
    this.#player = player;
    this.#segments = segments;
    this.#cmcd = cmcd;
    this.#speed = speed;
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
  async run(growth: Growth | undefined): Promise<Error | undefined> {
    this.#inbox.push({ kind: "start" });
    if (growth !== undefined) this.#work(this.#follow(growth));
    await drive(
      this.#timed(this.#player),
      this.#inbox,
      (output) => this.#perform(output),
      { clock: this.#clock, signal: this.#ctx.signal },
    );
    this.#over.abort();
    for (const fetching of this.#fetching.values()) fetching.abort();
    await Promise.all(this.#working);
    // Brings the buffer up to this instant, for the summary; what it would do next is nobody's business any more.
    this.#player.handle({ kind: "timeout" }, this.#clock.nowMs());
    return this.#failure;
  }

  /** `player`, with notes of when it is told what. */
  #timed(player: Player): Pick<Player, "handle" | "deadlineMs"> {
    return {
      handle: (input, nowMs) => {
        this.#toldAtMs = nowMs;
        if (input.kind === "start") this.#startedAtMs = nowMs;
        return player.handle(input, nowMs);
      },
      get deadlineMs() {
        return player.deadlineMs;
      },
    };
  }

  /** Tells the player what there is of a live title. */
  async #follow(growth: Growth): Promise<void> {
    const over = new Promise<"over">((resolve) => {
      this.#over.signal.addEventListener("abort", () => resolve("over"));
    });
    const views = growth[Symbol.asyncIterator]();
    for (;;) {
      const next = views.next();
      next.catch(() => {}); // Heard below, or nobody's business any more.
      const first = await Promise.race([next, over]);
      if (first === "over" || first.done || this.#failure) return;
      this.#inbox.push({ kind: "grown", ...first.value });
    }
  }

  #work(work: Promise<void>): void {
    const working = work.catch((error) => {
      if (this.#ctx.signal.aborted) return;
      this.#failure = error as Error;
      this.#inbox.close();
    });
    this.#working.add(working);
    working.finally(() => this.#working.delete(working));
  }

  #perform(output: PlayerOutput): void {
    const { emit } = this.#ctx;
    const atMs = this.#toldAtMs - this.#startedAtMs;
    switch (output.kind) {
      case "fetch":
        return this.#work(this.#fetch(output));
      case "abort":
        return this.#fetching.get(output.fetchId)?.abort();
      case "downloaded": {
        const { record } = output;
        const sound = record.media === "audio" && this.#player.hasPicture;
        this.log[sound ? "sound" : "downloads"].push({ atMs, record });
        return emit({ type: "segment.downloaded", ...record });
      }
      case "abandoned":
        this.log.abandoned.push({ atMs, record: output.record });
        return emit({ type: "segment.abandoned", ...output.record });
      case "latency":
        this.log.latencies.push({ atMs, record: output.record });
        return emit({ type: "latency.measured", ...output.record });
      case "missed": {
        const { kind: _kind, ...fields } = output;
        return emit({ type: "segment.missed", ...fields });
      }
      case "gave-up":
        this.#failure = new RunError(
          "segment-unavailable",
          `Cannot go on: segment ${output.segmentNumber} is to be had in no rate: ${
            problemAt(output)
          }`,
        );
        // What is there is played: the viewer has it.
        return this.#inbox.push(NO_MORE);
      default:
        return this.#change(output);
    }
  }

  /** Something happened to the picture. */
  #change(
    output: Extract<
      PlayerOutput,
      { kind: "started" | "stalled" | "resumed" | "seeked" | "ended" }
    >,
  ): void {
    const { emit } = this.#ctx;
    const atMs = output.atMs - this.#startedAtMs;
    switch (output.kind) {
      case "started": {
        const { startupMs } = output;
        this.log.startupMs = startupMs;
        return emit({ type: "playout.started", startupMs });
      }
      case "stalled": {
        const { positionMs } = output;
        const { playedMs } = this.#player.playout;
        this.log.stalls.push({ atMs, positionMs, playedMs, stallMs: 0 });
        return emit({ type: "playout.stalled", positionMs });
      }
      case "resumed": {
        const { positionMs, stallMs } = output;
        const stall = this.log.stalls.at(-1);
        if (stall !== undefined) stall.stallMs = stallMs;
        return emit({ type: "playout.resumed", positionMs, stallMs });
      }
      case "seeked": {
        const { fromMs, toMs, seekMs } = output;
        this.log.seeks.push({ atMs, fromMs, toMs, seekMs });
        return emit({ type: "playout.seeked", fromMs, toMs, seekMs });
      }
      case "ended": {
        this.#ended = true;
        this.#finishAtEnd();
        const latest = this.log.latencies.at(-1)?.record;
        return emit({
          type: "playout.ended",
          positionMs: output.positionMs,
          playedMs: this.#player.playout.playedMs,
          isCut: this.#failure !== undefined,
          ...(latest === undefined ? {} : { latencyMs: latest.latencyMs }),
        });
      }
    }
  }

  /** What is under way has its line in the log, though its last chunks are played no more. */
  #finishAtEnd(): void {
    if (this.#ended && this.#fetching.size === 0) this.#inbox.finish();
  }

  async #fetch(
    { fetchId, segmentNumber, location, fallback, edge, state, read }: Fetch,
  ): Promise<void> {
    const given = new AbortController();
    this.#fetching.set(fetchId, given);
    const failed = (why: Omit<FailedInput, "kind" | "fetchId">) =>
      this.#inbox.push({ kind: "failed", fetchId, ...why });
    let init = new ByteCollector();
    const collect = {
      begin: () => void (init = new ByteCollector()),
      sink: (bytes: Uint8Array) => {
        if (init.length < MAX_INIT_BYTES) init.push(bytes);
      },
    };
    try {
      const got = await this.#segments.get(location, {
        ...{ segmentNumber, state },
        rounds: fallback ? 1 : undefined,
        absentRounds: edge ? 1 : undefined,
        signal: given.signal,
        cmcd: this.#cmcd?.segment(state),
        ...read === "times"
          ? collect
          : this.#player.abandons || read !== undefined
          ? this.#progress(fetchId, read)
          : {},
      });
      if (got.ok) {
        const { ok: _ok, url: _url, ...measured } = got;
        const times = read === "times"
          ? readSampleTimes(init.bytes)
          : undefined;
        this.#inbox.push({ kind: "fetched", fetchId, ...measured, times });
      } else if (got.abandoned !== true) {
        const { url, problem, absent, hopeless } = got;
        failed({ url, problem, absent, hopeless });
      }
    } catch (error) {
      if (this.#ctx.signal.aborted) return;
      if (!(error instanceof RunError)) throw error;
      const url = location.urls[0]!;
      failed({ url, problem: messageOf(error), absent: false });
    } finally {
      this.#fetching.delete(fetchId);
      this.#finishAtEnd();
    }
  }

  /** What tells the player how a segment comes along. */
  #progress(fetchId: number, times: SampleTimes | undefined): {
    begin(): void;
    head(headers: Headers): void;
    sink(bytes: Uint8Array): void;
  } {
    const { clock } = this.#ctx;
    let startedAtMs = clock.nowMs();
    let toldAtMs = startedAtMs;
    let ttfbMs = 0;
    let bytes = 0;
    let totalBytes: number | undefined;
    let chunks = new Chunks(times);
    let arrivedMs = 0;
    return {
      begin: () => {
        startedAtMs = clock.nowMs();
        toldAtMs = startedAtMs;
        bytes = 0;
        chunks = new Chunks(times);
        arrivedMs = 0;
      },
      head: (headers) => {
        ttfbMs = clock.nowMs() - startedAtMs;
        totalBytes = Number(headers.get("content-length")) || undefined;
      },
      sink: (part) => {
        bytes += part.length;
        const nowMs = clock.nowMs();
        chunks.push(part, nowMs);
        const { mediaMs } = chunks;
        if (mediaMs > arrivedMs) {
          arrivedMs = mediaMs;
          this.#inbox.push({ kind: "arrived", fetchId, mediaMs });
        }
        if ((nowMs - toldAtMs) * this.#speed < PROGRESS_MS) return;
        toldAtMs = nowMs;
        const elapsedMs = nowMs - startedAtMs - chunks.idleMs;
        this.#inbox.push({
          ...{ kind: "progressed", fetchId, bytes, totalBytes },
          ...{ ttfbMs, elapsedMs },
        });
      },
    };
  }
}
