/**
 * Fetches the next segment of a title before its player asks for it.
 *
 * A player that has asked for two segments in a row, of whatever rate, will most likely ask for the third in the rate of
 * the second. So from the second on each request lets the edge fetch the one after it: at once when the player got its own out of the cache, or after
 * it when the origin's link was needed for that. A player that changes its rate has one segment fetched in vain. In HLS
 * nothing says which segments of two rates are the same stretch: after a change two have to be asked for again.
 * Players that name what they want next (CMCD `nor`) are believed at their first request.
 */
import { messageOf } from "../../../lib/core/errors.ts";
import { RecentMap } from "../../../lib/core/recent_map.ts";
import { isNearestHit } from "../../../lib/http/cache/cache_status.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import type { HttpResponse } from "../../../lib/io/http.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Errands } from "./errands.ts";
import {
  isManifest,
  isPage,
  isPlaylist,
  type Rung,
  type Titles,
} from "./titles.ts";

/** Most fetches ahead at once. */
const MAX_AHEAD = 32;
/** Most clients remembered, and how many expected segments of each: one of a video, one of a sound, and those of a change of title. */
const MAX_CLIENTS = 10_000;
const MAX_EXPECTED = 8;

/** See the head of this file. */
export class Prefetcher {
  readonly #ctx: Pick<RoleContext, "clock" | "emit">;
  readonly #errands: Errands;
  readonly #titles: Titles;
  /** By client, what would be next if it goes on as it did; the latest last. */
  readonly #expected = new RecentMap<string, Set<readonly Rung[]>>(MAX_CLIENTS);
  readonly #ahead = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  /** Creates a prefetcher that knows no player. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit">,
    parts: { readonly errands: Errands; readonly titles: Titles },
  ) {
    this.#ctx = ctx;
    this.#errands = parts.errands;
    this.#titles = parts.titles;
  }

  /** Hears of an answer that begins; returns it, perhaps with an ear for its end. */
  heard(
    answer: HttpResponse,
    request: {
      readonly target: string;
      readonly client: string;
      /** From CMCD. */
      readonly next: string | undefined;
    },
  ): HttpResponse {
    if (answer.status !== 200 && answer.status !== 206) return answer;
    const target = normaliseTarget(request.target);
    if (target === undefined) return answer;
    const isHit = isNearestHit(answer.headers.get("cache-status"));
    const isTitle = (isManifest(target) || isPlaylist(target)) &&
      !isPage(answer.headers);
    if (isTitle && !(isHit && this.#titles.has(target))) {
      this.#start(this.#learn(target));
    }
    const next = this.#nextOf(target, request);
    if (next === undefined) return answer;
    if (isHit) {
      this.#fetch(next);
      return answer;
    }
    return withEnd(answer, () => this.#fetch(next));
  }

  /** Resolves when nothing is under way; what is, ends with the errands' signal. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #nextOf(
    target: string,
    { client, next }: {
      readonly client: string;
      readonly next: string | undefined;
    },
  ): string | undefined {
    if (next !== undefined) return relative(next, target);
    const known = this.#titles.find(target);
    if (known?.next === undefined) return undefined;
    const after = known.next;
    const expected = this.#expected.get(client) ?? new Set();
    const goesOn = expected.has(known.rungs);
    this.#expected.set(client, expected);
    const rungs = this.#titles.find(after)?.rungs;
    if (rungs !== undefined) expected.add(rungs);
    const [oldest] = expected;
    if (expected.size > MAX_EXPECTED && oldest !== undefined) {
      expected.delete(oldest);
    }
    return goesOn ? after : undefined;
  }

  #fetch(target: string): void {
    if (this.#ahead.has(target) || this.#ahead.size >= MAX_AHEAD) return;
    this.#ahead.add(target);
    this.#start(this.#fetchAhead(target));
  }

  async #fetchAhead(target: string): Promise<void> {
    const startedAtMs = this.#ctx.clock.nowMs();
    try {
      const { status, bytes, isHit } = await this.#errands.get(target);
      if (isHit) return;
      this.#ctx.emit({
        type: "segment.prefetched",
        path: target,
        status,
        bytes,
        durationMs: this.#ctx.clock.nowMs() - startedAtMs,
      });
    } catch {
      /* Told by the upstream; its player asks for it itself. */
    } finally {
      this.#ahead.delete(target);
    }
  }

  async #learn(target: string): Promise<void> {
    try {
      const text = await this.#errands.text(target);
      const { segments } = this.#titles.learn(target, text);
      this.#ctx.emit({
        type: "title.learned",
        path: target,
        segments: segments.size,
      });
    } catch (error) {
      this.#ctx.emit({
        type: "title.refused",
        path: target,
        message: messageOf(error),
      });
    }
  }

  #start(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}

/** The target of a URL relative to another; undefined when that leaves this site. */
function relative(next: string, target: string): string | undefined {
  try {
    const url = new URL(next, `http://edge.invalid${target}`);
    return url.host === "edge.invalid"
      ? normaliseTarget(url.pathname + url.search)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The answer, and a word when all of it was taken. */
function withEnd(answer: HttpResponse, ended: () => void): HttpResponse {
  const { body } = answer;
  if (body === null || body instanceof Uint8Array) {
    ended();
    return answer;
  }
  return {
    ...answer,
    body: {
      lengthBytes: body.lengthBytes,
      async next(maxBytes) {
        const piece = await body.next(maxBytes);
        if (piece === null) ended();
        return piece;
      },
      leave: () => body.leave(),
    },
  };
}
