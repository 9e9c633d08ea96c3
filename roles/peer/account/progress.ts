import type { Metainfo } from "../../../lib/bittorrent/metainfo/metainfo.ts";
import type { Swarm } from "../../../lib/bittorrent/swarm/swarm.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import type { RoleContext } from "../../../lib/role.ts";
import { History } from "./history.ts";

/** Told at most once a second. */
const INTERVAL_MS = 1_000;
/** Rates shown are means over so many seconds. */
const RATE_SECONDS = 3;

/** Tells how a share goes, and remembers how it went. */
export class Progress {
  /** When the swarm was joined. */
  readonly startMs: number;
  /** When everything was there; null before, and for those that had it from the start. */
  completedMs: number | null = null;
  readonly #swarm: Swarm;
  readonly #info: Metainfo;
  readonly #ctx: RoleContext;
  /** How it went so far. */
  readonly history: History = new History();
  #last = "";

  /** Begins now. */
  constructor(swarm: Swarm, info: Metainfo, ctx: RoleContext) {
    this.#swarm = swarm;
    this.#info = info;
    this.#ctx = ctx;
    this.startMs = ctx.clock.nowMs();
    this.#note();
  }

  /** How long we were in the swarm. */
  get runMs(): number {
    return this.#ctx.clock.nowMs() - this.startMs;
  }

  /** How long the download took; null where there was none, or not to its end. */
  get durationMs(): number | null {
    return this.completedMs === null ? null : this.completedMs - this.startMs;
  }

  /** Notes that everything is there. */
  complete(): void {
    this.completedMs = this.#ctx.clock.nowMs();
    this.#tell();
    const durationMs = this.completedMs - this.startMs;
    const bytes = this.#info.totalBytes;
    this.#ctx.emit({
      type: "torrent.completed",
      torrent: this.#info.name,
      bytes,
      durationMs: Math.round(durationMs),
      bytesPerSecond: Math.round(
        this.#swarm.status.downloadedBytes / Math.max(1, durationMs) * 1000,
      ),
    });
  }

  /** Tells once a second what is new, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ctx;
    for (let atMs = this.startMs + INTERVAL_MS;; atMs += INTERVAL_MS) {
      await pauseUntil(atMs, { clock, signal });
      if (signal.aborted) return;
      this.#tell();
    }
  }

  #note(): void {
    const { haveBytes, downloadedBytes, uploadedBytes } = this.#swarm.status;
    const atMs = this.runMs;
    this.history.add({ atMs, haveBytes, downloadedBytes, uploadedBytes });
  }

  #tell(): void {
    this.#note();
    const { havePieces, haveBytes, downloadedBytes, uploadedBytes, peers } =
      this.#swarm.status;
    const rates = this.#swarm.rates(this.#ctx.clock.nowMs(), RATE_SECONDS);
    const missing = this.#info.totalBytes - haveBytes;
    // To the second: what is shown changes each second anyhow.
    const remainingMs = Math.ceil(missing / rates.down) * 1000;
    const event = {
      type: "peer.progressed",
      verifiedBytes: haveBytes,
      totalBytes: this.#info.totalBytes,
      havePieces,
      pieceCount: this.#info.pieceCount,
      downloadedBytes,
      uploadedBytes,
      downloadBytesPerSecond: Math.round(rates.down),
      uploadBytesPerSecond: Math.round(rates.up),
      peers,
      ...(missing > 0 && Number.isFinite(remainingMs) ? { remainingMs } : {}),
    } as const;
    // A seed nobody talks to has nothing to tell.
    const text = JSON.stringify(event);
    if (text === this.#last) return;
    this.#last = text;
    this.#ctx.emit(event);
  }
}
