import { createHash, randomBytes } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import type { Rng } from "../core/rng.ts";

/** Returns the 20-byte SHA-1 of `bytes`. BitTorrent v1 names pieces and torrents by it. */
export function sha1(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** Returns the 32-byte SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** What a `Repr-Digest` field says of `bytes` (RFC 9530 §3). */
export function reprDigest(bytes: Uint8Array): string {
  return `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
}

/** Returns a SHA-256 that takes its bytes as they come. */
export function runningSha256(): {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array<ArrayBuffer>;
} {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}

/** Returns the CRC-32 of `bytes`: tells a file that was damaged by accident, at a tenth of what a hash costs. */
export function crc32(bytes: Uint8Array): number {
  return zlibCrc32(bytes);
}

/** Both, for readers of torrents. */
export const hashing = { sha1, sha256 } as const;

/** Returns `length` bytes nobody can guess, for keys; everything a run should repeat with `--seed` comes from the role's rng instead. */
export function secretBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length));
}

/** Numbers that are drawn from the system at once. */
const DRAWN_NUMBERS = 256;

/** Returns a generator of numbers nobody can guess, whatever they have seen of it; `--seed` does not repeat it. */
export function secretRng(): Rng {
  let numbers = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === numbers.length) {
      numbers = new Uint32Array(secretBytes(4 * DRAWN_NUMBERS).buffer);
      at = 0;
    }
    return numbers[at++]! / 2 ** 32;
  };
}
