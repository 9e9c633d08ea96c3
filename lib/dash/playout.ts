/** How a {@linkcode Playout} behaves. */
export interface PlayoutOptions {
  /** Playing starts when this much media is there. */
  readonly startMs: number;
  /** Playing goes on after a stall when this much is there. */
  readonly resumeMs: number;
  /** No segment is requested that would not fit in this. */
  readonly capMs: number;
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
    /** How far the title had been played. */
    readonly positionMs: number;
  }
  | {
    readonly kind: "resumed";
    readonly atMs: number;
    readonly positionMs: number;
    readonly stallMs: number;
  }
  | {
    readonly kind: "ended";
    readonly atMs: number;
    readonly positionMs: number;
  };

/** Waiting for the first segments, playing, waiting again, over. */
export type PlayoutState = "starting" | "playing" | "stalled" | "ended";

/** Less media than this is none: sums of durations are not exact. */
const NOTHING_MS = 1e-6;

/**
 * The playout buffer: segments come in, media time runs out of it at the pace of the clock while it plays.
 *
 * Slide "Streaming video = encoding + DASH + playout buffering". It stalls at the instant the buffer runs dry,
 * not when somebody looks: {@linkcode Playout.deadlineMs} says when to look.
 */
export class Playout {
  readonly #options: PlayoutOptions;
  #state: PlayoutState = "starting";
  #bufferMs = 0;
  #positionMs = 0;
  #nowMs: number;
  readonly #beganAtMs: number;
  #stalledAtMs = 0;
  #stalledMs = 0;
  #stallCount = 0;
  #complete = false;

  /** Creates an empty buffer at `nowMs`. */
  constructor(options: PlayoutOptions, nowMs: number) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#beganAtMs = nowMs;
  }

  /** See {@linkcode PlayoutState}. */
  get state(): PlayoutState {
    return this.#state;
  }

  /** Media ready to play, as of the last call. */
  get bufferMs(): number {
    return this.#bufferMs;
  }

  /** How far the title has been played. */
  get positionMs(): number {
    return this.#positionMs;
  }

  /** Time stalled so far, as of the last call; the start-up is no stall. */
  get stalledMs(): number {
    return this.#stalledMs;
  }

  /** How often it stalled. */
  get stallCount(): number {
    return this.#stallCount;
  }

  /** When the buffer runs dry if nothing comes, `Infinity` while nothing plays. */
  get deadlineMs(): number {
    return this.#state === "playing" ? this.#nowMs + this.#bufferMs : Infinity;
  }

  /**
   * Returns from when on a segment of `mediaMs` may be requested: at once unless it would not fit.
   * While nothing plays nothing leaves the buffer, so then it is always at once.
   */
  roomAtMs(mediaMs: number): number {
    if (this.#state !== "playing") return this.#nowMs;
    const overMs = this.#bufferMs + mediaMs - this.#options.capMs;
    // A segment longer than the whole buffer is requested when the buffer is empty.
    const waitMs = Math.min(this.#bufferMs, Math.max(0, overMs));
    return this.#nowMs + (waitMs > NOTHING_MS ? waitMs : 0);
  }

  /** Lets time pass. */
  advance(nowMs: number): PlayoutChange[] {
    const elapsedMs = nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    if (this.#state === "stalled") this.#stalledMs += elapsedMs;
    if (this.#state !== "playing") return [];
    const playedMs = Math.min(elapsedMs, this.#bufferMs);
    this.#bufferMs -= playedMs;
    this.#positionMs += playedMs;
    if (this.#bufferMs > NOTHING_MS) return [];
    this.#bufferMs = 0;
    const atMs = nowMs - (elapsedMs - playedMs);
    if (this.#complete) return this.#end(atMs);
    this.#state = "stalled";
    this.#stalledAtMs = atMs;
    this.#stalledMs += nowMs - atMs;
    this.#stallCount += 1;
    return [{ kind: "stalled", atMs, positionMs: this.#positionMs }];
  }

  /** Takes in a segment of `mediaMs`. One that comes just as the buffer runs dry is in time. */
  add(mediaMs: number, nowMs: number): PlayoutChange[] {
    const inTime = nowMs <= this.deadlineMs + NOTHING_MS;
    if (inTime) this.#bufferMs += mediaMs;
    const changes = this.advance(nowMs);
    if (!inTime) this.#bufferMs += mediaMs;
    return [...changes, ...this.#play()];
  }

  /** There is no more: what is there is played, however little. */
  complete(nowMs: number): PlayoutChange[] {
    const changes = this.advance(nowMs);
    this.#complete = true;
    if (this.#bufferMs === 0 && this.#state !== "ended") {
      return [...changes, ...this.#end(nowMs)];
    }
    return [...changes, ...this.#play()];
  }

  #play(): PlayoutChange[] {
    const { startMs, resumeMs } = this.#options;
    const enough = (threshold: number) =>
      this.#complete || this.#bufferMs >= threshold - NOTHING_MS;
    const atMs = this.#nowMs;
    if (this.#state === "starting" && enough(startMs)) {
      this.#state = "playing";
      return [{ kind: "started", atMs, startupMs: atMs - this.#beganAtMs }];
    }
    if (this.#state === "stalled" && enough(resumeMs)) {
      this.#state = "playing";
      const stallMs = atMs - this.#stalledAtMs;
      const positionMs = this.#positionMs;
      return [{ kind: "resumed", atMs, positionMs, stallMs }];
    }
    return [];
  }

  #end(atMs: number): PlayoutChange[] {
    this.#state = "ended";
    return [{ kind: "ended", atMs, positionMs: this.#positionMs }];
  }
}
