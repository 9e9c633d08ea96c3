import { ProtocolError } from "../../../lib/core/errors.ts";
import { type Rng, seededRng } from "../../../lib/core/rng.ts";

/**
 * Feeds `decode` every truncation of the samples, random mutations of them and random bytes. Bad bytes may only end in a
 * SyntaxError or a ProtocolError; anything else is a bug and fails with the seed and the bytes that show it.
 */
export function fuzz(
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => unknown,
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): { readonly accepted: number; readonly refused: number } {
  const rng = seededRng(seed);
  const count = { accepted: 0, refused: 0 };
  for (const sample of samples) {
    for (let length = 0; length < sample.length; length++) {
      attempt(sample.slice(0, length), decode, { seed, count });
    }
  }
  for (let round = 0; round < rounds; round++) {
    const sample = samples[Math.floor(rng() * samples.length)] ??
      new Uint8Array();
    const bytes = round % 8 === 0
      ? Uint8Array.from(
        { length: Math.floor(rng() * 80) },
        () => Math.floor(rng() * 256),
      )
      : mutated(sample, rng);
    attempt(bytes, decode, { seed, count });
  }
  return count;
}

function attempt(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  { seed, count }: {
    readonly seed: number;
    readonly count: { accepted: number; refused: number };
  },
): void {
  try {
    decode(bytes);
    count.accepted += 1;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ProtocolError) {
      count.refused += 1;
      return;
    }
    throw new Error(`seed ${seed}, bytes [${bytes.join(",")}]`, {
      cause: error,
    });
  }
}

/** Changes, drops, repeats or swaps a few stretches of `sample`. */
function mutated(sample: Uint8Array, rng: Rng): Uint8Array {
  let bytes = [...sample];
  const changes = 1 + Math.floor(rng() * 3);
  for (let change = 0; change < changes; change++) {
    const at = Math.floor(rng() * bytes.length);
    const length = Math.floor(rng() * 6);
    switch (Math.floor(rng() * 5)) {
      case 0:
        bytes[at] = Math.floor(rng() * 256);
        break;
      case 1:
        bytes.splice(at, length);
        break;
      case 2:
        bytes.splice(at, 0, ...bytes.slice(at, at + length));
        break;
      case 3:
        // A digit or a letter that means something in bencoding.
        bytes[at] = "0123456789ilde:-".charCodeAt(Math.floor(rng() * 16));
        break;
      default:
        bytes = [...bytes.slice(at), ...bytes.slice(0, at)];
    }
  }
  return Uint8Array.from(bytes);
}
