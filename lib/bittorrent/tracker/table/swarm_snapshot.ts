/**
 * The swarms of a tracker as a file, kept over a restart.
 *
 * A line that names the format, the time, then for each swarm info-hash (20 bytes), downloads and number of peers (4
 * each), and each peer: length of its address and port (1), these (6 or 18), peer id (20), silent ms (4), uploaded,
 * downloaded, left (8 each), whether its download was counted (1). At the end a SHA-256 of all before. Numbers are
 * big-endian, sizes and time as doubles.
 *
 * A swarm may come in several parts, each with a head of its own, and a peer twice: it is written while peers come and
 * go. A program that was asked to stop has five seconds: to write a million peers takes 0.9 s of CPU, where it took 4.0
 * with arrays of its own for each (Deno 2.9.6; 2.4 on 2.4.2).
 */
import { ByteCollector } from "../../../core/byte_collector.ts";
import { equalBytes, utf8, viewOf } from "../../../core/bytes.ts";
import type { PeerView } from "./peer_record.ts";
import type { StoredSwarm } from "./messages.ts";

const HEAD = "rolecall swarms 1\n";
const HASH_BYTES = 20;
const DIGEST_BYTES = 32;
const SWARM_BYTES = HASH_BYTES + 8;
/** Of a peer, without its address and port. */
const PEER_BYTES = 1 + HASH_BYTES + 4 + 3 * 8 + 1;

/** A piece of a snapshot ends with the swarm in which it gets so long. */
const PIECE_BYTES = 2 ** 16;

type Hash = (bytes: Uint8Array) => Uint8Array;

/** A snapshot that was read. */
export interface SwarmSnapshot {
  readonly savedAtWallMs: number;
  /** Read one after the other, each with its peers before the next. */
  readonly swarms: Iterable<StoredSwarm>;
}

/** A SHA-256 that takes its bytes as they come. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown;
  /** Of all that came. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Writes a snapshot, in pieces that take about half a millisecond each; between two of them the table may change. */
export function* encodeSnapshot(
  swarms: Iterable<StoredSwarm>,
  { savedAtWallMs, hash }: {
    readonly savedAtWallMs: number;
    readonly hash: RunningHash;
  },
): Generator<Uint8Array<ArrayBuffer>> {
  let collected = new ByteCollector();
  const records = new PeerRecords();
  collected.push(utf8(HEAD));
  collected.push(doubleBytes(savedAtWallMs));
  for (const { infoHash, completed, peerCount, peers } of swarms) {
    const head = new Uint8Array(SWARM_BYTES);
    head.set(infoHash);
    viewOf(head).setUint32(HASH_BYTES, completed);
    viewOf(head).setUint32(HASH_BYTES + 4, peerCount);
    collected.push(head);
    for (const peer of peers) collected.push(records.encode(peer));
    if (collected.length < PIECE_BYTES) continue;
    hash.update(collected.bytes);
    yield collected.bytes;
    collected = new ByteCollector();
  }
  hash.update(collected.bytes);
  yield collected.bytes;
  yield hash.digest();
}

/**
 * Reads a snapshot.
 *
 * @throws {SyntaxError} If it is none, or not whole: a crash, a full disk or a hand has changed it.
 */
export function decodeSnapshot(
  bytes: Uint8Array,
  { sha256 }: { readonly sha256: Hash },
): SwarmSnapshot {
  const head = utf8(HEAD);
  if (!equalBytes(bytes.subarray(0, head.length), head)) {
    throw new SyntaxError("it is no snapshot of a tracker");
  }
  const end = bytes.length - DIGEST_BYTES;
  if (
    end < head.length + 8 ||
    !equalBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end))
  ) throw new SyntaxError("its checksum is wrong");
  const savedAtWallMs = viewOf(bytes).getFloat64(head.length);
  const body = bytes.subarray(head.length + 8, end);
  return { savedAtWallMs, swarms: decodeSwarms(body) };
}

function* decodeSwarms(bytes: Uint8Array): Generator<StoredSwarm> {
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    const infoHash = bytes.subarray(at, at + HASH_BYTES);
    const completed = view.getUint32(at + HASH_BYTES);
    const peerCount = view.getUint32(at + HASH_BYTES + 4);
    const from = at + SWARM_BYTES;
    at = from;
    for (let count = 0; count < peerCount; count++) {
      at += PEER_BYTES + (bytes[at] ?? 0);
    }
    const peers = decodePeers(bytes, view, { from, until: at });
    yield { infoHash, completed, peerCount, peers };
  }
}

function* decodePeers(
  bytes: Uint8Array,
  view: DataView,
  { from, until }: { readonly from: number; readonly until: number },
): Generator<PeerView> {
  for (let at = from; at < until;) {
    const peer = decodePeer(bytes, view, at);
    yield peer;
    at += PEER_BYTES + peer.compact.length;
  }
}

/** Writes peers one after the other into the same memory: of a million, each with an array of its own, most time went into those. */
class PeerRecords {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bytes = new Uint8Array(0);

  /** Returns a peer's record, which the next call writes over. */
  encode(peer: PeerView): Uint8Array {
    const { length } = peer.compact;
    if (this.#bytes.length !== PEER_BYTES + length) {
      this.#bytes = new Uint8Array(PEER_BYTES + length);
      this.#view = viewOf(this.#bytes);
    }
    const bytes = this.#bytes;
    const view = this.#view;
    bytes[0] = length;
    bytes.set(peer.compact, 1);
    bytes.set(peer.peerId, 1 + length);
    const at = 1 + length + HASH_BYTES;
    view.setUint32(at, peer.silentMs);
    view.setFloat64(at + 4, peer.uploadedBytes);
    view.setFloat64(at + 12, peer.downloadedBytes);
    view.setFloat64(at + 20, peer.leftBytes);
    bytes[at + 28] = peer.counted ? 1 : 0;
    return bytes;
  }
}

function decodePeer(bytes: Uint8Array, view: DataView, from: number): PeerView {
  const length = bytes[from] ?? 0;
  const at = from + 1 + length + HASH_BYTES;
  return {
    compact: bytes.subarray(from + 1, from + 1 + length),
    peerId: bytes.subarray(at - HASH_BYTES, at),
    silentMs: view.getUint32(at),
    uploadedBytes: view.getFloat64(at + 4),
    downloadedBytes: view.getFloat64(at + 12),
    leftBytes: view.getFloat64(at + 20),
    counted: bytes[at + 28] === 1,
  };
}

function doubleBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setFloat64(0, value);
  return bytes;
}
