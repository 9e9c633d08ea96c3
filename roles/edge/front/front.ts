import { isNearestHit } from "../../../lib/http/cache/cache_status.ts";
import { Fields, splitList } from "../../../lib/http/fields.ts";
import type { Clock } from "../../../lib/io/clock.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import type { AnswerLog } from "../account/answer_log.ts";
import type { Course } from "../titles/course.ts";
import type { Edge } from "../answer/edge.ts";
import type { Prefetcher } from "../titles/prefetch.ts";
import { type Heard, heardIn, type Players } from "../account/players.ts";
import { Retargeted } from "../requests/retargeted.ts";
import type { Limits } from "./limits.ts";
import type { Purger } from "./purge.ts";

/** What pages from elsewhere may read of our answers, where they may read them at all. */
const EXPOSED = ["Age", "Cache-Status", "CMSD-Dynamic", "Server-Timing"];

/** What stands before the cache. */
export interface FrontParts {
  readonly edge: Edge;
  readonly purger: Pick<Purger, "answer">;
  readonly players: Pick<Players, "note">;
  readonly limits: Limits;
  /** Where answers are told that are none of the cache's. */
  readonly log: AnswerLog;
  /** With `--adapt`. */
  readonly course: Course | undefined;
  /** With `--prefetch`. */
  readonly prefetcher: Prefetcher | undefined;
  readonly clock: Clock;
  /** Our name in `CMSD-Dynamic`. */
  readonly pseudonym: string;
  /** Every answer has `Server-Timing`, not only those to players that say how they do. */
  readonly serverTiming: boolean;
}

/** Takes requests before the cache does, for what makes a cache a node of a CDN; a plain hit passes through unchanged. */
export class Front {
  readonly #parts: FrontParts;

  /** Puts the parts together. */
  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  /** Answers one request. */
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { purger, players, limits, clock, course } = this.#parts;
    if (request.method === "PURGE") {
      return this.#purge(request, purger);
    }
    const heard = heardIn(request);
    if (heard !== undefined) players.note(request.remote.host, heard.cmcd);
    const told = heard === undefined || heard.target === request.target
      ? request
      : new Retargeted(request, heard.target);
    const own = course?.answer(told);
    if (own !== undefined) {
      const fromMs = clock.nowMs();
      return own.then((answer) =>
        answer === undefined
          ? this.#through(request, { told, heard })
          : limits.apply(request, this.#told(request, answer, fromMs))
      );
    }
    return this.#through(request, { told, heard });
  }

  /** Has the cache answer `told`, which is `request` as the cache is to see it. */
  #through(
    request: HttpRequest,
    { told, heard }: {
      readonly told: HttpRequest;
      readonly heard: Heard | undefined;
    },
  ): HttpResponse | Promise<HttpResponse> {
    const { edge, limits, clock, serverTiming, prefetcher, course } =
      this.#parts;
    const chosen = course?.choose(told);
    const asked = chosen === undefined || chosen.target === told.target
      ? told
      : new Retargeted(told, chosen.target);
    const isTimed = heard !== undefined || serverTiming;
    const startedAtMs = isTimed ? clock.nowMs() : 0;
    const finish = (answer: HttpResponse) => {
      const signed = isTimed
        ? this.#signed(answer, {
          tookMs: clock.nowMs() - startedAtMs,
          toPlayer: heard !== undefined,
        })
        : answer;
      const passed = limits.apply(request, signed);
      const limited = course === undefined || chosen === undefined
        ? passed
        : course.measure(passed, chosen, request);
      return prefetcher === undefined || request.method !== "GET"
        ? limited
        : prefetcher.heard(limited, {
          target: asked.target,
          client: request.remote.host,
          next: heard?.cmcd.next,
        });
    };
    const answer = edge.handle(asked);
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  }

  async #purge(
    request: HttpRequest,
    purger: FrontParts["purger"],
  ): Promise<HttpResponse> {
    const fromMs = this.#parts.clock.nowMs();
    return this.#told(request, await purger.answer(request), fromMs);
  }

  #told(
    request: HttpRequest,
    answer: HttpResponse,
    fromMs: number,
  ): HttpResponse {
    return tellOwn(this.#parts, request, { answer, fromMs });
  }

  /** Adds `Server-Timing` (W3C) and, for a player, `CMSD-Dynamic` (CTA-5006). */
  #signed(
    answer: HttpResponse,
    { tookMs, toPlayer }: {
      readonly tookMs: number;
      readonly toPlayer: boolean;
    },
  ): HttpResponse {
    const headers = new Fields(answer.headers);
    const { pseudonym, limits } = this.#parts;
    const isHit = isNearestHit(headers.get("cache-status"));
    const duration = Math.max(0, Math.round(tookMs * 10) / 10);
    headers.append(
      "server-timing",
      `edge;desc=${isHit ? "hit" : "miss"};dur=${duration}`,
    );
    if (toPlayer) {
      const limit = limits.clientBytesPerSecond;
      // Of the link we know only what we make of it; kbit/s.
      const throughput = limit === Infinity
        ? ""
        : `;etp=${Math.round(limit * 8 / 1000)}`;
      headers.append(
        "cmsd-dynamic",
        `"${pseudonym}"${throughput};rd=${Math.round(tookMs)}`,
      );
    }
    expose(headers);
    return { ...answer, headers };
  }
}

/** Tells of an answer that is none of the cache's: what the client will get of it. Returns it. */
export function tellOwn(
  { log, clock }: Pick<FrontParts, "log" | "clock">,
  request: HttpRequest,
  { answer, fromMs }: {
    readonly answer: HttpResponse;
    readonly fromMs: number;
  },
): HttpResponse {
  const { body, status } = answer;
  const isSent = body instanceof Uint8Array && request.method !== "HEAD";
  log.add({
    method: request.method,
    path: request.target,
    status,
    cacheStatus: status < 400 ? "own" : "error",
    bytes: isSent ? body.length : 0,
    durationMs: clock.nowMs() - fromMs,
    complete: true,
  }, request);
  return answer;
}

/** Lets pages from elsewhere read what we added, where the origin lets them read the answer (Fetch, CORS). */
function expose(headers: Fields): void {
  if (!headers.has("access-control-allow-origin")) return;
  const before = headers.get("access-control-expose-headers") ?? "";
  const known = splitList(before.toLowerCase());
  if (known.includes("*")) return;
  const added = EXPOSED.filter((name) => !known.includes(name.toLowerCase()));
  if (added.length === 0) return;
  headers.set(
    "access-control-expose-headers",
    [...(before === "" ? [] : [before]), ...added].join(", "),
  );
}
