import { createHash, randomBytes } from "node:crypto";

/** Returns the 20-byte SHA-1 of `bytes`. BitTorrent v1 names pieces and torrents by it. */
export function sha1(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha1").update(bytes).digest());
}

/** Returns the 32-byte SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Both, for readers of torrents. */
export const hashing = { sha1, sha256 } as const;

/** Returns `length` bytes nobody can guess, for keys; everything a run should repeat with `--seed` comes from the role's rng instead. */
export function secretBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(length));
}
