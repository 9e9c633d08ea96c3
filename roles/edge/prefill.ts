import { InputError, messageOf } from "../../lib/core/errors.ts";
import { normaliseTarget } from "../../lib/http/target.ts";
import type { RoleContext } from "../../lib/role.ts";
import type { Errands } from "./errands.ts";
import type { KnownTitle, Titles } from "./titles.ts";
import type { Upstream } from "./upstream.ts";

/** Objects fetched at once: the origin has its clients to serve. */
const AT_ONCE = 4;
/** A manifest that cannot be had is asked for so often, with so long between: the origin may be starting. */
const ATTEMPTS = 5;
const PAUSE_MS = 1000;
/** Time between two reports. */
const REPORT_MS = 500;

/** The targets of the manifests to prefill from. @throws {InputError} If one is not at an origin. */
export function prefillTargets(
  urls: readonly string[],
  upstream: Upstream,
): readonly string[] {
  return urls.map((url) => {
    const target = upstream.targetOf(url);
    const normal = target === undefined ? undefined : normaliseTarget(target);
    if (normal === undefined) {
      throw new InputError(
        `--prefill must be the URL of a manifest at an --origin, got "${url}"`,
      );
    }
    return normal;
  });
}

/** Fetches all of a title's segments into the cache before anyone asks (the lecture's push of popular titles in the night). */
export class Prefill {
  readonly #ctx: Pick<RoleContext, "clock" | "emit">;
  readonly #errands: Errands;
  readonly #titles: Titles;

  /** Puts the parts together. */
  constructor(
    ctx: Pick<RoleContext, "clock" | "emit">,
    parts: { readonly errands: Errands; readonly titles: Titles },
  ) {
    this.#ctx = ctx;
    this.#errands = parts.errands;
    this.#titles = parts.titles;
  }

  /** Fetches one title after the other; returns when all is done, or the signal aborts. */
  async run(targets: readonly string[], signal: AbortSignal): Promise<void> {
    for (const target of targets) {
      const title = await this.#manifest(target, signal);
      if (title !== undefined) await this.#title(target, title, signal);
    }
  }

  async #manifest(
    target: string,
    signal: AbortSignal,
  ): Promise<KnownTitle | undefined> {
    const { clock, emit } = this.#ctx;
    for (let attempt = 1;; attempt++) {
      try {
        return this.#titles.learn(target, await this.#errands.text(target));
      } catch (error) {
        if (signal.aborted) return undefined;
        if (attempt === ATTEMPTS || error instanceof SyntaxError) {
          emit({
            type: "title.refused",
            path: target,
            message: messageOf(error),
          });
          return undefined;
        }
      }
      await clock.sleepUntil(clock.nowMs() + PAUSE_MS, signal).catch(() => {});
    }
  }

  async #title(
    path: string,
    { targets }: KnownTitle,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, emit } = this.#ctx;
    const startedAtMs = clock.nowMs();
    const objects = targets.length;
    const sum = { done: 0, failed: 0, bytes: 0 };
    let reportAtMs = startedAtMs + REPORT_MS;
    emit({ type: "prefill.started", path, objects });
    const left = [...targets].reverse();
    const work = async () => {
      for (
        let target = left.pop();
        target !== undefined && !signal.aborted;
        target = left.pop()
      ) {
        const got = await this.#errands.get(target).catch(() => undefined);
        sum.done += 1;
        if (got?.status === 200) sum.bytes += got.bytes;
        else sum.failed += 1;
        if (clock.nowMs() < reportAtMs) continue;
        reportAtMs = clock.nowMs() + REPORT_MS;
        emit({ type: "prefill.progressed", path, objects, ...sum });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (signal.aborted) return;
    const durationMs = clock.nowMs() - startedAtMs;
    emit({ type: "prefill.finished", path, objects, ...sum, durationMs });
  }
}
