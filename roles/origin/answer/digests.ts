import {
  formatRequestPath,
  type RequestPath,
} from "../../../lib/http/request_path.ts";
import { parseDictionary } from "../../../lib/http/structured_fields.ts";
import { reprDigest } from "../../../lib/io/hash.ts";
import type { FieldLookup } from "../../../lib/http/fields.ts";
import type { Resource } from "../site/site.ts";

/** Larger ones would take long, and are no segments. */
const MAX_BYTES = 32 * 2 ** 20;
/** Digests that are kept: an hour of seconds in a few rates. */
const KEPT = 16_384;

/** Whether a client asks for a digest that we know, by `Want-Repr-Digest` (RFC 9530 §4). */
export function wantsDigest(headers: FieldLookup): boolean {
  const wanted = headers.get("want-repr-digest");
  if (wanted === null) return false;
  const preference = parseDictionary(wanted)?.get("sha-256");
  return typeof preference === "number" && preference > 0;
}

/** What `Repr-Digest` says of resources, made when first asked for and kept by path and entity tag. */
export class Digests {
  readonly #kept = new Map<string, Promise<string>>();

  /** The field's value; undefined for what is too large. */
  of(path: RequestPath, resource: Resource): Promise<string> | undefined {
    if (resource.sizeBytes > MAX_BYTES) return undefined;
    const key = `${resource.entityTag.opaque} ${formatRequestPath(path)}`;
    let digest = this.#kept.get(key);
    if (digest === undefined) {
      digest = digestOf(resource);
      digest.catch(() => this.#kept.delete(key));
      this.#kept.set(key, digest);
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > KEPT) this.#kept.delete(oldest!);
    }
    return digest;
  }
}

async function digestOf(resource: Resource): Promise<string> {
  await using content = await resource.open();
  const bytes = await content.read(0, resource.sizeBytes);
  const digest = reprDigest(bytes);
  content.used?.();
  return digest;
}
