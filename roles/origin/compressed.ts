import { mediaTypeOf } from "../../lib/http/media_types.ts";
import { memoryResource, type Resource } from "./site.ts";

/** What is worth it: text. Media are compressed already. */
const TEXT: ReadonlySet<string> = new Set(
  ["css", "html", "js", "json", "m3u8", "mpd", "svg", "txt", "vtt", "xml"]
    .map((extension) => mediaTypeOf(`x.${extension}`)),
);
/** A smaller text fits into one packet as it is; a larger one would take memory and time at the first request. */
const MIN_BYTES = 1024;
const MAX_BYTES = 4 * 2 ** 20;
/** Of compressed texts that are kept. */
const KEPT_BYTES = 8 * 2 ** 20;

/** Whether answers for a resource depend on Accept-Encoding. */
export function isCompressible({ mediaType, sizeBytes }: Resource): boolean {
  return TEXT.has(mediaType) && sizeBytes >= MIN_BYTES &&
    sizeBytes <= MAX_BYTES;
}

/** Texts in gzip, made when first asked for and kept by entity tag, the longest unused dropped first. */
export class Compressor {
  readonly #kept = new Map<string, Resource>();
  #keptBytes = 0;

  /** The resource with the content coding gzip: another representation, with an entity tag of its own. */
  async gzip(resource: Resource): Promise<Resource> {
    const { opaque } = resource.entityTag;
    const kept = this.#kept.get(opaque);
    if (kept !== undefined) {
      this.#kept.delete(opaque);
      this.#kept.set(opaque, kept);
      return kept;
    }
    const made = memoryResource(await gzip(resource), {
      mediaType: resource.mediaType,
      contentEncoding: "gzip",
      entityTag: { weak: false, opaque: `${opaque}-gzip` },
      modifiedAtWallMs: resource.modifiedAtWallMs,
    });
    this.#kept.set(opaque, made);
    this.#keptBytes += made.sizeBytes;
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= sizeBytes;
    }
    return made;
  }
}

async function gzip(resource: Resource): Promise<Uint8Array> {
  await using content = await resource.open();
  const bytes = await content.read(0, resource.sizeBytes);
  const coded = new Blob([new Uint8Array(bytes)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(coded).arrayBuffer());
}
