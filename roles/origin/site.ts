import type { RequestPath } from "../../lib/http/request_path.ts";
import type { EntityTag } from "../../lib/http/validators.ts";

/** What an origin serves: finds what is behind a path. */
export interface Site {
  /** What is at `path`; null when nothing is that may be seen. */
  find(path: RequestPath): Promise<Found | null>;
}

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
  /** How long caches may keep it, in ms, where that is not the same for all: 0 not at all. */
  readonly maxAgeMs?: number;
  /** Opens the content for one answer. */
  open(): Promise<Content>;
}

/** The bytes of a resource while they are sent. */
export interface Content extends AsyncDisposable {
  /** Returns `length` bytes from `offset`; throws when they are not there any more. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A resource that is in memory. */
export function memoryResource(
  bytes: Uint8Array,
  about: Omit<Resource, "sizeBytes" | "open">,
): Resource {
  return {
    ...about,
    sizeBytes: bytes.length,
    open: () =>
      Promise.resolve({
        read: (offset, length) =>
          Promise.resolve(bytes.subarray(offset, offset + length)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
}
