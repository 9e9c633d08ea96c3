import type { RequestPath } from "../../../lib/http/request_path.ts";
import type { EntityTag } from "../../../lib/http/validators.ts";

/** What an origin serves: finds what is behind a path. */
export interface Site {
  /** What is at `path`; null when nothing is that may be seen. */
  find(path: RequestPath): Promise<Found | null>;
}

/** How long caches may keep what a live title has written anew with every segment, in ms. */
export const LIVE_MANIFEST_MS = 1000;

/** See {@linkcode Site.find}. */
export type Found =
  | { readonly kind: "resource"; readonly resource: Resource }
  /** The path names a folder but does not end with a slash: relative links would break. */
  | { readonly kind: "folder" };

/** Something that can be sent, whole or in parts. */
export interface Resource {
  readonly mediaType: string;
  /** The content coding of its bytes, such as `gzip`. */
  readonly contentEncoding?: string;
  readonly sizeBytes: number;
  readonly entityTag: EntityTag;
  /** Undefined for pages made on the spot. */
  readonly modifiedAtWallMs: number | undefined;
  /** How long caches may keep it at most, in ms, where that is not the same for all: 0 not at all. */
  readonly maxAgeMs?: number;
  /** Opens the content for one answer. */
  open(): Promise<Content>;
}

/** The bytes of a resource while they are sent. */
export interface Content extends AsyncDisposable {
  /** Returns `length` bytes from `offset`, good until the next call; throws when they are not there any more. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Of what is made only now: waits until it is time for some of it from `offset` on; returns up to where. */
  ready?(offset: number, signal: AbortSignal): Promise<number>;
  /** All that was read has been used: its memory may go round. Not called when a client leaves, whose system may still have some of it. */
  used?(): void;
}

/** What paddings are made of: they need no memory of their own. */
let zeros = new Uint8Array(1 << 16);

/** A resource that is in memory. @param about.sizeBytes With the zeros that follow `bytes`. */
export function memoryResource(
  bytes: Uint8Array,
  about: Omit<Resource, "sizeBytes" | "open"> & { readonly sizeBytes?: number },
): Resource {
  const read = (offset: number, length: number) => {
    const part = bytes.subarray(offset, offset + length);
    if (part.length === length) return part;
    if (zeros.length < length) zeros = new Uint8Array(length);
    if (part.length === 0) return zeros.subarray(0, length);
    const filled = new Uint8Array(length);
    filled.set(part);
    return filled;
  };
  return {
    ...about,
    sizeBytes: about.sizeBytes ?? bytes.length,
    open: () =>
      Promise.resolve({
        read: (offset, length) => Promise.resolve(read(offset, length)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
}
