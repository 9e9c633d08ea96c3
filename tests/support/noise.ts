/** Bytes that nobody would make up, and folders of them. */
import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { type Rng, seededRng } from "../../lib/core/rng.ts";

/** Bytes nobody would make up; the same for the same seed. */
export function noise(
  length: number,
  seed: number | Rng,
): Uint8Array<ArrayBuffer> {
  const rng = typeof seed === "number" ? seededRng(seed) : seed;
  return Uint8Array.from({ length }, () => rng() * 256);
}

/** Writes files of these lengths, by their paths below `folder`; returns what is in them. */
export async function writeNoise(
  folder: string,
  lengths: Readonly<Record<string, number>>,
  seed: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const rng = seededRng(seed);
  const contents = new Map<string, Uint8Array>();
  for (const [name, length] of Object.entries(lengths)) {
    const bytes = noise(length, rng);
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, bytes);
    contents.set(name, bytes);
  }
  return contents;
}

/** Checks that files of these names are the same in two folders. */
export async function assertSameFiles(
  names: Iterable<string>,
  left: string,
  right: string,
): Promise<void> {
  for (const name of names) {
    assertEquals(
      await Deno.readFile(join(right, name)),
      await Deno.readFile(join(left, name)),
      name,
    );
  }
}
