/** How a {@linkcode Playout} behaves. */
export interface PlayoutOptions {
  /** Playing starts when this much media is there. */
  readonly startMs: number;
  /** Playing goes on after a stall when this much is there. */
  readonly resumeMs: number;
  /** No segment is requested that would not fit in this. */
  readonly capMs: number;
  /** Media that play together, each with a buffer of its own; 1 unless said otherwise. */
  readonly trackCount?: number | undefined;
  /** Where in the presentation playing begins; 0 unless said otherwise. */
  readonly fromMs?: number | undefined;
}

/** What happened to the picture, and exactly when. */
export type PlayoutChange =
  | {
    readonly kind: "started";
    readonly atMs: number;
    /** From the first input to the first picture. */
    readonly startupMs: number;
  }
  | {
    readonly kind: "stalled";
    readonly atMs: number;
    /** Where in the presentation. */
    readonly positionMs: number;
  }
  | {
    readonly kind: "resumed";
    readonly atMs: number;
    readonly positionMs: number;
    readonly stallMs: number;
  }
  | {
    readonly kind: "seeked";
    readonly atMs: number;
    readonly fromMs: number;
    readonly toMs: number;
    /** From the wish to the picture; 0 when it was in the buffer. No stall. */
    readonly seekMs: number;
  }
  | {
    readonly kind: "ended";
    readonly atMs: number;
    readonly positionMs: number;
  };

/** Waiting for the first segments, playing, waiting again, waiting after a seek, over. */
export type PlayoutState =
  | "starting"
  | "playing"
  | "stalled"
  | "seeking"
  | "ended";

/** Media that was there and that a seek passed over: it was never played. */
export interface Skip {
  /** Media played before it. */
  readonly playedMs: number;
  readonly mediaMs: number;
}

/** What a summary of a play is made of. */
export type PlayoutFacts =
  | "bufferMs"
  | "playedMs"
  | "positionMs"
  | "skips"
  | "stalledMs"
  | "stallCount"
  | "state";

/** Less media than this is none: sums of durations are not exact. */
const NOTHING_MS = 1e-6;
/** A manifest's times may be rounded: a segment that begins so little late goes on where the one before ends. */
const LEAST_GAP_MS = 1;

/** The presentation has nothing for so long from a place on: it goes on behind it at once. */
interface Gap {
  readonly atMs: number;
  readonly lengthMs: number;
}

interface Seek {
  readonly askedAtMs: number;
  readonly fromMs: number;
}

/**
 * The playout buffer: segments come in, media time runs out of it at the pace of the clock while it plays.
 *
 * Slide "Streaming video = encoding + DASH + playout buffering". It stalls at the instant the buffer runs dry,
 * not when somebody looks: {@linkcode Playout.deadlineMs} says when to look.
 *
 * Picture and sound have a buffer each, and what can be played is what all of them have; a track that is complete
 * holds the others up no more.
 */
export class Playout {
  readonly #options: PlayoutOptions;
  readonly #beganAtMs: number;
  /** Of each track: media from the position on. */
  readonly #aheadMs: number[];
  readonly #complete: boolean[];
  #state: PlayoutState = "starting";
  #positionMs: number;
  /** Ahead of the position, in order. */
  #gaps: Gap[] = [];
  #playedMs = 0;
  #rate = 1;
  #nowMs: number;
  #stalledAtMs = 0;
  #stalledMs = 0;
  #stallCount = 0;
  #seek: Seek | undefined;
  readonly #skips: Skip[] = [];

  /** Creates an empty buffer at `nowMs`. */
  constructor(options: PlayoutOptions, nowMs: number) {
    const { trackCount = 1, fromMs = 0 } = options;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#beganAtMs = nowMs;
    this.#aheadMs = Array(trackCount).fill(0);
    this.#complete = Array(trackCount).fill(false);
    this.#positionMs = fromMs;
  }

  /** See {@linkcode PlayoutState}. */
  get state(): PlayoutState {
    return this.#state;
  }

  /** Media ready to play in all tracks, as of the last call. */
  get bufferMs(): number {
    const left = this.#aheadMs.filter((_, track) => !this.#complete[track]);
    return left.length > 0 ? Math.min(...left) : Math.max(...this.#aheadMs);
  }

  /** Media of one track ready to play, as of the last call. */
  aheadMs(track: number): number {
    return this.#aheadMs[track]!;
  }

  /** Where in the presentation it is. */
  get positionMs(): number {
    return this.#positionMs;
  }

  /** How much was played, to the microsecond (it is a sum of many parts): what a seek leaps over does not count. */
  get playedMs(): number {
    return Math.round(this.#playedMs * 1000) / 1000;
  }

  /** Of the first track, in order. */
  get skips(): readonly Skip[] {
    return this.#skips;
  }

  /** Time stalled so far, as of the last call; neither start-up nor seeks are stalls. */
  get stalledMs(): number {
    return this.#stalledMs;
  }

  /** How often it stalled. */
  get stallCount(): number {
    return this.#stallCount;
  }

  /** Whether nothing comes any more in any track. */
  get complete(): boolean {
    return this.#complete.every((done) => done);
  }

  /** How fast it plays: 1 is the pace of the clock. */
  get rate(): number {
    return this.#rate;
  }

  /** When the buffer runs dry if nothing comes, `Infinity` while nothing plays. */
  get deadlineMs(): number {
    return this.#playedAtMs(this.bufferMs);
  }

  /** When it will be at a place in the presentation if it plays on; `Infinity` while nothing plays. */
  reachedAtMs(positionMs: number): number {
    return this.#playedAtMs(this.#mediaTo(positionMs));
  }

  /**
   * Returns from when on a segment of `mediaMs` may be requested: at once unless it would not fit.
   * While nothing plays nothing leaves the buffer, so then it is always at once.
   */
  roomAtMs(mediaMs: number, track = 0): number {
    if (this.#state !== "playing") return this.#nowMs;
    const aheadMs = this.#aheadMs[track]!;
    const overMs = aheadMs + mediaMs - this.#options.capMs;
    // A segment longer than the whole buffer is requested when the buffer is empty.
    const waitMs = Math.min(aheadMs, Math.max(0, overMs)) / this.#rate;
    return this.#nowMs + (waitMs > NOTHING_MS ? waitMs : 0);
  }

  /** Lets time pass. */
  advance(nowMs: number): PlayoutChange[] {
    const elapsedMs = nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    if (this.#state === "stalled") this.#stalledMs += elapsedMs;
    if (this.#state !== "playing") return [];
    const bufferMs = this.bufferMs;
    const playedMs = Math.min(elapsedMs * this.#rate, bufferMs);
    this.#move(playedMs);
    this.#playedMs += playedMs;
    if (bufferMs - playedMs > NOTHING_MS) return [];
    const atMs = nowMs - (elapsedMs - playedMs / this.#rate);
    if (this.complete) return this.#end(atMs);
    this.#state = "stalled";
    this.#stalledAtMs = atMs;
    this.#stalledMs += nowMs - atMs;
    this.#stallCount += 1;
    return [{ kind: "stalled", atMs, positionMs: this.#positionMs }];
  }

  /**
   * What is added next begins at `startMs` of the presentation: when it has played all before, it goes on there. The
   * first track counts, and places go forward only.
   */
  continueAt(startMs: number, track: number): void {
    const endMs = this.#gaps.reduce(
      (ms, { lengthMs }) => ms + lengthMs,
      this.#positionMs + this.#aheadMs[0]!,
    );
    const lengthMs = startMs - endMs;
    if (track > 0 || lengthMs < LEAST_GAP_MS) return;
    this.#gaps.push({ atMs: endMs, lengthMs });
  }

  /** Takes in a segment of `mediaMs`. One that comes just as the buffer runs dry is in time. */
  add(mediaMs: number, nowMs: number, track = 0): PlayoutChange[] {
    const dryAtMs = this.#playedAtMs(this.#aheadMs[track]!);
    const inTime = nowMs <= dryAtMs + NOTHING_MS;
    if (inTime) this.#aheadMs[track]! += mediaMs;
    const changes = this.advance(nowMs);
    if (!inTime) this.#aheadMs[track]! += mediaMs;
    return [...changes, ...this.#play()];
  }

  /** There is no more of a track: what is there is played, however little. */
  finish(nowMs: number, track = 0): PlayoutChange[] {
    const changes = this.advance(nowMs);
    this.#complete[track] = true;
    const all = this.complete;
    if (all && this.bufferMs === 0 && this.#state !== "ended") {
      return [...changes, ...this.#end(nowMs)];
    }
    return [...changes, ...this.#play()];
  }

  /** Plays faster or slower from now on, to change how far behind a live edge it is. */
  setRate(rate: number, nowMs: number): PlayoutChange[] {
    const changes = this.advance(nowMs);
    this.#rate = rate;
    return changes;
  }

  /** Whether all tracks have the media at a place. */
  has(positionMs: number): boolean {
    const offMs = this.#mediaTo(positionMs);
    return offMs >= 0 && offMs < this.bufferMs - NOTHING_MS;
  }

  /** Goes to another place: at once if the buffer {@linkcode Playout.has} it, or else the buffer is dropped. Not when all is over. */
  seek(toMs: number, nowMs: number): PlayoutChange[] {
    const changes = this.advance(nowMs);
    if (this.#state === "ended") return changes;
    const fromMs = this.#positionMs;
    if (this.#state === "playing" && this.has(toMs)) {
      const mediaMs = this.#mediaTo(toMs);
      this.#skips.push({ playedMs: this.playedMs, mediaMs });
      this.#move(mediaMs);
      return [
        ...changes,
        { kind: "seeked", atMs: nowMs, fromMs, toMs, seekMs: 0 },
      ];
    }
    if (this.#state === "stalled") {
      changes.push(this.#resumed());
    }
    const mediaMs = this.#aheadMs[0]!;
    this.#skips.push({ playedMs: this.playedMs, mediaMs });
    this.#aheadMs.fill(0);
    this.#complete.fill(false);
    this.#gaps = [];
    this.#positionMs = toMs;
    // Who seeks before the first picture has not waited for one twice.
    if (this.#state !== "starting") {
      this.#seek ??= { askedAtMs: nowMs, fromMs };
      this.#state = "seeking";
    }
    return changes;
  }

  /** How much media is to be played to get to a place. */
  #mediaTo(positionMs: number): number {
    return this.#gaps.reduce(
      (ms, { atMs, lengthMs }) =>
        ms - Math.min(lengthMs, Math.max(0, positionMs - atMs)),
      positionMs - this.#positionMs,
    );
  }

  /** When so much media will have been played if it plays on. */
  #playedAtMs(mediaMs: number): number {
    if (this.#state !== "playing") return Infinity;
    return this.#nowMs + mediaMs / this.#rate;
  }

  #move(mediaMs: number): void {
    this.#positionMs += mediaMs;
    while (this.#positionMs >= (this.#gaps[0]?.atMs ?? Infinity) - NOTHING_MS) {
      this.#positionMs += this.#gaps.shift()!.lengthMs;
    }
    for (const [track, aheadMs] of this.#aheadMs.entries()) {
      const leftMs = aheadMs - mediaMs;
      this.#aheadMs[track] = leftMs > NOTHING_MS ? leftMs : 0;
    }
  }

  #resumed(): PlayoutChange {
    return {
      kind: "resumed",
      atMs: this.#nowMs,
      positionMs: this.#positionMs,
      stallMs: this.#nowMs - this.#stalledAtMs,
    };
  }

  #play(): PlayoutChange[] {
    const { startMs, resumeMs } = this.#options;
    const all = this.complete;
    const enough = (thresholdMs: number) =>
      all || this.bufferMs > NOTHING_MS &&
        this.bufferMs >= thresholdMs - NOTHING_MS;
    const atMs = this.#nowMs;
    if (this.#state === "starting" && enough(startMs)) {
      this.#state = "playing";
      return [{ kind: "started", atMs, startupMs: atMs - this.#beganAtMs }];
    }
    if (this.#state === "stalled" && enough(resumeMs)) {
      this.#state = "playing";
      return [this.#resumed()];
    }
    if (this.#state === "seeking" && enough(startMs)) {
      this.#state = "playing";
      const { askedAtMs, fromMs } = this.#seek!;
      this.#seek = undefined;
      const toMs = this.#positionMs;
      return [{ kind: "seeked", atMs, fromMs, toMs, seekMs: atMs - askedAtMs }];
    }
    return [];
  }

  #end(atMs: number): PlayoutChange[] {
    this.#state = "ended";
    return [{ kind: "ended", atMs, positionMs: this.#positionMs }];
  }
}
