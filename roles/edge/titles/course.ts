/**
 * The edge in place of the proxy of a course project (`--adapt`): players see one rate, the edge chooses.
 *
 * The manifest a client gets names the lowest rate only. When the client asks for one of its segments, the edge answers
 * with the same stretch in the rate its average throughput to that client allows; it can, since a title whose segments
 * carry their own parameter sets (avc3, as our test card) or share one initialization needs nothing else. What is
 * measured is what the client got, from its request to the last byte: from the cache or from the origin.
 */
import { messageOf, RunError } from "../../../lib/core/errors.ts";
import { RecentMap } from "../../../lib/core/recent_map.ts";
import { keepLowestRung } from "../../../lib/dash/lowest_rung.ts";
import {
  type CourseFormat,
  formatChunk,
} from "../../../lib/http/course_log.ts";
import { Fields } from "../../../lib/http/fields.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import { sourceOf } from "../../../lib/io/body_source.ts";
import type { HttpRequest, HttpResponse } from "../../../lib/io/http.ts";
import {
  averageThroughput,
  chooseRate,
} from "../../../lib/model/course_rate.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Errands } from "./errands.ts";
import {
  isManifest,
  type KnownSegment,
  type Rung,
  type Titles,
} from "./titles.ts";

/** Most clients remembered. */
const MAX_CLIENTS = 10_000;
/** Where the page of UMich's project of 2025 reports what it received. */
const REPORT_PATH = "/on-fragment-received";

interface Client {
  /** Average throughput, bit/s; undefined before the first chunk. */
  throughput: number | undefined;
  /** It reports itself: what we measure does not count. */
  reports: boolean;
}

/** What was chosen for a request. */
export interface Chosen {
  readonly target: string;
  readonly rung: Rung;
  readonly client: string;
  readonly startedAtMs: number;
}

/** See the head of this file. */
export class Course {
  readonly #ctx: Pick<RoleContext, "clock" | "emit">;
  readonly #options: CourseOptions;
  readonly #clients = new RecentMap<string, Client>(MAX_CLIENTS);

  /** Knows no client yet. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit">,
    options: CourseOptions,
  ) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /**
   * Answers what is not for the cache: manifests, which are thinned out, and players' reports. Undefined for all else,
   * also where the origin has no manifest to give: what it says instead is what the player gets.
   */
  answer(request: HttpRequest): Promise<HttpResponse | undefined> | undefined {
    if (request.target === REPORT_PATH && request.method === "POST") {
      return Promise.resolve(this.#report(request));
    }
    const target = normaliseTarget(request.target);
    const reading = request.method === "GET" || request.method === "HEAD";
    return reading && target !== undefined && isManifest(target)
      ? this.#manifest(target)
      : undefined;
  }

  /** Which rate a request for a segment gets; undefined when there is nothing to choose. */
  choose(request: HttpRequest): Chosen | undefined {
    const target = normaliseTarget(request.target);
    if (target === undefined || request.method !== "GET") return undefined;
    // A part of one rate is not the same part of another.
    if (request.headers.get("range") !== null) return undefined;
    const known = this.#options.titles.find(target);
    if (known === undefined || !hasChoice(known)) return undefined;
    const client = clientOf(request);
    const rates = known.rungs.map(({ bitsPerSecond }) => bitsPerSecond);
    const at = chooseRate(rates, this.#of(client).throughput ?? rates[0]!);
    const rung = known.rungs[at]!;
    const startedAtMs = this.#ctx.clock.nowMs();
    return { target: rung.target, rung, client, startedAtMs };
  }

  /** Measures how fast the client takes what was chosen for it. */
  measure(
    answer: HttpResponse,
    chosen: Chosen,
    request: HttpRequest,
  ): HttpResponse {
    const { body } = answer;
    if (body === null || answer.status !== 200) return answer;
    const source = sourceOf(body);
    let bytes = 0;
    const ended = () => this.#ended(chosen, bytes, request.remote.host);
    return {
      ...answer,
      body: {
        lengthBytes: source.lengthBytes,
        async next(maxBytes) {
          const piece = await source.next(maxBytes);
          if (piece === null) ended();
          else bytes += piece.length;
          return piece;
        },
        leave: () => source.leave(),
      },
    };
  }

  async #manifest(target: string): Promise<HttpResponse | undefined> {
    const { errands, titles } = this.#options;
    try {
      const text = await errands.text(target);
      const isNew = !titles.has(target);
      const { segments } = titles.learn(target, text);
      if (isNew && ![...segments.values()].some(hasChoice)) {
        this.#refuse(target, "It has no video of several rates to choose from");
      }
      return manifestAnswer(200, keepLowestRung(text));
    } catch (error) {
      if (error instanceof RunError && error.code === "manifest-refused") {
        return undefined;
      }
      this.#refuse(target, messageOf(error));
      return manifestAnswer(502, "The manifest cannot be had or read\n");
    }
  }

  #refuse(path: string, message: string): void {
    this.#ctx.emit({ type: "title.refused", path, message });
  }

  #report(request: HttpRequest): HttpResponse {
    const number = (name: string) => Number(request.headers.get(name) ?? NaN);
    const bytes = number("x-fragment-size");
    const tookMs = number("x-timestamp-end") - number("x-timestamp-start");
    const measured = bytes * 8000 / tookMs;
    if (!(bytes > 0 && tookMs > 0 && Number.isFinite(measured))) {
      return { status: 400, headers: new Fields(), body: null };
    }
    const client = this.#of(clientOf(request));
    client.reports = true;
    this.#average(client, measured);
    return { status: 200, headers: new Fields(), body: null };
  }

  #ended(chosen: Chosen, bytes: number, browser: string): void {
    const { clock, emit } = this.#ctx;
    const { log, server } = this.#options;
    const tookMs = Math.max(0.001, clock.nowMs() - chosen.startedAtMs);
    const measured = bytes * 8000 / tookMs;
    const client = this.#of(chosen.client);
    client.throughput ??= chosen.rung.bitsPerSecond;
    if (!client.reports) this.#average(client, measured);
    const average = client.throughput;
    emit({
      type: "rate.adapted",
      client: chosen.client,
      path: chosen.target,
      bitsPerSecond: chosen.rung.bitsPerSecond,
      throughputBitsPerSecond: measured,
      averageBitsPerSecond: average,
      durationMs: tookMs,
    });
    log?.write(`${
      formatChunk(log.format, {
        wallSeconds: clock.wallMs() / 1000,
        browser,
        server,
        chunk: chosen.target,
        durationSeconds: tookMs / 1000,
        throughputKbps: measured / 1000,
        averageKbps: average / 1000,
        bitrateKbps: chosen.rung.bitsPerSecond / 1000,
      })
    }\n`);
  }

  #average(client: Client, measured: number): void {
    const before = client.throughput ?? measured;
    client.throughput = averageThroughput(this.#options.alpha, {
      measured,
      before,
    });
  }

  #of(id: string): Client {
    const client = this.#clients.get(id) ??
      { throughput: undefined, reports: false };
    this.#clients.set(id, client);
    return client;
  }
}

/** What {@linkcode Course} needs. */
export interface CourseOptions {
  /** Weight of the newest chunk, 0 to 1. */
  readonly alpha: number;
  readonly errands: Errands;
  readonly titles: Titles;
  /** The web server's address in the log. */
  readonly server: string;
  readonly log?:
    | { readonly format: CourseFormat; write(text: string): void }
    | undefined;
}

/** Whether there is anything to choose: of sounds, clients choose themselves. */
function hasChoice({ rungs, contentType }: KnownSegment): boolean {
  return rungs.length > 1 && (contentType === "video" || contentType === "");
}

/** One browser: it says so itself with several connections or behind one address, or it is its address. */
function clientOf({ headers, remote }: HttpRequest): string {
  return headers.get("x-489-uuid")?.slice(0, 64) ?? remote.host;
}

function manifestAnswer(status: number, text: string): HttpResponse {
  return {
    status,
    headers: new Fields([
      [
        "content-type",
        status === 200 ? "application/dash+xml" : "text/plain; charset=utf-8",
      ],
      // The full one must not be taken for it, nor it for the full one.
      ["cache-control", "no-store"],
      ["access-control-allow-origin", "*"],
    ]),
    body: new TextEncoder().encode(text),
  };
}
