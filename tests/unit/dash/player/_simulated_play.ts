import type { Player } from "../../../../lib/dash/player/player.ts";
import type { PlayerOutput } from "../../../../lib/dash/player/messages.ts";
import type { Position } from "../../../../lib/dash/title.ts";

/** A link: bits per second as a function of time, constant within each `stepMs`. */
export interface Link {
  readonly stepMs: number;
  bitsPerSecondAt(atMs: number): number;
  /** From a request to the first byte. */
  readonly delayMs?: number;
}

/** Returns when `bits` have arrived that start to flow at `atMs`. */
function arrivalAtMs(link: Link, bits: number, atMs: number): number {
  let leftBits = bits;
  let nowMs = atMs;
  for (;;) {
    const untilMs = (Math.floor(nowMs / link.stepMs) + 1) * link.stepMs;
    const rate = link.bitsPerSecondAt(nowMs) / 1000;
    if (leftBits <= rate * (untilMs - nowMs)) return nowMs + leftBits / rate;
    leftBits -= rate * (untilMs - nowMs);
    nowMs = untilMs;
  }
}

/** Returns a title of `count` segments of `mediaMs` in `rates`, at `http://a/RATE/NUMBER`, each exactly its rate in size. */
export function testTitle(
  count: number,
  mediaMs: number,
  rates: readonly number[],
  { hosts = ["a"], initialization = false } = {},
): readonly Position[] {
  const location = (path: string) => ({
    urls: hosts.map((host) => `http://${host}/${path}`),
    range: undefined,
  });
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    startMs: at * mediaMs,
    durationMs: mediaMs,
    contentType: "video",
    choices: rates.map((rate) => ({
      representationId: String(rate),
      bitsPerSecond: rate,
      ...{ width: 0, height: 0, framesPerSecond: 0, codecs: "" },
      initialization: initialization ? location(`${rate}/init`) : undefined,
      segment: {
        ...location(`${rate}/${at + 1}`),
        number: at + 1,
        startMs: at * mediaMs,
        durationMs: mediaMs,
      },
    })),
  }));
}

/** Runs a player against a link in virtual time; returns every output with its time, fetches included. */
export function simulatePlay(
  player: Player,
  { link, sizeOf, statusOf = () => 200, untilMs = 1e7 }: {
    readonly link: Link;
    /** Bytes of the resource at a URL. */
    sizeOf(url: string): number;
    /** HTTP status of the resource; 0 is no answer. */
    statusOf?(url: string, atMs: number): number;
    readonly untilMs?: number;
  },
): readonly { readonly atMs: number; readonly output: PlayerOutput }[] {
  const log: { atMs: number; output: PlayerOutput }[] = [];
  let pending:
    | { atMs: number; startedAtMs: number; fetchId: number; url: string }
    | undefined;
  const take = (outputs: readonly PlayerOutput[], nowMs: number) => {
    for (const output of outputs) {
      log.push({ atMs: nowMs, output });
      if (output.kind === "abort") pending = undefined;
      if (output.kind !== "fetch") continue;
      const firstByteAtMs = nowMs + (link.delayMs ?? 0);
      const url = output.location.urls[0]!;
      const ok = statusOf(url, nowMs) === 200;
      const bits = ok ? sizeOf(url) * 8 : 0;
      pending = {
        fetchId: output.fetchId,
        url,
        startedAtMs: nowMs,
        atMs: bits === 0
          ? firstByteAtMs
          : arrivalAtMs(link, bits, firstByteAtMs),
      };
    }
  };
  /** Tells how far the bytes are, every 100 ms, to a player that wants to know. */
  const progressAtMs = (afterMs: number) =>
    pending === undefined || !player.abandons
      ? Infinity
      : Math.floor(afterMs / 100) * 100 + 100;
  const progress = (nowMs: number) => {
    const { fetchId, url, startedAtMs } = pending!;
    const ttfbMs = link.delayMs ?? 0;
    const elapsedMs = nowMs - startedAtMs;
    const totalBytes = sizeOf(url);
    // On a steady link only.
    const share = (elapsedMs - ttfbMs) / (pending!.atMs - startedAtMs - ttfbMs);
    const bytes = Math.floor(totalBytes * Math.max(0, share));
    return player.handle({
      ...{ kind: "progressed", fetchId, bytes, totalBytes, ttfbMs, elapsedMs },
    }, nowMs);
  };
  take(player.handle({ kind: "start" }, 0), 0);
  let lastMs = 0;
  for (;;) {
    const askAtMs = progressAtMs(lastMs);
    const nowMs = Math.min(
      pending?.atMs ?? Infinity,
      player.deadlineMs,
      askAtMs,
    );
    lastMs = nowMs;
    if (nowMs > untilMs) return log;
    if (nowMs === askAtMs && nowMs < pending!.atMs) {
      take(progress(nowMs), nowMs);
      if (nowMs < player.deadlineMs) continue;
    }
    if (pending === undefined || player.deadlineMs < pending.atMs) {
      take(player.handle({ kind: "timeout" }, nowMs), nowMs);
      continue;
    }
    const { fetchId, url, startedAtMs } = pending;
    const status = statusOf(url, startedAtMs);
    pending = undefined;
    take(
      player.handle(
        status === 200
          ? {
            kind: "fetched",
            fetchId,
            bytes: sizeOf(url),
            ttfbMs: link.delayMs ?? 0,
            downloadMs: nowMs - startedAtMs,
            server: "simulated",
            cacheStatus: "",
            ageSeconds: 0,
          }
          : {
            kind: "failed",
            fetchId,
            url,
            absent: status === 404,
            problem: `status ${status}`,
          },
        nowMs,
      ),
      nowMs,
    );
  }
}
