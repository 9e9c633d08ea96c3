import { concat, viewOf } from "../../core/bytes.ts";
import { ProtocolError } from "../../core/errors.ts";
import { layersAbove, NODE_BYTES } from "../metainfo/merkle.ts";

/**
 * Most hashes asked for at once. BEP 52 wants no more than 512 asked; libtorrent asks for all leaves of a piece, which in
 * pieces of 16 MiB are 1024.
 */
export const MAX_HASHES = 1024;
/** Layers of a tree over all leaves that fit: 2^53 bytes in blocks of 16 KiB have 39. */
const MAX_LAYERS = 40;
/** Bytes of a request, from its id on. */
export const HASH_REQUEST_BYTES: number = 1 + NODE_BYTES + 4 * 4;
/** Longest `hashes`, from its id on. */
export const MAX_HASHES_BYTES: number = HASH_REQUEST_BYTES +
  (MAX_HASHES + MAX_LAYERS) * NODE_BYTES;

/** A run of nodes of a file's tree, with what proves them (BEP 52, "hash request"). */
export interface HashRange {
  /** Which file: its root. */
  readonly piecesRoot: Uint8Array;
  /** How many layers above the leaves the nodes are. */
  readonly baseLayer: number;
  /** The first node's place in its layer; a multiple of `length`. */
  readonly index: number;
  /** How many nodes. */
  readonly length: number;
  /** How many layers above the base layer an uncle is wanted from, as far as the nodes do not give it themselves. */
  readonly proofLayers: number;
}

/** The messages with which peers of v2 hand each other the hashes of pieces (BEP 52). */
export type HashMessage =
  | ({ readonly kind: "hash-request" } & HashRange)
  | ({ readonly kind: "hash-reject" } & HashRange)
  | ({
    readonly kind: "hashes";
    /** The nodes, then the uncles, the nearest first: {@linkcode uncleCountOf} of them. */
    readonly hashes: Uint8Array;
  } & HashRange);

/** Returns how many uncles come with the nodes: those layers that the nodes themselves make are left out. */
export function uncleCountOf(
  { length, proofLayers }: Pick<HashRange, "length" | "proofLayers">,
): number {
  return Math.max(0, proofLayers - layersAbove(length) + 1);
}

/** Returns a message from behind its id on. */
export function encodeHashMessage(
  message: HashMessage,
): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(HASH_REQUEST_BYTES - 1);
  body.set(message.piecesRoot);
  const view = viewOf(body);
  view.setUint32(NODE_BYTES, message.baseLayer);
  view.setUint32(NODE_BYTES + 4, message.index);
  view.setUint32(NODE_BYTES + 8, message.length);
  view.setUint32(NODE_BYTES + 12, message.proofLayers);
  return message.kind === "hashes" ? concat(body, message.hashes) : body;
}

/**
 * Reads a message from behind its id on. What it holds is copied.
 *
 * @throws {ProtocolError} `hashes-bad-length` if there are not as many hashes as it says, or more than anyone may ask for.
 */
export function decodeHashMessage(
  kind: HashMessage["kind"],
  body: Uint8Array,
): HashMessage {
  const view = viewOf(body);
  const range: HashRange = {
    piecesRoot: body.slice(0, NODE_BYTES),
    baseLayer: view.getUint32(NODE_BYTES),
    index: view.getUint32(NODE_BYTES + 4),
    length: view.getUint32(NODE_BYTES + 8),
    proofLayers: view.getUint32(NODE_BYTES + 12),
  };
  if (kind !== "hashes") return { kind, ...range };
  const hashes = body.slice(HASH_REQUEST_BYTES - 1);
  const count = range.length > MAX_HASHES || range.proofLayers > MAX_LAYERS
    ? NaN
    : range.length + uncleCountOf(range);
  if (hashes.length !== count * NODE_BYTES) {
    throw new ProtocolError(
      "hashes-bad-length",
      `Cannot read hashes: ${range.length} with ${range.proofLayers} proof layers cannot be in ${hashes.length} bytes`,
    );
  }
  return { kind, ...range, hashes };
}
