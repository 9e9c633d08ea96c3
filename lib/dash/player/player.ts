/**
 * The "intelligence at the client" of the slide: when to request a segment, at which rate, from which URL.
 *
 * One request at a time, for the medium of which least is there: so picture and sound do not take the link from each
 * other, and what is measured is the link. For each segment: wait until it fits in the buffer, ask the rule (for the
 * picture; sound takes what it may), fetch the initialization segment of that rung if it has not been fetched, fetch the
 * segment, add it to the playout buffer. One that is not to be had is fetched in a lower rung, and when servers fail in
 * all of them, again after a while (`Patience`); which place to ask, and how often, is the driver's (`Attempts`). Playing goes on meanwhile; every input first lets the buffer run to that instant.
 *
 * The clock of the machine is the player's: with `speed` 4 it is fed four times the time that passes, and divides
 * measured throughput by four, since a title played four times as fast needs four times the rate.
 */
import type { Machine } from "../../core/machine.ts";
import type { Track } from "../title.ts";
import { Adaptation, type AdaptationOptions } from "./adaptation.ts";
import { LatencyKeeper, type LiveOptions } from "./latency.ts";
import { Lateness } from "./lateness.ts";
import type { PlayerInput, PlayerOutput, Seek } from "./messages.ts";
import { type Attempt, type Fetching, LAST_RESORT } from "./attempt.ts";
import { recordOf } from "./record.ts";
import { Patience, type PatienceOptions } from "./patience.ts";
import { neediestOf, PlayingTrack } from "./track.ts";
import { Playout, type PlayoutFacts, type PlayoutOptions } from "./playout.ts";
import { RequestStates } from "./request_states.ts";

/** How a {@linkcode Player} behaves. */
export interface PlayerOptions
  extends
    Omit<PlayoutOptions, "trackCount">,
    AdaptationOptions,
    PatienceOptions {
  /** Where to go when a place is reached, in this order. */
  readonly seeks?: readonly Seek[] | undefined;
  /** Gives a segment up that would come too late for the buffer. */
  readonly abandon?: boolean | undefined;
  /** Set when the title grows. */
  readonly live?: LiveOptions | undefined;
}

type Input = PlayerInput | { readonly kind: "timeout" };
type Answer = Extract<PlayerInput, { kind: "fetched" | "failed" }>;
type InputOf<Kind extends PlayerInput["kind"]> = Extract<
  PlayerInput,
  { kind: Kind }
>;

/** So many segments in a row may be left out; then the title is taken to end there. */
const MAX_HOLES = 3;
/** Two places this near are the same. */
const SAME_MS = 1e-3;

/** See the head of this file. */
export class Player implements Machine<Input, PlayerOutput> {
  readonly #options: PlayerOptions;
  readonly #adaptation: Adaptation;
  /** The one that the rule is asked about is the first. */
  readonly #tracks: readonly PlayingTrack[];
  readonly #seeks: Seek[];
  readonly #latency: LatencyKeeper | undefined;
  readonly #lateness: Lateness | undefined;
  readonly #patience: Patience;
  #playout: Playout;
  #fetchId = 0;
  #fetching: Fetching | undefined;
  #wakeAtMs = Infinity;
  readonly #told = new RequestStates();
  /** Stalls until the segment before. */
  #toldStalledMs = 0;

  /** Creates a player of `tracks` (see `planTracks`), at least one. */
  constructor(tracks: readonly Track[], options: PlayerOptions) {
    const fromMs = options.fromMs ?? tracks[0]!.positions[0]?.startMs ?? 0;
    this.#options = { ...options, fromMs };
    this.#tracks = tracks.map((track, index) =>
      new PlayingTrack(track, { index, fromMs, ended: !options.live })
    );
    this.#seeks = [...options.seeks ?? []];
    this.#latency = options.live &&
      new LatencyKeeper(options.live, options.rule.catchUp);
    this.#lateness = options.live &&
      new Lateness((options.giveUpMs ?? 0) * options.speed);
    this.#adaptation = new Adaptation(options, this.#latency);
    this.#patience = new Patience(options);
    this.#playout = this.#emptyPlayout(0);
  }

  /** The buffer, for the summary. */
  get playout(): Pick<Playout, PlayoutFacts> {
    return this.#playout;
  }

  /** Whether there is a picture; else sound is the main thing. */
  get hasPicture(): boolean {
    return this.#tracks[0]!.media !== "audio";
  }

  /** Whether it wants to hear how segments come along. */
  get abandons(): boolean {
    return this.#options.abandon === true;
  }

  /** See {@linkcode Machine.deadlineMs}: the next request, seek or look at the live edge, or the end of the buffer. */
  get deadlineMs(): number {
    const seek = this.#seeks[0];
    return Math.min(
      this.#wakeAtMs,
      this.#playout.deadlineMs,
      this.#latency?.deadlineMs ?? Infinity,
      seek === undefined ? Infinity : this.#playout.reachedAtMs(seek.atMs),
    );
  }

  /** See {@linkcode Machine.handle}. */
  handle(input: Input, nowMs: number): PlayerOutput[] {
    switch (input.kind) {
      case "start":
        this.#playout = this.#emptyPlayout(nowMs);
        this.#latency?.start(nowMs);
        for (const { index, positions } of this.#tracks) {
          this.#lateness?.list(index, positions, nowMs);
        }
        return this.#proceed(nowMs);
      case "timeout":
        return this.#tick(nowMs);
      case "grown":
        return this.#grow(input, nowMs);
      case "progressed":
        return this.#progress(input, nowMs);
      case "fetched":
      case "failed":
        return this.#answer(input, nowMs);
    }
  }

  #emptyPlayout(nowMs: number): Playout {
    const trackCount = this.#tracks.length;
    return new Playout({ ...this.#options, trackCount }, nowMs);
  }

  #advance(nowMs: number): PlayerOutput[] {
    const changes = this.#playout.advance(nowMs);
    const nothing = this.#fetching === undefined &&
      this.#neediest(nowMs) === undefined;
    if (nothing && this.#playout.state === "stalled") this.#latency?.starve();
    return changes;
  }

  #tick(nowMs: number): PlayerOutput[] {
    const outputs = this.#advance(nowMs);
    outputs.push(...this.#latency?.look(this.#playout, nowMs) ?? []);
    const seek = this.#seeks[0];
    const playing = this.#playout.state === "playing";
    if (
      playing && this.#playout.positionMs >= (seek?.atMs ?? Infinity) - SAME_MS
    ) {
      this.#seeks.shift();
      outputs.push(...this.#seek(seek!.toMs, nowMs));
    } else if (nowMs >= this.#wakeAtMs) outputs.push(...this.#proceed(nowMs));
    return outputs;
  }

  #seek(toMs: number, nowMs: number): PlayerOutput[] {
    const buffered = this.#playout.state === "playing" &&
      this.#playout.has(toMs);
    const outputs: PlayerOutput[] = this.#playout.seek(toMs, nowMs);
    if (!buffered) {
      if (this.#fetching !== undefined) {
        outputs.push({ kind: "abort", fetchId: this.#fetchId });
        this.#fetching = undefined;
      }
      for (const track of this.#tracks) track.goTo(toMs);
      this.#adaptation.forget();
      this.#patience.relieved();
    }
    outputs.push(...this.#proceed(nowMs));
    return outputs;
  }

  #grow(
    { tracks, ended }: InputOf<"grown">,
    nowMs: number,
  ): PlayerOutput[] {
    const outputs = this.#advance(nowMs);
    const lost = this.#tracks.map((track) => {
      const now = tracks[track.index];
      if (now === undefined) return undefined;
      this.#lateness?.list(track.index, now.positions, nowMs);
      return track.grow(now.positions, ended);
    });
    const toMs = lost.reduce(
      (most, each) => Math.max(most, each?.lostTo ?? -Infinity),
      -Infinity,
    );
    outputs.push(
      ...toMs > this.#playout.positionMs
        ? this.#seek(toMs, nowMs)
        : this.#proceed(nowMs),
    );
    return outputs;
  }

  #answer(input: Answer, nowMs: number): PlayerOutput[] {
    const fetching = this.#fetching;
    if (fetching === undefined || input.fetchId !== this.#fetchId) return [];
    this.#fetching = undefined;
    const { track, initialization } = fetching;
    // A segment that comes just as the buffer runs dry comes in time: it is taken before the buffer is looked at.
    if (input.kind === "fetched" && initialization === undefined) {
      return this.#take(fetching, input, nowMs);
    }
    const outputs = this.#advance(nowMs);
    if (input.kind === "failed") {
      return [...outputs, ...this.#fail(fetching, input, nowMs)];
    }
    track.initialized(initialization!);
    return [...outputs, this.#fetch(track, fetching, nowMs)];
  }

  /** Makes the next request, or says when to ask again. */
  #proceed(nowMs: number): PlayerOutput[] {
    if (this.#fetching !== undefined) return [];
    this.#wakeAtMs = Infinity;
    const outputs: PlayerOutput[] = [];
    for (const track of this.#tracks) {
      if (!track.exhausted || track.completed) continue;
      track.completed = true;
      outputs.push(...this.#playout.finish(nowMs, track.index));
    }
    const track = this.#neediest(nowMs);
    if (track === undefined) {
      const dueAtMs = this.#tracks.map((each) => this.#dueAtMs(each));
      this.#wakeAtMs = Math.min(...dueAtMs);
      return outputs;
    }
    const { retryAtMs } = this.#patience;
    if (retryAtMs !== undefined) {
      if (nowMs >= retryAtMs) {
        outputs.push(this.#fetch(track, LAST_RESORT, nowMs));
      } else this.#wakeAtMs = retryAtMs;
      return outputs;
    }
    const roomAtMs = this.#playout.roomAtMs(track.mediaMs, track.index);
    const next = track.index === 0
      ? this.#adaptation.choose(track, this.#playout, { roomAtMs, nowMs })
      : roomAtMs > nowMs
      ? roomAtMs
      : this.#adaptation.chooseSound(track.position!.choices);
    if (typeof next === "number") this.#wakeAtMs = next;
    else outputs.push(this.#fetch(track, { ...next, fallback: false }, nowMs));
    return outputs;
  }

  /** When a track's next segment can be asked for; Infinity when there is none. */
  #dueAtMs({ index, position }: PlayingTrack): number {
    if (position === undefined) return Infinity;
    return this.#lateness?.dueAtMs(index, position) ?? -Infinity;
  }

  /** Of which least is there, among those that can be asked for. */
  #neediest(nowMs: number): PlayingTrack | undefined {
    return neediestOf(
      this.#tracks.filter((track) => this.#dueAtMs(track) <= nowMs),
      (track) => this.#playout.aheadMs(track.index),
    );
  }

  #fetch(track: PlayingTrack, attempt: Attempt, nowMs: number): PlayerOutput {
    const position = track.position!;
    const choice = position.choices[attempt.index]!;
    const initialization = track.missingInitialization(choice);
    const { index, fallback, reason } = attempt;
    this.#fetchId += 1;
    this.#fetching = { track, index, fallback, reason, initialization };
    return {
      kind: "fetch",
      fetchId: this.#fetchId,
      segmentNumber: position.number,
      location: initialization ?? choice.segment,
      fallback,
      edge: initialization === undefined &&
        this.#lateness?.isRecent(track.index, position, nowMs) === true,
      state: this.#told.state(track, {
        ...{ index, isInitialization: initialization !== undefined },
        ...{ playout: this.#playout, adaptation: this.#adaptation },
      }),
    };
  }

  #take(
    { track, ...attempt }: Fetching,
    input: InputOf<"fetched">,
    nowMs: number,
  ): PlayerOutput[] {
    const position = track.position!;
    const { mediaMs, count } = track;
    const elapsedMs = input.downloadMs * this.#options.speed;
    this.#lateness?.came(track, nowMs - elapsedMs);
    this.#playout.continueAt(track.startMs, track.index);
    const changes = this.#playout.add(mediaMs, nowMs, track.index);
    if (track.index === 0) {
      const bufferMs = this.#playout.aheadMs(0);
      this.#adaptation.took(position, attempt.index, {
        ...{ input, bufferMs, nowMs },
      });
    }
    const stallMs = this.#playout.stalledMs - this.#toldStalledMs;
    this.#toldStalledMs = this.#playout.stalledMs;
    if (stallMs > 0 && input.idleMs !== undefined) this.#latency?.starve();
    track.holes = 0;
    track.pass();
    this.#patience.relieved();
    const record = recordOf(input, {
      ...{ media: track.media, position, attempt, mediaMs, stallMs },
      segmentCount: this.#options.live === undefined ? count : 0,
      bufferMs: this.#playout.aheadMs(track.index),
    });
    return [
      { kind: "downloaded", record },
      ...changes,
      ...this.#proceed(nowMs),
    ];
  }

  /** Bytes of a segment have come: asks whether to wait for the rest. */
  #progress(input: InputOf<"progressed">, nowMs: number): PlayerOutput[] {
    const fetching = this.#fetching;
    if (
      this.#options.abandon !== true || fetching === undefined ||
      input.fetchId !== this.#fetchId || fetching.track.index > 0 ||
      fetching.initialization !== undefined
    ) return [];
    const outputs = this.#advance(nowMs);
    const { track, index } = fetching;
    const bufferMs = this.#playout.aheadMs(0);
    const record = this.#adaptation.abandon(track.position!, index, {
      ...{ input, bufferMs, nowMs },
    });
    if (record === undefined) return outputs;
    const instead = {
      index: record.insteadIndex,
      fallback: false,
      reason: "the rung above came too slowly",
    };
    const { insteadIndex: _, ...told } = record;
    return [
      ...outputs,
      { kind: "abort", fetchId: this.#fetchId },
      { kind: "abandoned", record: told },
      this.#fetch(track, instead, nowMs),
    ];
  }

  #fail(
    { track, ...attempt }: Fetching,
    { url, problem, absent, hopeless = absent }: InputOf<"failed">,
    nowMs: number,
  ): PlayerOutput[] {
    const position = track.position!;
    const segmentNumber = position.number;
    const missed = {
      kind: "missed",
      segmentNumber,
      url,
      problem,
      waitMs: 0,
    } as const;
    const againAtMs = absent && attempt.initialization === undefined
      ? this.#lateness?.missed(track, nowMs)
      : undefined;
    if (againAtMs !== undefined) {
      const waitMs = againAtMs - nowMs;
      return [{ ...missed, next: "again", waitMs }, ...this.#proceed(nowMs)];
    }
    const index = attempt.index - 1;
    if (index >= 0) {
      return [
        { ...missed, next: "lower-rate" },
        this.#fetch(track, { ...attempt, index, fallback: true }, nowMs),
      ];
    }
    if (absent) track.holes += 1;
    const waitMs = hopeless ? undefined : this.#patience.failed(nowMs);
    if (waitMs !== undefined) {
      return [{ ...missed, next: "again", waitMs }, ...this.#proceed(nowMs)];
    }
    if (!absent || track.holes > MAX_HOLES) {
      return [{ kind: "gave-up", segmentNumber, url, problem }];
    }
    // Picture and sound stay together: the hole is played, with what the others have. Alone it is leapt over.
    const changes = this.#tracks.length === 1
      ? []
      : this.#playout.add(track.mediaMs, nowMs, track.index);
    track.pass();
    return [
      { ...missed, next: "skip" },
      ...changes,
      ...this.#proceed(nowMs),
    ];
  }
}
