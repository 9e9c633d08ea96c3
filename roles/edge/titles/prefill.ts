import { InputError, messageOf } from "../../../lib/core/errors.ts";
import { normaliseTarget } from "../../../lib/http/target.ts";
import { pauseUntil } from "../../../lib/io/pause.ts";
import { readPlaylistUris } from "../../../lib/media/manifests/hls_reader.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Upstream } from "../origin/upstream.ts";
import type { Errands } from "./errands.ts";
import { isPlaylist, type Titles } from "./titles.ts";

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
        `--prefill must be the URL of a manifest (.mpd, .m3u8) at an --origin, got "${url}"`,
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
      const targets = await this.#manifest(target, signal);
      if (targets !== undefined) await this.#title(target, targets, signal);
    }
  }

  /** What the manifest names; undefined when it cannot be had or read. */
  async #manifest(
    target: string,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const { clock, emit } = this.#ctx;
    for (let attempt = 1;; attempt++) {
      try {
        if (isPlaylist(target)) return await this.#playlist(target);
        const text = await this.#errands.text(target);
        return this.#titles.learn(target, text).targets;
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
      await pauseUntil(clock.nowMs() + PAUSE_MS, { clock, signal });
    }
  }

  /** What an HLS playlist names, and the playlists it names. @throws {SyntaxError} If it is none. */
  async #playlist(target: string): Promise<readonly string[]> {
    const found = new Set<string>();
    const read = async (from: string) => {
      const { playlists, media } = readPlaylistUris(
        await this.#errands.text(from),
      );
      const ours = (uris: readonly string[]) =>
        uris.flatMap((uri) => this.#titles.resolve(uri, from) ?? []);
      for (const each of ours(media)) found.add(each);
      return ours(playlists);
    };
    // A playlist of playlists names no others (RFC 8216 §4.3.4).
    for (const rendition of await read(target)) await read(rendition);
    return [...found];
  }

  async #title(
    path: string,
    targets: readonly string[],
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
