import { join } from "@std/path";
import { seededRng } from "../../../lib/core/rng.ts";
import { formatBytes } from "../../../lib/core/units.ts";
import type { Stage } from "./stage.ts";

/** The file that acts hand out. */
export interface LectureFile {
  readonly name: string;
  readonly folder: string;
  readonly bytes: Uint8Array;
}

/** Writes the file into the stage's folder: bytes that no two pieces share, the same for the same seed of the run. */
export async function writeLectureFile(
  sizeBytes: number,
  stage: Stage,
): Promise<LectureFile> {
  const rng = seededRng(Math.floor(stage.ctx.rng() * 2 ** 32));
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  for (let at = 0; at < words.length; at++) words[at] = rng() * 2 ** 32;
  const bytes = new Uint8Array(words.buffer, 0, sizeBytes);
  const folder = join(stage.folder, "share");
  const name = "lecture.bin";
  await stage.ctx.files.writeAtomic(join(folder, name), bytes);
  return { name, folder, bytes };
}

/** ` 42 % of 32.0 MiB`. */
export function percent(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(0).padStart(3)} % of ${
    formatBytes(whole)
  }`;
}
