/**
 * The "intelligence at the client" of the slide: when to request a segment, at which rate, from which URL.
 *
 * One request at a time, for the medium of which least is there: so picture and sound do not take the link from each
 * other, and what is measured is the link. (One of each, where segments come in chunks while they are made: then it is
 * not the link that takes the time, and what has come of one is played.) For each segment: wait until it fits in the buffer, ask the rule (for the
 * picture; sound takes what it may), fetch the initialization segment of that rung if it has not been fetched, fetch the
 * segment, add it to the playout buffer. One that is not to be had is fetched in a lower rung, and when servers fail in
 * all of them, again after a while (`Patience`); which place to ask, and how often, is the driver's (`Attempts`). Playing goes on meanwhile; every input first lets the buffer run to that instant.
 *
 * The clock of the machine is the player's: with `speed` 4 it is fed four times the time that passes, and divides
 * measured throughput by four, since a title played four times as fast needs four times the rate.
 */
import type { Machine } from "../../core/machine.ts";
import type { Track } from "../title.ts";
import { Adaptation } from "./adaptation.ts";
import { LatencyKeeper } from "./latency.ts";
import { Lateness } from "./lateness.ts";
import type { InputOf, PlayerInput, PlayerOutput, Seek } from "./messages.ts";
import type { PlayerOptions } from "./player_options.ts";
import {
  type Attempt,
  type Fetching,
  LAST_RESORT,
  Requests,
} from "./attempt.ts";
import { recordOf } from "./record.ts";
import { Patience } from "./patience.ts";
import { PlayingTrack, tracksToAsk } from "./track.ts";
import { Playout, type PlayoutChange, type PlayoutFacts } from "./playout.ts";
import { RequestStates } from "./request_states.ts";

type Input = PlayerInput | { readonly kind: "timeout" };

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
  readonly #inChunks: boolean;
  #playout: Playout;
  readonly #requests = new Requests();
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
    this.#inChunks = options.live?.chunkMs !== undefined;
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
      case "arrived": {
        const track = this.#requests.get(input.fetchId)?.track;
        return track ? this.#add(track, input.mediaMs, nowMs) : [];
      }
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
    const nothing = this.#requests.none &&
      this.#tracks.every((track) => this.#dueAtMs(track) > nowMs);
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
      outputs.push(...this.#requests.abort());
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

  #answer(input: InputOf<"fetched" | "failed">, nowMs: number): PlayerOutput[] {
    const fetching = this.#requests.end(input.fetchId);
    if (fetching === undefined) return [];
    const { track, initialization } = fetching;
    // A segment that comes just as the buffer runs dry comes in time: it is taken before the buffer is looked at.
    if (input.kind === "fetched" && initialization === undefined) {
      return this.#take(fetching, input, nowMs);
    }
    const outputs = this.#advance(nowMs);
    if (input.kind === "failed") {
      return [...outputs, ...this.#fail(fetching, input, nowMs)];
    }
    track.initialized(initialization!, input.times);
    return [...outputs, this.#fetch(track, fetching, nowMs)];
  }

  /** Makes the next request, or says when to ask again. */
  #proceed(nowMs: number): PlayerOutput[] {
    if (
      this.#playout.state === "ended" ||
      !this.#inChunks && !this.#requests.none
    ) return [];
    const outputs: PlayerOutput[] = this.#tracks.flatMap((track) =>
      track.finish(this.#playout, nowMs)
    );
    const free = this.#tracks.filter((each) => !this.#requests.has(each));
    const { asked, againAtMs } = tracksToAsk(free, nowMs, {
      isEach: this.#inChunks,
      dueAtMs: (track) => this.#dueAtMs(track),
      aheadMs: ({ index }) => this.#playout.aheadMs(index),
    });
    this.#wakeAtMs = againAtMs;
    for (const track of asked) {
      const next = this.#next(track, nowMs);
      if (typeof next === "number") {
        this.#wakeAtMs = Math.min(this.#wakeAtMs, next);
      } else outputs.push(this.#fetch(track, next, nowMs));
    }
    return outputs;
  }

  /** What to fetch of a track; a number is when to ask again. */
  #next(track: PlayingTrack, nowMs: number): Attempt | number {
    const { retryAtMs } = this.#patience;
    if (retryAtMs !== undefined) {
      return nowMs >= retryAtMs ? LAST_RESORT : retryAtMs;
    }
    const roomAtMs = this.#playout.roomAtMs(track.mediaMs, track.index);
    const next = track.index === 0
      ? this.#adaptation.choose(track, this.#playout, { roomAtMs, nowMs })
      : roomAtMs > nowMs
      ? roomAtMs
      : this.#adaptation.chooseSound(track.position!.choices);
    return typeof next === "number" ? next : { ...next, fallback: false };
  }

  /** When a track's next segment can be asked for; Infinity when there is none. */
  #dueAtMs({ index, position }: PlayingTrack): number {
    if (position === undefined) return Infinity;
    return this.#lateness?.dueAtMs(index, position) ?? -Infinity;
  }

  #fetch(track: PlayingTrack, attempt: Attempt, nowMs: number): PlayerOutput {
    const position = track.position!;
    const choice = position.choices[attempt.index]!;
    const initialization = track.missingInitialization(choice);
    const { index, fallback, reason } = attempt;
    const fetching = { track, index, fallback, reason, initialization };
    return {
      kind: "fetch",
      fetchId: this.#requests.begin(fetching),
      segmentNumber: position.number,
      location: initialization ?? choice.segment,
      fallback,
      read: this.#inChunks ? track.toRead(choice) : undefined,
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
    const changes = this.#add(track, Infinity, nowMs);
    if (track.index === 0) {
      const bufferMs = this.#playout.aheadMs(0);
      this.#adaptation.took(position, attempt.index, {
        ...{ input, bufferMs, nowMs },
      });
    }
    const stallMs = this.#playout.stalledMs - this.#toldStalledMs;
    this.#toldStalledMs = this.#playout.stalledMs;
    if (stallMs > 0) this.#latency?.cameLate(input, mediaMs);
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

  /** The next segment of a track, up to a place in it, can be played. */
  #add(track: PlayingTrack, upToMs: number, nowMs: number): PlayoutChange[] {
    this.#playout.continueAt(track.startMs + track.arrivedMs, track.index);
    return [
      ...this.#playout.add(track.arrive(upToMs), nowMs, track.index),
      ...track.finish(this.#playout, nowMs),
    ];
  }

  /** Bytes of a segment have come: asks whether to wait for the rest. */
  #progress(input: InputOf<"progressed">, nowMs: number): PlayerOutput[] {
    const { fetchId } = input;
    const fetching = this.#requests.get(fetchId);
    if (
      this.#options.abandon !== true || fetching === undefined ||
      fetching.track.index > 0 ||
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
    this.#requests.end(fetchId);
    return [
      ...outputs,
      { kind: "abort", fetchId },
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
      : this.#add(track, Infinity, nowMs);
    track.pass();
    return [
      { ...missed, next: "skip" },
      ...changes,
      ...this.#proceed(nowMs),
    ];
  }
}
