/** Entity tags, by which two versions of a representation are told apart: RFC 9110 section 8.8.3. */

/** An entity tag. A strong one promises the same bytes, a weak one only the same meaning. */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

/** Writes an entity tag as it stands in a field: `"abc"` or `W/"abc"`. */
export function formatEntityTag(tag: EntityTag): string {
  return `${tag.weak ? "W/" : ""}"${tag.opaque}"`;
}

/** Reads one entity tag; null when `text` is none. `W/` is case-sensitive (section 8.8.3). */
export function parseEntityTag(text: string): EntityTag | null {
  const match = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/.exec(text.trim());
  return match === null
    ? null
    : { weak: match[1] !== undefined, opaque: match[2]! };
}

/** Reads the list in `If-Match` or `If-None-Match`: `*`, or tags. What is no tag is left out, so it matches nothing. */
export function parseEntityTags(value: string): "*" | readonly EntityTag[] {
  if (value.trim() === "*") return "*";
  // A tag may hold commas, so the list is matched, not split.
  const found = value.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
  return found.map((text) => parseEntityTag(text)!);
}

/** Strong comparison (section 8.8.3.2): both strong and the same. */
export function sameStrongly(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque;
}

/** Weak comparison (section 8.8.3.2): the same apart from `W/`. */
export function sameWeakly(a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque;
}
