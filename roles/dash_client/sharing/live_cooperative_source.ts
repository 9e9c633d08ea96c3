import { ByteCollector } from "../../../lib/core/byte_collector.ts";
import { type LiveSlot, liveSlotOf } from "../../../lib/dash/live_slots.ts";
import type { Mpd, SegmentLocation } from "../../../lib/dash/mpd/mpd.ts";
import type { Position } from "../../../lib/dash/title.ts";
import { reprDigest } from "../../../lib/io/hash.ts";
import type { RoleContext } from "../../../lib/role.ts";
import type { Fetched } from "../network/fetcher.ts";
import type {
  SegmentOptions,
  Segments,
  Unavailable,
} from "../source/segment_source.ts";
import type { PeerPieces } from "./cooperation.ts";
import { MAX_SHARED_BYTES, type Voucher } from "./live_cooperation.ts";
import { type FromPeers, lacking, waitForPeers } from "./peer_wait.ts";

/** Asks whoever fills a cache to keep the digest beside the bytes (RFC 9530 §4). */
const WANT_DIGEST = { "want-repr-digest": "sha-256=1" };

/** Where a live player shares. */
export interface Rooms {
  /** A room, if it is the one the player is in. */
  in(number: number):
    | {
      readonly room: {
        knows(pieceIndex: number): boolean;
        learn(pieceIndex: number, voucher: Voucher): boolean;
      };
      readonly peer: PeerPieces;
    }
    | undefined;
  /** Goes on to a room; it stays in a later one. */
  enter(number: number): Promise<void>;
}

type Entered = NonNullable<ReturnType<Rooms["in"]>> & {
  readonly pieceIndex: number;
};

/** Gets live segments from peers when the CDN vouches for what they give, and all else from the CDN. */
export class LiveCooperativeSource implements Segments {
  readonly #cdn: Segments;
  readonly #manifest: () => Pick<Mpd, "periods"> | undefined;
  readonly #rooms: Rooms;
  readonly #ctx: RoleContext;
  #warned = false;

  /**
   * @param cdn Where everything is.
   * @param options.manifest As it is now.
   */
  constructor(cdn: Segments, options: {
    readonly manifest: () => Pick<Mpd, "periods"> | undefined;
    readonly rooms: Rooms;
    readonly ctx: RoleContext;
  }) {
    this.#cdn = cdn;
    this.#manifest = options.manifest;
    this.#rooms = options.rooms;
    this.#ctx = options.ctx;
  }

  /** The highest rung in which peers have a segment and would serve it, or in which it is here already; -1 if in none. */
  offered({ choices }: Pick<Position, "choices">): number {
    return choices.findLastIndex(({ segment }) => {
      const slot = this.#slotOf(segment);
      const peer = slot && this.#rooms.in(slot.room)?.peer;
      return peer?.offered(lacking(peer, [slot!.pieceIndex])) ?? false;
    });
  }

  /** Goes to where a segment is shared, to meet who is there. */
  async prepare(location: SegmentLocation): Promise<void> {
    const slot = this.#slotOf(location);
    if (slot !== undefined) await this.#rooms.enter(slot.room);
  }

  /** See {@linkcode Segments.get}. */
  async get(
    location: SegmentLocation,
    options: SegmentOptions,
  ): Promise<Fetched | Unavailable> {
    const slot = options.state?.durationMs === undefined
      ? undefined
      : this.#slotOf(location);
    if (slot !== undefined) await this.#rooms.enter(slot.room);
    const entered = slot && this.#rooms.in(slot.room);
    if (entered === undefined) return await this.#cdn.get(location, options);
    const { pieceIndex } = slot!;
    const at = { ...entered, pieceIndex };
    const { peer } = at;
    const fromPeers = await waitForPeers({
      ...{ peer, wanted: lacking(peer, [pieceIndex]), speed: 1 },
      ctx: this.#ctx,
      vouch: () => this.#vouch(location, options, at),
    }, options);
    const bytes = peer.piece(pieceIndex);
    const given = options.signal?.aborted === true;
    if (given || !(bytes instanceof Uint8Array)) {
      return await this.#fromCdn(location, options, { at, fromPeers });
    }
    const asked = fromPeers.firstMs !== undefined;
    return {
      ok: true,
      url: location.urls[0]!,
      bytes: bytes.length,
      peerBytes: asked ? bytes.length : 0,
      cdnBytes: 0,
      peerMs: fromPeers.elapsedMs,
      ttfbMs: fromPeers.firstMs ?? 0,
      downloadMs: fromPeers.elapsedMs,
      server: asked ? "peers" : "memory",
      cacheStatus: "",
      ageSeconds: 0,
    };
  }

  #slotOf(location: SegmentLocation): LiveSlot | undefined {
    const manifest = this.#manifest();
    return manifest && liveSlotOf(manifest, location);
  }

  /** Asks the CDN what a segment is, without the segment. */
  async #vouch(
    location: SegmentLocation,
    { segmentNumber, signal }: SegmentOptions,
    { room, pieceIndex }: Entered,
  ): Promise<boolean> {
    if (room.knows(pieceIndex)) return true;
    let told: Voucher | undefined;
    const got = await this.#cdn.get(location, {
      ...{ segmentNumber, signal, method: "HEAD", headers: WANT_DIGEST },
      rounds: 1,
      head: (headers) => told = voucherOf(headers),
    });
    return got.ok && told !== undefined && room.learn(pieceIndex, told);
  }

  /** Gets a segment from the CDN, and shares it if the CDN says what it is. */
  async #fromCdn(
    location: SegmentLocation,
    options: SegmentOptions,
    { at: { room, peer, pieceIndex }, fromPeers }: {
      readonly at: Entered;
      readonly fromPeers: FromPeers;
    },
  ): Promise<Fetched | Unavailable> {
    let digest: string | undefined;
    let collected = new ByteCollector();
    const got = await this.#cdn.get(location, {
      ...options,
      headers: { ...options.headers, ...WANT_DIGEST },
      begin: () => {
        collected = new ByteCollector();
        options.begin?.();
      },
      head: (headers) => {
        digest = digestIn(headers);
        options.head?.(headers);
      },
      sink: (chunk) => {
        const lengthBytes = collected.length + chunk.length;
        if (lengthBytes <= MAX_SHARED_BYTES) collected.push(chunk);
        return options.sink?.(chunk);
      },
    });
    if (!got.ok) return got;
    const { bytes } = collected;
    const whole = bytes.length === got.bytes;
    if (digest === undefined) this.#warn(got.url);
    else if (whole && digest === reprDigest(bytes)) {
      if (room.learn(pieceIndex, { lengthBytes: bytes.length, digest })) {
        peer.supply(pieceIndex, bytes);
      }
    }
    const { elapsedMs, firstMs } = fromPeers;
    return {
      ...got,
      peerBytes: 0,
      cdnBytes: got.bytes,
      peerMs: elapsedMs,
      ttfbMs: firstMs ?? elapsedMs + got.ttfbMs,
      downloadMs: elapsedMs + got.downloadMs,
    };
  }

  /** Says once that nothing can be shared. */
  #warn(url: string): void {
    if (this.#warned) return;
    this.#warned = true;
    const text =
      "--cooperate: the CDN tells no digest of its segments (Repr-Digest, sha-256): what peers give could not be checked, so nothing is shared";
    this.#ctx.emit({ type: "manifest.warned", url, line: 1, text });
  }
}

/** The SHA-256 of the whole that an answer tells, as `reprDigest` writes it (RFC 9530 §3). */
function digestIn(headers: Headers): string | undefined {
  const told = headers.get("repr-digest") ?? "";
  return /(?:^|,)[ \t]*(sha-256=:[A-Za-z0-9+/]{43}=:)/.exec(told)?.[1];
}

function voucherOf(headers: Headers): Voucher | undefined {
  const digest = digestIn(headers);
  const lengthBytes = Number(headers.get("content-length") ?? NaN);
  return digest === undefined || Number.isNaN(lengthBytes)
    ? undefined
    : { lengthBytes, digest };
}
