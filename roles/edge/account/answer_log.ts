import { formatHostPort } from "../../../lib/core/address.ts";
import type { EdgeEvent } from "../../../lib/events/edge.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";
import { PacedLog, type PacedLogContext } from "../../../lib/io/paced_log.ts";
import { OwnRequest } from "../requests/own_request.ts";
import { Retargeted } from "../requests/retargeted.ts";
import type { AccessFile } from "./access_file.ts";
import type { EdgeMetrics } from "./metrics.ts";

/** What is told of an answer beside who asked. */
export type Answered = Omit<
  Extract<EdgeEvent, { readonly type: "edge.answered" }>,
  "type" | "remote"
>;

/** Who else hears of every answer. */
export interface AnswerListeners {
  readonly metrics?: EdgeMetrics | undefined;
  readonly accessFile?: AccessFile | undefined;
}

/** Tells of answers, at most 250 a second one by one: more than a class of players asks for. A hit costs less than its line would. */
export class AnswerLog implements AsyncDisposable {
  readonly #log;
  readonly #listeners: AnswerListeners;

  /** Creates a log that has told nothing yet. */
  constructor(ctx: PacedLogContext, listeners: AnswerListeners = {}) {
    this.#listeners = listeners;
    this.#log = new PacedLog(ctx, {
      singlesPerSecond: 250,
      nothing: () => ({ answers: 0, hits: 0, errors: 0, bytes: 0 }),
      summed: (sum, periodMs) => ({
        type: "edge.summarized",
        periodMs,
        ...sum,
      }),
    });
  }

  /** Tells of one answer, now or in the sum of this second; the listeners hear of each. */
  add(answer: Answered, request: HttpRequest): void {
    // Errands of our own are no traffic.
    if (request instanceof OwnRequest) return;
    const { metrics, accessFile } = this.#listeners;
    metrics?.answered(answer);
    if (accessFile !== undefined) {
      const asked = request instanceof Retargeted ? request.original : request;
      accessFile.add(asked, answer.status, answer.bytes);
    }
    const tell = (): EdgeEvent => ({
      type: "edge.answered",
      remote: formatHostPort(request.remote),
      ...answer,
    });
    this.#log.add(tell, (sum) => {
      sum.answers += 1;
      sum.bytes += answer.bytes;
      if (answer.cacheStatus === "hit") sum.hits += 1;
      if (answer.status >= 400) sum.errors += 1;
    });
  }

  /** Resolves when nothing is left to tell. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#log[Symbol.asyncDispose]();
  }
}
