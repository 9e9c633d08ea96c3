import { concat } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import {
  type BencodeDictionary,
  decodeBencodePrefix,
  encodeBencode,
  isDictionary,
} from "../bencode.ts";
import { EXTENDED_LIMITS } from "./extended.ts";

/** The info dictionary goes over in blocks of 16 KiB; the last may be shorter (BEP 9). */
export const METADATA_BLOCK_BYTES = 16 * 1024;
/** Largest info dictionary that is fetched from strangers: the piece hashes of 100 GiB in 256 KiB pieces. A .torrent file may be larger. */
export const MAX_METADATA_BYTES = 8 * 2 ** 20;

/** A message of the metadata extension (BEP 9). */
export type MetadataMessage =
  | { readonly kind: "request"; readonly block: number }
  | { readonly kind: "reject"; readonly block: number }
  | {
    readonly kind: "data";
    readonly block: number;
    /** Length of the whole info dictionary. */
    readonly totalBytes: number;
    /** When decoded, a view of the payload. */
    readonly bytes: Uint8Array;
  };

const KINDS = ["request", "data", "reject"] as const;

/** Returns how many blocks `metadataBytes` are. */
export function metadataBlockCount(metadataBytes: number): number {
  return Math.ceil(metadataBytes / METADATA_BLOCK_BYTES);
}

/** Writes the payload of a message. */
export function encodeMetadataMessage(
  message: MetadataMessage,
): Uint8Array<ArrayBuffer> {
  const head = encodeBencode({
    msg_type: KINDS.indexOf(message.kind),
    piece: message.block,
    total_size: message.kind === "data" ? message.totalBytes : undefined,
  });
  return message.kind === "data" ? concat(head, message.bytes) : head;
}

/**
 * Reads the payload of a message; null if it is of a kind BEP 9 does not know, which is to be ignored.
 *
 * @throws {ProtocolError} `metadata-malformed`.
 */
export function decodeMetadataMessage(
  payload: Uint8Array,
): MetadataMessage | null {
  const { dictionary, rest } = readHead(payload);
  const type = dictionary.get("msg_type");
  const block = dictionary.get("piece");
  if (typeof type !== "number" || typeof block !== "number" || block < 0) {
    throw malformed("must have msg_type and piece");
  }
  const kind = KINDS[type];
  if (kind === undefined) return null;
  if (kind !== "data") return { kind, block };
  const totalBytes = dictionary.get("total_size");
  if (typeof totalBytes !== "number" || totalBytes < 1) {
    throw malformed("data must have total_size");
  }
  return { kind, block, totalBytes, bytes: rest };
}

function readHead(
  payload: Uint8Array,
): { readonly dictionary: BencodeDictionary; readonly rest: Uint8Array } {
  try {
    const { value, endOffset } = decodeBencodePrefix(payload, EXTENDED_LIMITS);
    if (isDictionary(value)) {
      return { dictionary: value, rest: payload.subarray(endOffset) };
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw malformed(cause.message, cause);
  }
  throw malformed("must begin with a dictionary");
}

function malformed(why: string, cause?: unknown): ProtocolError {
  return new ProtocolError(
    "metadata-malformed",
    `Cannot read metadata message: ${why}`,
    { cause },
  );
}
