import type { Player, PlayerOutput } from "../../../lib/dash/player.ts";
import type { Position } from "../../../lib/dash/title.ts";

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
      height: 0,
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
  take(player.handle({ kind: "start" }, 0), 0);
  for (;;) {
    const nowMs = Math.min(pending?.atMs ?? Infinity, player.deadlineMs);
    if (nowMs > untilMs) return log;
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
