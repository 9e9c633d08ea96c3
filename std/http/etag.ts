/** What a TextEncoder makes; its type differs between versions of Deno. */
type Bytes = ReturnType<TextEncoder["encode"]>;

/** What {@linkcode eTag} needs of a file. */
export interface FileInfo {
  readonly mtime: Date | null;
  readonly size: number;
}

/** How to make a tag. */
export interface ETagOptions {
  /** Marks the tag as weak (RFC 9110 §8.8.1). Default: weak for files, strong for content. */
  readonly weak?: boolean;
}

/** The entity tag of some content, from its SHA-256. */
export async function eTag(
  entity: string | Bytes,
  options?: ETagOptions,
): Promise<string>;
/** The entity tag of a file, from its size and time; undefined when it has no time. */
export async function eTag(
  entity: FileInfo,
  options?: ETagOptions,
): Promise<string | undefined>;
export async function eTag(
  entity: string | Bytes | FileInfo,
  options: ETagOptions = {},
): Promise<string | undefined> {
  const encoder = new TextEncoder();
  let hashed: Bytes;
  let size: number;
  const isFile = typeof entity === "object" && "mtime" in entity;
  if (isFile) {
    if (entity.mtime === null) return undefined;
    hashed = encoder.encode(entity.mtime.toJSON());
    size = entity.size;
  } else {
    hashed = typeof entity === "string" ? encoder.encode(entity) : entity;
    size = hashed.length;
  }
  const digest = await crypto.subtle.digest("SHA-256", hashed);
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const tag = `"${size.toString(16)}-${hash.slice(0, 27)}"`;
  return options.weak ?? isFile ? `W/${tag}` : tag;
}
