import { mediaTypeOf } from "../../../lib/http/media_types.ts";
import { memoryResource, type Resource } from "../site/site.ts";

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

/** Texts in gzip, made when first asked for and kept by path and entity tag, the longest unused dropped first. */
export class Compressor {
  readonly #kept = new Map<string, Resource>();
  /** Of those who ask for one at once, one makes it. */
  readonly #making = new Map<string, Promise<Resource>>();
  #keptBytes = 0;

  /** The resource at `path` with the content coding gzip: another representation, with an entity tag of its own. */
  async gzip(path: string, resource: Resource): Promise<Resource> {
    // The tag alone is not enough: it tells versions of one resource apart, and those of two may be alike.
    const key = `${resource.entityTag.opaque} ${path}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    let making = this.#making.get(key);
    if (making === undefined) {
      making = coded(resource).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
      this.#keep(key, await making);
    }
    return await making;
  }

  #keep(key: string, made: Resource): void {
    this.#kept.set(key, made);
    this.#keptBytes += made.sizeBytes;
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= sizeBytes;
    }
  }
}

async function coded(resource: Resource): Promise<Resource> {
  const { mediaType, modifiedAtWallMs, entityTag, maxAgeMs } = resource;
  return memoryResource(await gzip(resource), {
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    mediaType,
    contentEncoding: "gzip",
    entityTag: { weak: false, opaque: `${entityTag.opaque}-gzip` },
    modifiedAtWallMs,
  });
}

async function gzip(resource: Resource): Promise<Uint8Array> {
  await using content = await resource.open();
  const bytes = await content.read(0, resource.sizeBytes);
  const coded = new Blob([new Uint8Array(bytes)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(coded).arrayBuffer());
}
