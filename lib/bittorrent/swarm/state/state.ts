import { equalBytes } from "../../../core/bytes.ts";
import { Bitfield } from "../../wire/bitfield.ts";
import { ExternalAddress } from "../contacts/external_address.ts";
import type { PeerFeatures } from "../../wire/handshake.ts";
import type { PeerEndpoint } from "../../peer_endpoint.ts";
import { PieceBoard } from "../pieces/piece_board.ts";
import { PieceCache } from "../pieces/piece_cache.ts";
import type { PeerSession } from "./peer_session.ts";
import { RateMeter } from "../../rate_meter.ts";
import type { SwarmOptions } from "../options.ts";
import type { SwarmEvent, SwarmOutput } from "../in_out.ts";
import { Unsent } from "./unsent.ts";

/** Memory for pieces to serve from; beside it only pieces under way are held. */
const CACHE_BYTES = 8 * 2 ** 20;

/** An input that leads to nothing; nothing is ever added to it. */
const NOTHING: SwarmOutput[] = [];

/** What the parts of a {@linkcode Swarm} share. */
export class SwarmState {
  /** See {@linkcode SwarmOptions}. */
  readonly options: SwarmOptions;
  /** The time of the input being handled. */
  nowMs = 0;
  /** What the input being handled leads to. */
  out: SwarmOutput[] = NOTHING;
  /** Every connection, by link, oldest first. */
  readonly sessions: Map<number, PeerSession> = new Map();
  /** Sessions with something to send. */
  readonly dirty: Unsent = new Unsent();
  /** Our pieces. */
  readonly have: Bitfield;
  /** Who is asked for what. */
  readonly board: PieceBoard;
  /** The pieces that are wanted now; null when all are. */
  readonly demand: Set<number> | null;
  /** Pieces in memory. */
  readonly cache: PieceCache;
  /** We are a first seed that pretends to lack pieces: see `spread`. */
  spreading = false;
  /** Verified bytes. */
  haveBytes = 0;
  /** Payload received and kept. */
  downloadedBytes = 0;
  /** Payload sent. */
  uploadedBytes = 0;
  /** Payload received in vain. */
  wastedBytes = 0;
  /** What our handshakes announce. */
  readonly features: Partial<PeerFeatures>;
  /** Where others see us. */
  readonly externalAddress: ExternalAddress = new ExternalAddress();
  /** Canonical priorities of those we could connect to, and our address they hold for: of a thousand addresses, each would be computed again for every connection that is made. */
  readonly ranks: WeakMap<
    PeerEndpoint,
    { readonly seenFrom: string; readonly rank: number }
  > = new WeakMap();
  /** Whether any handshake ever succeeded. */
  everConnected = false;
  /** Payload received from everyone. */
  readonly downMeter: RateMeter;
  /** Payload sent to everyone. */
  readonly upMeter: RateMeter;

  /** Creates the state before the first connection. */
  constructor(options: SwarmOptions, nowMs: number) {
    this.options = options;
    const { v2, infoHash } = options;
    const { layout, rng, picker } = options;
    const dht = options.dhtPort !== undefined;
    const upgradable = v2 !== undefined && !equalBytes(v2.infoHash, infoHash);
    this.features = { fast: true, extended: true, dht, v2: upgradable };
    this.have = new Bitfield(layout.pieceCount);
    for (const pieceIndex of options.have) this.have.add(pieceIndex);
    this.cache = new PieceCache({
      pieceLength: layout.pieceLength,
      capacityBytes: CACHE_BYTES,
      ...(options.allocate === undefined ? {} : { allocate: options.allocate }),
    });
    const demand = options.onDemand ? new Set<number>() : null;
    this.demand = demand;
    const known = v2?.known ?? (() => true);
    this.board = new PieceBoard({
      layout,
      have: this.have,
      picker,
      rng,
      known: demand === null
        ? known
        : (pieceIndex) => demand.has(pieceIndex) && known(pieceIndex),
      takeBuffer: (length) => this.cache.takeBuffer(length),
    });
    this.downMeter = new RateMeter(nowMs);
    this.upMeter = new RateMeter(nowMs);
  }

  /** The input being handled may lead to something; half of all are the news that someone has a piece that we have, too. */
  stirred = true;
  #open: readonly PeerSession[] | null = null;

  /** An input came. */
  begin(nowMs: number): void {
    this.nowMs = nowMs;
    this.out = NOTHING;
    this.stirred = true;
  }

  /** Adds to what the input leads to. Mostly it is the only output: a list of one, as one that grows is made for 17. */
  put(output: SwarmOutput): void {
    if (this.out.length === 0) this.out = [output];
    else this.out.push(output);
  }

  /** Tells of something. */
  emit(event: SwarmEvent): void {
    this.put({ kind: "event", event });
  }

  /** The sessions whose handshake is done. The list stays as it is; when there are others there is another list. */
  open(): readonly PeerSession[] {
    return this.#open ??= [...this.sessions.values()]
      .filter(({ stage }) => stage === "open");
  }

  /** A session was opened, is gone, or was put in the place of another. */
  openChanged(): void {
    this.#open = null;
  }
}
