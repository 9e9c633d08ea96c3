import { InputError, messageOf, RunError } from "../../../lib/core/errors.ts";
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

  /** What the manifest names; undefined when it cannot be had or read, or names nothing of ours. */
  async #manifest(
    target: string,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    try {
      const targets = isPlaylist(target)
        ? await this.#playlist(target, signal)
        : this.#titles.learn(target, await this.#text(target, signal)).targets;
      if (targets.length > 0) return targets;
      throw new RunError(
        "nothing-named",
        "It names nothing that is there now and at an --origin",
      );
    } catch (error) {
      this.#refuse(target, error, signal);
      return undefined;
    }
  }

  /** @throws Whatever its last attempt ended with. */
  async #text(target: string, signal: AbortSignal): Promise<string> {
    const { clock } = this.#ctx;
    for (let left = ATTEMPTS - 1;; left--) {
      try {
        return await this.#errands.text(target);
      } catch (error) {
        if (left === 0 || signal.aborted) throw error;
      }
      await pauseUntil(clock.nowMs() + PAUSE_MS, { clock, signal });
    }
  }

  /** Tells why nothing of a manifest is fetched, unless that is because the edge goes. */
  #refuse(path: string, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const message = messageOf(error);
    this.#ctx.emit({ type: "title.refused", path, message });
  }

  /** What an HLS playlist names, and the playlists it names, as far as they can be had. @throws {SyntaxError} If it is none. */
  async #playlist(
    target: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const found = new Set<string>();
    const read = async (from: string) => {
      const { playlists, media } = readPlaylistUris(
        await this.#text(from, signal),
      );
      const ours = (uris: readonly string[]) =>
        uris.flatMap((uri) => this.#titles.resolve(uri, from) ?? []);
      for (const each of ours(media)) found.add(each);
      return ours(playlists);
    };
    // A playlist of playlists names no others (RFC 8216 §4.3.4).
    for (const rendition of await read(target)) {
      try {
        await read(rendition);
      } catch (error) {
        this.#refuse(rendition, error, signal);
      }
    }
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
