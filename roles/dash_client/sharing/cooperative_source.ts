import type { SegmentLocation } from "../../../lib/dash/mpd/mpd.ts";
import type { Position } from "../../../lib/dash/title.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Fetched } from "../network/fetcher.ts";
import type {
  SegmentOptions,
  Segments,
  Unavailable,
} from "../source/segment_source.ts";
import type { PeerPieces } from "./cooperation.ts";
import { type FromPeers, lacking, waitForPeers } from "./peer_wait.ts";
import type { SharedPart, SharedPiece, TitleTorrent } from "./title_torrent.ts";

/** Gets segments from peers first, and what they do not give in time from the CDN. */
export class CooperativeSource implements Segments {
  readonly #cdn: Segments;
  readonly #torrent: TitleTorrent;
  readonly #peer: PeerPieces;
  readonly #ctx: RoleContext;
  /** Of the player's clock: so many times as fast. */
  readonly #speed: number;
  /** Pieces that the CDN gave. */
  readonly #fromCdnBefore = new Set<number>();

  /** @param cdn Where everything is. */
  constructor(cdn: Segments, options: {
    readonly torrent: TitleTorrent;
    readonly peer: PeerPieces;
    readonly speed: number;
    readonly ctx: RoleContext;
  }) {
    this.#cdn = cdn;
    this.#torrent = options.torrent;
    this.#peer = options.peer;
    this.#speed = options.speed;
    this.#ctx = options.ctx;
  }

  /** The highest rung in which peers have all of a segment and would serve it, or in which it is here already; -1 if in none. */
  offered({ choices }: Pick<Position, "choices">): number {
    return choices.findLastIndex(({ segment }) => {
      const part = this.#torrent.find(segment);
      if (part === undefined) return false;
      return this.#peer.offered(this.#missing(part));
    });
  }

  /** See {@linkcode Segments.get}. */
  async get(
    location: SegmentLocation,
    options: SegmentOptions,
  ): Promise<Fetched | Unavailable> {
    const part = this.#torrent.find(location);
    const { state } = options;
    if (part === undefined || state?.durationMs === undefined) {
      return await this.#cdn.get(location, options);
    }
    const fromPeers = await waitForPeers({
      ...{ peer: this.#peer, speed: this.#speed, ctx: this.#ctx },
      wanted: this.#missing(part),
    }, options);
    const given = options.signal?.aborted === true;
    if (fromPeers.missing.length > 0 || given) {
      return await this.#fromCdn(location, options, { part, fromPeers });
    }
    const peerBytes = this.#peerBytes(part);
    return {
      ok: true,
      url: location.urls[0]!,
      bytes: part.to - part.from,
      peerBytes,
      cdnBytes: 0,
      peerMs: fromPeers.elapsedMs,
      ttfbMs: fromPeers.firstMs ?? 0,
      downloadMs: fromPeers.elapsedMs,
      server: peerBytes > 0 ? "peers" : "memory",
      cacheStatus: "",
      ageSeconds: 0,
    };
  }

  #missing({ pieces }: SharedPart): readonly number[] {
    return lacking(this.#peer, pieces.map(({ index }) => index));
  }

  /**
   * Gets what is missing, and shares it. Pieces are fetched whole, as nobody can share a part of one: where segments are
   * parts of a file, what is a neighbour's comes along, and the neighbour need not ask for it.
   */
  async #fromCdn(
    location: SegmentLocation,
    options: SegmentOptions,
    { part, fromPeers }: {
      readonly part: SharedPart;
      readonly fromPeers: FromPeers;
    },
  ): Promise<Fetched | Unavailable> {
    const missing = part.pieces.filter(({ index }) =>
      fromPeers.missing.includes(index)
    );
    const [first = part] = missing;
    const last = missing.at(-1) ?? part;
    const asItIs = missing.length === 0 ||
      location.range === undefined && missing.length === part.pieces.length;
    const range = { first: first.from, last: last.to - 1 };
    const got = await this.#fetch(
      asItIs ? location : { ...location, range },
      options,
      asItIs ? part.from : first.from,
    );
    if (!got.ok) {
      // A server that knows no ranges may have the whole of it, and one with another file what its manifest says.
      return !asItIs && got.abandoned !== true
        ? await this.#fetch(location, options, part.from)
        : got;
    }
    const { elapsedMs, firstMs } = fromPeers;
    return {
      ...got,
      bytes: part.to - part.from,
      peerBytes: this.#peerBytes(part, missing),
      cdnBytes: got.bytes,
      peerMs: elapsedMs,
      ttfbMs: firstMs ?? elapsedMs + got.ttfbMs,
      downloadMs: elapsedMs + got.downloadMs,
    };
  }

  /** How much of a segment other players gave: all but what the CDN gave now, or with a neighbour before. */
  #peerBytes(
    { from, to, pieces }: SharedPart,
    missing: readonly SharedPiece[] = [],
  ): number {
    const [first] = missing;
    const last = missing.at(-1);
    return pieces.reduce((sum, piece) => {
      const isNow = first !== undefined && piece.index >= first.index &&
        piece.index <= last!.index;
      return isNow || this.#fromCdnBefore.has(piece.index)
        ? sum
        : sum + Math.min(to, piece.to) - Math.max(from, piece.from);
    }, 0);
  }

  /** Fetches from the CDN; the pieces that are whole in it are shared. @param from Where in the file it begins. */
  async #fetch(
    location: SegmentLocation,
    options: SegmentOptions,
    from: number,
  ): Promise<Fetched | Unavailable> {
    const part = this.#torrent.find(location);
    const bytes = new Uint8Array(part === undefined ? 0 : part.to - part.from);
    let length = 0;
    const got = await this.#cdn.get(location, {
      ...options,
      begin: () => {
        length = 0;
        options.begin?.();
      },
      sink: (chunk) => {
        if (length + chunk.length <= bytes.length) bytes.set(chunk, length);
        length += chunk.length;
        return options.sink?.(chunk);
      },
    });
    if (!got.ok || length !== bytes.length) return got;
    for (const piece of part?.pieces ?? []) {
      const begin = piece.from - from;
      const end = piece.to - from;
      if (begin < 0 || end > bytes.length) continue;
      if (this.#peer.supply(piece.index, bytes.subarray(begin, end))) {
        this.#fromCdnBefore.add(piece.index);
        continue;
      }
      // The CDN has another version of the title than the torrent, and plays all the same.
      this.#ctx.emit({
        type: "piece.rejected",
        pieceIndex: piece.index,
        from: got.server,
      });
    }
    return got;
  }
}
