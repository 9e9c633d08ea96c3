import { join } from "@std/path";
import { fromUtf8, utf8 } from "../../../lib/core/bytes.ts";
import { InputError, RunError } from "../../../lib/core/errors.ts";
import type { Files } from "../../../lib/io/files.ts";
import { FragmentReader } from "../../../lib/media/mp4/fragments.ts";
import { segmentNameOf } from "../../../lib/media/manifests/published.ts";
import {
  type EncodedSegment,
  type EncodedTrack,
  trackInitName,
  type TrackJob,
} from "./encode.ts";

/** What a folder is being filled with, hidden in it. */
const STATE_NAME = ".ingest.json";
const MAX_STATE_BYTES = 2 ** 20;
/** Largest segment read again: a minute in 8K has less. */
const MAX_SEGMENT_BYTES = 512 * 2 ** 20;

/** Remembers what is done of an ingest, so that one that was stopped goes on. */
export class IngestState {
  readonly #folder: string;
  readonly #files: Files;
  readonly #settings: string;
  readonly #done: Set<string>;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    place: { readonly folder: string; readonly files: Files },
    settings: string,
    done: readonly string[],
  ) {
    this.#folder = place.folder;
    this.#files = place.files;
    this.#settings = settings;
    this.#done = new Set(done);
  }

  /**
   * Opens the state of a folder for an ingest with these settings.
   *
   * @throws {InputError} If the folder holds another title.
   */
  static async open(
    folder: string,
    files: Files,
    settings: unknown,
  ): Promise<IngestState> {
    const wanted = JSON.stringify(settings);
    const stat = await files.stat(join(folder, STATE_NAME));
    if (stat === null) {
      if (await files.stat(join(folder, "manifest.mpd")) !== null) {
        throw new InputError(
          `--root: ${folder} has a manifest.mpd that was not made by --ingest; choose another folder`,
        );
      }
      const state = new IngestState({ folder, files }, wanted, []);
      await state.#save();
      return state;
    }
    const text = fromUtf8(
      await files.read(join(folder, STATE_NAME), { maxBytes: MAX_STATE_BYTES }),
    );
    const { settings: found, done } = parse(text);
    if (found !== wanted) {
      throw new InputError(
        `--root: ${folder} holds another title, or this one made in another way; choose another folder, or remove it`,
      );
    }
    return new IngestState({ folder, files }, wanted, done);
  }

  /** Whether a track has all its segments. */
  isDone(name: string): boolean {
    return this.#done.has(name);
  }

  /** Remembers that a track has all its segments. */
  async setDone(name: string): Promise<void> {
    this.#done.add(name);
    await this.#save();
  }

  /** One save after the other: two tracks may be done at once. */
  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => {}).then(() => {
      const state = { settings: this.#settings, done: [...this.#done] };
      return this.#files.writeAtomic(
        join(this.#folder, STATE_NAME),
        utf8(JSON.stringify(state)),
      );
    });
    return this.#saving;
  }

  /** What there is of a track: its segments from the first to the last before a gap. Undefined: nothing. */
  async earlier(job: TrackJob): Promise<EncodedTrack | undefined> {
    const init = await this.#read(trackInitName(job), MAX_STATE_BYTES);
    if (init === undefined) return undefined;
    const segments: EncodedSegment[] = [];
    let ticks = 0;
    for (;;) {
      const name = segmentNameOf(job, { number: segments.length + 1, ticks });
      const bytes = await this.#read(name, MAX_SEGMENT_BYTES);
      if (bytes === undefined) return { init, segments };
      const reader = new FragmentReader();
      reader.push(init);
      const [fragment] = reader.push(bytes);
      if (fragment?.kind !== "fragment") return { init, segments };
      const length = fragment.durationTicks;
      segments.push({ ticks: length, bytes: bytes.length });
      ticks += length;
    }
  }

  async #read(name: string, maxBytes: number) {
    try {
      return await this.#files.read(join(this.#folder, name), { maxBytes });
    } catch (error) {
      if (error instanceof RunError && error.code === "not-found") return;
      throw error;
    }
  }
}

function parse(
  text: string,
): { readonly settings: string; readonly done: readonly string[] } {
  try {
    const { settings, done } = JSON.parse(text);
    return {
      settings: String(settings),
      done: Array.isArray(done) ? done.map(String) : [],
    };
  } catch {
    return { settings: "", done: [] };
  }
}
