/**
 * The file of a response that is kept on a disk:
 *
 *     "RCCACHE1" | length of the description, 4 bytes | its checksum, 4 bytes | description, JSON | body
 *
 * The description has a checksum for each mebibyte of the body, so that a reader need not wait for the end of a file to
 * know that its beginning is good. Numbers are big-endian, checksums CRC-32 (of whoever calls: it is none of ours to
 * compute fast).
 */
import { concat, fromUtf8, utf8 } from "../../core/bytes.ts";
import {
  type DiskEntryText,
  diskEntryText,
  isDiskEntryText,
} from "./disk_entry.ts";
import type { StoredResponse } from "./stored_response.ts";

/** What a checksum is of. */
export const CHUNK_BYTES = 2 ** 20;
/** Before the description. */
export const PRELUDE_BYTES = 16;
/** Largest description: fields are a few hundred bytes, checksums ten for each mebibyte. */
const MAX_TEXT_BYTES = 2 ** 20;

const MAGIC = "RCCACHE1";

/** Computes a CRC-32. */
export type Checksum = (bytes: Uint8Array) => number;

/** What stands before the body. */
export interface DiskHead {
  readonly entry: DiskEntryText;
  /** Of each {@linkcode CHUNK_BYTES} of the body. */
  readonly checksums: readonly number[];
}

/** Writes what stands before the body in the file of a response whose body is all there. */
export function encodeDiskHead(
  stored: StoredResponse,
  checksum: Checksum,
): Uint8Array<ArrayBuffer> {
  const { bytes } = stored.body;
  const checksums: number[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    checksums.push(checksum(bytes.subarray(at, at + CHUNK_BYTES)));
  }
  const head: DiskHead = { entry: diskEntryText(stored), checksums };
  const text = utf8(JSON.stringify(head));
  const prelude = new Uint8Array(PRELUDE_BYTES);
  prelude.set(utf8(MAGIC));
  const view = new DataView(prelude.buffer);
  view.setUint32(8, text.length);
  view.setUint32(12, checksum(text));
  return concat(prelude, text);
}

/** How long the description is, from the first {@linkcode PRELUDE_BYTES}; undefined when this is no file of ours. */
export function diskTextBytes(prelude: Uint8Array): number | undefined {
  if (prelude.length < PRELUDE_BYTES) return undefined;
  if (fromUtf8(prelude.subarray(0, 8)) !== MAGIC) return undefined;
  const length = viewOf(prelude).getUint32(8);
  return length <= MAX_TEXT_BYTES ? length : undefined;
}

/** Reads the description, `text`; undefined when it is damaged, or a file of `fileBytes` cannot have that body. */
export function decodeDiskHead(
  prelude: Uint8Array,
  text: Uint8Array,
  options: { readonly fileBytes: number; readonly checksum: Checksum },
): DiskHead | undefined {
  if (options.checksum(text) !== viewOf(prelude).getUint32(12)) {
    return undefined;
  }
  const head = parsed(text);
  if (head === undefined) return undefined;
  const { bodyBytes } = head.entry;
  const isWhole =
    options.fileBytes === PRELUDE_BYTES + text.length + bodyBytes &&
    head.checksums.length === Math.ceil(bodyBytes / CHUNK_BYTES);
  return isWhole ? head : undefined;
}

function parsed(text: Uint8Array): DiskHead | undefined {
  try {
    const head = JSON.parse(fromUtf8(text)) as Partial<DiskHead> | null;
    const isHead = typeof head === "object" && head !== null &&
      isDiskEntryText(head.entry) && Array.isArray(head.checksums);
    return isHead ? head as DiskHead : undefined;
  } catch {
    return undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
