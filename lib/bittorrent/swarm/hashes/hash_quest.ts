/**
 * Getting the hashes of v2 from peers (BEP 52): who came with a magnet link has the files' roots, and needs the hashes of
 * the pieces before a piece can be checked.
 *
 * A file's piece layer is asked for in runs of 512. Each comes with its uncles up to the root, so that every answer is
 * checked by itself and the one who lies is known. Files of one piece need nothing: the root is the piece's hash.
 */
import { equalBytes, toHex } from "../../../core/bytes.ts";
import { ProtocolError } from "../../../core/errors.ts";
import {
  climb,
  layersAbove,
  LEAF_BYTES,
  NODE_BYTES,
  nodesOf,
  Padding,
  powerOfTwoFrom,
  rootOver,
  type Sha256,
} from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { PieceHashes } from "../../metainfo/piece_hashes.ts";
import type { Bitfield } from "../../wire/bitfield.ts";
import type { HashMessage, HashRange } from "../../wire/hash_messages.ts";

/** Hashes asked for at once: the most that BEP 52 allows. */
const RUN_HASHES = 512;
/** Requests at one peer. */
const MAX_AT_ONE_PEER = 2;
/** An answer that has not come by then is asked of another peer. */
const PATIENCE_MS = 10_000;

/** A part of a file's piece layer that is missing. */
interface Run {
  readonly range: HashRange;
  readonly layer: Layer;
  /** Its pieces in the torrent, as first and one past the last. */
  readonly firstPiece: number;
  readonly endPiece: number;
  /** Who was asked last, and when. */
  askedOf: number | null;
  askedAtMs: number;
  /** Peers that refused it. */
  readonly refusedBy: Set<number>;
  /** How often peers let it time out. */
  readonly missedBy: Map<number, number>;
}

/** The piece layer of a file that is being put together. */
interface Layer {
  readonly piecesRoot: Uint8Array;
  readonly bytes: Uint8Array;
  missingRuns: number;
}

/** What is missing, and whom to ask for it. */
export class HashQuest {
  readonly #hashes: PieceHashes;
  readonly #sha256: Sha256;
  readonly #padding: Padding;
  readonly #pieceLayer: number;
  /** By root and index. */
  readonly #runs = new Map<string, Run>();

  /** Looks through the files for layers that are not known. */
  constructor(info: TorrentInfo, hashes: PieceHashes, sha256: Sha256) {
    this.#hashes = hashes;
    this.#sha256 = sha256;
    this.#padding = new Padding(sha256);
    this.#pieceLayer = layersAbove(info.pieceLength / LEAF_BYTES);
    for (const { lengthBytes, offset, piecesRoot } of info.files) {
      if (piecesRoot === undefined || hashes.layerOf(piecesRoot) !== null) {
        continue;
      }
      this.#addFile(piecesRoot, {
        pieces: Math.ceil(lengthBytes / info.pieceLength),
        blocks: Math.ceil(lengthBytes / LEAF_BYTES),
        firstPiece: offset / info.pieceLength,
      });
    }
  }

  /** Whether nothing is missing. */
  get done(): boolean {
    return this.#runs.size === 0;
  }

  /** Chooses what to ask a peer for now, as many as it may have waiting; in the order of the files. Only what it must know: it has a piece there. */
  next(
    peer: { readonly link: number; readonly pieces: Bitfield },
    nowMs: number,
  ): HashMessage[] {
    const waiting =
      [...this.#runs.values()].filter((run) => run.askedOf === peer.link)
        .length;
    const asked: HashMessage[] = [];
    for (const run of this.#runs.values()) {
      if (waiting + asked.length >= MAX_AT_ONE_PEER) break;
      if (!isFreeFor(peer.link, run, nowMs)) continue;
      if (run.refusedBy.has(peer.link) || !offers(peer, run)) continue;
      if (run.askedOf !== null) {
        const missed = run.missedBy.get(run.askedOf) ?? 0;
        run.missedBy.set(run.askedOf, missed + 1);
      }
      run.askedOf = peer.link;
      run.askedAtMs = nowMs;
      asked.push({ kind: "hash-request", ...run.range });
    }
    return asked;
  }

  /**
   * Takes an answer. Hashes nobody asked for, or any more, are nothing.
   *
   * @returns Whether the pieces of a file can be checked from now on.
   * @throws {ProtocolError} `hashes-wrong` if they do not lead to the file's root.
   */
  take(link: number, message: HashMessage): boolean {
    const key = keyOf(message);
    const run = this.#runs.get(key);
    if (run === undefined || !sameRange(run.range, message)) return false;
    if (message.kind === "hash-reject") {
      run.refusedBy.add(link);
      if (run.askedOf === link) run.askedOf = null;
    }
    if (message.kind !== "hashes") return false;
    this.#check(message);
    this.#runs.delete(key);
    const { layer, range } = run;
    const count = run.endPiece - run.firstPiece;
    layer.bytes.set(
      message.hashes.subarray(0, count * NODE_BYTES),
      range.index * NODE_BYTES,
    );
    layer.missingRuns -= 1;
    return layer.missingRuns === 0 &&
      this.#hashes.learn(layer.piecesRoot, layer.bytes);
  }

  /** A peer is gone: what it was asked for is free for others. */
  left(link: number): void {
    for (const run of this.#runs.values()) {
      run.refusedBy.delete(link);
      run.missedBy.delete(link);
      if (run.askedOf === link) run.askedOf = null;
    }
  }

  #addFile(
    piecesRoot: Uint8Array,
    { pieces, blocks, firstPiece }: {
      readonly pieces: number;
      readonly blocks: number;
      readonly firstPiece: number;
    },
  ): void {
    const layer: Layer = {
      piecesRoot,
      bytes: new Uint8Array(pieces * NODE_BYTES),
      missingRuns: Math.ceil(pieces / RUN_HASHES),
    };
    for (let index = 0; index < pieces; index += RUN_HASHES) {
      const left = pieces - index;
      const range: HashRange = {
        piecesRoot,
        baseLayer: this.#pieceLayer,
        index,
        length: Math.min(RUN_HASHES, powerOfTwoFrom(left)),
        // Up to the children of the root, which is known.
        proofLayers: layersAbove(blocks) - this.#pieceLayer - 1,
      };
      const run: Run = {
        range,
        layer,
        firstPiece: firstPiece + index,
        endPiece: firstPiece + Math.min(pieces, index + RUN_HASHES),
        askedOf: null,
        askedAtMs: 0,
        refusedBy: new Set(),
        missedBy: new Map(),
      };
      // A second file with the same content has the same root: it is known with the first.
      if (!this.#runs.has(keyOf(range))) this.#runs.set(keyOf(range), run);
    }
  }

  #check(
    { hashes, index, length, baseLayer, piecesRoot }: HashRange & {
      readonly hashes: Uint8Array;
    },
  ): void {
    const all = nodesOf(hashes);
    const top = rootOver(all.slice(0, length), {
      sha256: this.#sha256,
      padding: this.#padding,
      layer: baseLayer,
    });
    const root = climb(top, {
      index: index / length,
      uncles: all.slice(length),
      sha256: this.#sha256,
    });
    if (equalBytes(root, piecesRoot)) return;
    throw new ProtocolError(
      "hashes-wrong",
      "Cannot take hashes: they do not lead to the root of the file",
    );
  }
}

/** Whether a peer may be asked for a run: each time it let it time out others go first for so long. */
function isFreeFor(
  link: number,
  { askedOf, askedAtMs, missedBy }: Run,
  nowMs: number,
): boolean {
  if (askedOf === null) return true;
  const missed = missedBy.get(link) ?? 0;
  return askedOf !== link && nowMs - askedAtMs >= PATIENCE_MS * (1 + missed);
}

function offers(
  { pieces }: { readonly pieces: Bitfield },
  { firstPiece, endPiece }: Run,
): boolean {
  for (let piece = firstPiece; piece < endPiece; piece++) {
    if (pieces.has(piece)) return true;
  }
  return false;
}

function keyOf({ piecesRoot, index }: HashRange): string {
  return `${toHex(piecesRoot)} ${index}`;
}

function sameRange(a: HashRange, b: HashRange): boolean {
  return a.baseLayer === b.baseLayer && a.length === b.length &&
    a.proofLayers === b.proofLayers;
}
