import { createHash, randomBytes } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";

/** Returns the 20-byte SHA-1 of `bytes`. BitTorrent v1 names pieces and torrents by it. */
export function sha1(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** Returns the 32-byte SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
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
