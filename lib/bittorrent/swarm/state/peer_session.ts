import { formatHostPort } from "../../../core/address.ts";
import { concat, fromUtf8, toHex } from "../../../core/bytes.ts";
import { Bitfield } from "../../wire/bitfield.ts";
import type { ExtendedHandshake } from "../../wire/extended.ts";
import type { FastSource } from "../pieces/fast_source.ts";
import { decodeFeatures, type PeerFeatures } from "../../wire/handshake.ts";
import { Patience } from "./patience.ts";
import type { BlockSource } from "../pieces/piece_board.ts";
import { RateMeter } from "../../rate_meter.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import type { PeerLimits } from "../options.ts";
import {
  type BlockRef,
  type EncodableMessage,
  encodeMessage,
} from "../../wire/messages.ts";
import { WireDecoder } from "../../wire/decoder.ts";

/** Requests a peer keeps that does not say how many (BEP 10, "reqq"). */
const DEFAULT_REQQ = 250;
const NO_FEATURES = decodeFeatures(new Uint8Array(8));
const NO_PIECES: ReadonlySet<number> = new Set();
/** No messages in line; nothing is ever added to it. */
const NOTHING: Uint8Array[] = [];

const NO_LIMITS: PeerLimits = { upload: null, download: null };

/** How a session came about. */
export interface PeerSessionOptions {
  readonly link: number;
  readonly remote: PeerEndpoint;
  readonly incoming: boolean;
  /** The URL of an HTTP server that stands for a peer (BEP 19). */
  readonly webSeed?: string;
  readonly pieceCount: number;
  readonly nowMs: number;
  /** The connection's own; none unless given. */
  readonly limits?: PeerLimits;
  /** Of a connection that goes on: what it has received in part is in there. */
  readonly decoder?: WireDecoder;
}

/**
 * All that is known of one connection: who chokes whom, who is interested, what the peer has, what is asked of it and
 * what it asks of us. {@linkcode Swarm} and its parts read and change it.
 */
export class PeerSession implements BlockSource {
  /** The connection's number. */
  readonly link: number;
  /** Where the peer is. */
  readonly remote: PeerEndpoint;
  /** The same as text, for people. */
  readonly address: string;
  /** The peer connected to us. */
  readonly incoming: boolean;
  /** Cuts what arrives into messages. */
  readonly decoder: WireDecoder;
  /** `connecting`: no socket yet; `handshake`: waiting for the peer's; `open`: messages flow. */
  stage: "connecting" | "handshake" | "open";
  /** The connection is over: messages that came with its last bytes lead to nothing. */
  gone = false;
  /** As hex; "" before the handshake. */
  peerId = "";
  /** The peer's program as its id tells it, such as `-TR3000-`, or as it says itself (BEP 10, "v"). */
  client = "";

  /** What both handshakes announce. */
  features: PeerFeatures = NO_FEATURES;

  /** What it said of itself by the extended handshake (BEP 10), if it did. */
  extended: ExtendedHandshake | null = null;

  /** BEP 3: connections start out choked and not interested. */
  amChoking = true;
  /** We have told the peer that we want something. */
  amInterested = false;
  /** The peer does not answer our requests. */
  peerChoking = true;
  /** When we choked it last; 0 if we never served it. */
  servedUntilMs = 0;
  /** The peer wants something of us. */
  peerInterested = false;
  /** The torrent's name in its handshake; null before that. */
  infoHash: Uint8Array | null = null;
  /** The connection goes by the info-hash of v2 (BEP 52). */
  v2 = false;
  /** Requests for hashes in this second. */
  hashRequests = 0;
  /** Not yet part of a draw for the optimistic slot. */
  newcomer = true;

  /** See {@linkcode BlockSource}. */
  readonly pieces: Bitfield;
  /** How many of them we lack. */
  usefulPieces = 0;
  /** See {@linkcode BlockSource}. */
  readonly outstanding: Set<number> = new Set();
  /** See {@linkcode BlockSource}. */
  currentPiece = -1;
  /** See {@linkcode BlockSource}. */
  dryAt = -1;
  /** See {@linkcode BlockSource}. */
  readonly runs: boolean;
  /** What may be asked of it while it chokes us (BEP 6); null before it allows anything. */
  fast: FastSource | null = null;
  /** It rejected a request although it does not choke us: it is asked again after this. */
  askAgainAtMs = 0;
  /** No block came for a minute although some are outstanding. */
  snubbed = false;
  /** How much it may say that leads to nothing. */
  readonly patience: Patience;
  /** Blocks that came without having been asked for. */
  unaskedBlocks = 0;
  /** Rejects of what was not asked for. */
  strayRejects = 0;

  /** Blocks the peer waits for, oldest first. */
  uploads: BlockRef[] = [];
  /** Pieces it may have while we choke it (BEP 6). */
  allowedFast: ReadonlySet<number> = NO_PIECES;
  /** Requests it made since we choked it. */
  chokedRequests = 0;
  /** Requests it made for next to nothing. */
  shortRequests = 0;
  /** It is in line to be sent something. */
  unsent = false;
  /** A `send` is under way. */
  sending = false;
  /** There are blocks in it. */
  serving = false;
  /** What is left of a block that goes out in parts. */
  rest: Uint8Array | null = null;
  /** The connection's own limits. */
  readonly limits: PeerLimits;
  /** When it was asked last, as a count of requests: under a limit those asked longest ago go first. */
  askedAt = 0;
  /** Where blocks are put together for sending; made when the first is. */
  sendBuffer: Uint8Array | null = null;
  /** Which turn under an upload limit was its last: who waited longest goes first. */
  servedAt = 0;
  /** When a block was sent to it, or it was unchoked. */
  servedAtMs = 0;
  /** When it was unchoked. */
  unchokedAtMs = 0;
  /** Its slot is one of those that the others leave unused. */
  extraSlot = false;
  /** Its slot is that of those who have nothing yet. */
  starts = false;
  /** What it was sent for having nothing; Infinity while that goes on. */
  startBytes = 0;
  /** Pieces a spreading seed has told this peer of. */
  get shown(): Set<number> {
    return this.#shown ??= new Set();
  }
  #shown: Set<number> | null = null;
  /** Those of them that it does not have yet; `stale`: it does not ask for it. */
  get due(): Map<number, { readonly atMs: number; stale: boolean }> {
    return this.#due ??= new Map();
  }
  #due: Map<number, { readonly atMs: number; stale: boolean }> | null = null;
  /** How many pieces it got of a spreading seed and did not pass on yet. */
  kept = 0;
  /** It kept so many that it is served last from then on. */
  hoards = false;

  /** Payload received in the last 20 s. */
  readonly downMeter: RateMeter;
  /** Payload sent in the last 20 s. */
  readonly upMeter: RateMeter;
  /** Payload received over this connection. */
  downloadedBytes = 0;
  /** Payload sent over this connection. */
  uploadedBytes = 0;
  /** When it was connected or accepted. */
  readonly openedAtMs: number;
  /** When anything was received last. */
  lastReceivedAtMs: number;
  /** When anything was sent last. */
  lastSentAtMs: number;
  /** When a block arrived, or the first was asked for. */
  lastBlockAtMs = 0;

  #control: Uint8Array[] = NOTHING;
  #controlBytes = 0;

  /** Creates the session of a connection that is being made, or was accepted. */
  constructor(options: PeerSessionOptions) {
    const { link, remote, incoming, pieceCount, nowMs } = options;
    this.link = link;
    this.limits = options.limits ?? NO_LIMITS;
    this.remote = remote;
    this.runs = options.webSeed !== undefined;
    this.address = options.webSeed ?? formatHostPort(remote);
    this.incoming = incoming;
    this.stage = incoming ? "handshake" : "connecting";
    this.pieces = new Bitfield(pieceCount);
    this.decoder = options.decoder ?? new WireDecoder({ pieceCount });
    this.decoder.expectPieces(pieceCount);
    this.patience = new Patience(nowMs);
    this.downMeter = new RateMeter(nowMs);
    this.upMeter = new RateMeter(nowMs);
    this.openedAtMs = nowMs;
    this.lastReceivedAtMs = nowMs;
    this.lastSentAtMs = nowMs;
  }

  /** Returns a session for the connection of `old`, now that it is known how many pieces there are. */
  static continued(
    old: PeerSession,
    now: { readonly pieceCount: number; readonly nowMs: number },
  ): PeerSession {
    const { link, remote, incoming, decoder, limits } = old;
    const session = new PeerSession({
      ...{ link, remote, incoming, decoder, limits, ...now },
    });
    session.stage = old.stage;
    session.infoHash = old.infoHash;
    session.peerId = old.peerId;
    session.client = old.client;
    session.features = old.features;
    session.extended = old.extended;
    session.sending = old.sending;
    if (old.hasControl) session.sayBytes(old.takeControl());
    return session;
  }

  /** Takes over who the peer says it is. */
  identify(peerId: Uint8Array): void {
    this.peerId = toHex(peerId);
    // Most begin with something readable: -TR3000-, A2-1-36-0-, M7-11-0-; what follows was drawn by lot.
    this.client = /^[-\w]{6,8}/.exec(fromUtf8(peerId.subarray(0, 8)))?.[0] ??
      "";
  }

  /** Where it takes connections, if we know: where we connected to, or the port it says it listens at (BEP 10, "p"). */
  get endpoint(): PeerEndpoint | null {
    if (!this.incoming) return this.remote;
    const port = this.extended?.port;
    // A socket for both families shows IPv4 addresses as mapped ones.
    const host = this.remote.host.replace(/^::ffff:(?=\d+\.)/, "");
    return port === undefined ? null : { host, port };
  }

  /** How many requests may wait at it (BEP 10, "reqq"). */
  get maxRequests(): number {
    return this.extended?.reqq ?? DEFAULT_REQQ;
  }

  /** It wants no pieces, even if it does not have them all (BEP 21). */
  get uploadOnly(): boolean {
    return this.extended?.uploadOnly ?? false;
  }

  /** Puts a message in line; it goes out with the next send. */
  say(message: EncodableMessage): void {
    this.sayBytes(encodeMessage(message));
  }

  /** Puts bytes in line: the handshake. */
  sayBytes(bytes: Uint8Array): void {
    // As a rule it is the only one, and a list that grows is made for 17.
    if (this.#control.length === 0) this.#control = [bytes];
    else this.#control.push(bytes);
    this.#controlBytes += bytes.length;
  }

  /**
   * Forgets what the peer waits for, as we choke it. With the fast extension each request gets a reject, after the choke, so
   * that the peer does not ask again; except for pieces it may have while choked.
   */
  rejectUploads(): void {
    this.chokedRequests = 0;
    const waiting = this.uploads;
    this.uploads = [];
    if (!this.features.fast) return;
    for (const block of waiting) {
      if (this.allowedFast.has(block.pieceIndex)) this.uploads.push(block);
      else this.say({ kind: "reject", ...block });
    }
  }

  /** Bytes of the messages in line. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Whether messages are in line. */
  get hasControl(): boolean {
    return this.#control.length > 0;
  }

  /** Takes the messages in line. */
  takeControl(): Uint8Array {
    const bytes = this.#control.length === 1
      ? this.#control[0]!
      : concat(...this.#control);
    this.#control = NOTHING;
    this.#controlBytes = 0;
    return bytes;
  }
}
