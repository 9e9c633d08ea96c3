/**
 * Players of a live title that share what they play (`--cooperate`). There is no torrent of what is not made yet: what a
 * swarm needs beforehand (its name, and which piece a segment is) follows from the manifest, see `lib/dash/live_slots.ts`,
 * and what makes a stranger's bytes trustworthy is asked of the CDN, in the few hundred bytes of an answer to HEAD. So it
 * is a swarm that BitTorrent clients cannot join: to them it is a torrent whose metadata nobody has.
 */
import { utf8 } from "../../../lib/core/bytes.ts";
import { ROOM_PIECES } from "../../../lib/dash/live_slots.ts";
import { reprDigest, sha1 } from "../../../lib/io/hash.ts";
import type { RoleContext } from "../../../lib/role.ts";
import {
  CooperatingPeer,
  Cooperation,
  type SharingOptions,
  type SharingTotals,
} from "./cooperation.ts";

/** A segment is one piece, and none has more than this: ten seconds at 3 Mbit/s. Larger ones are not shared. */
export const MAX_SHARED_BYTES: number = 4 * 2 ** 20;
/** Of a live title nobody wants what is minutes old. */
const CAPACITY_BYTES = 64 * 2 ** 20;
/** Players of one process are at the same place, or on both sides of a room's end. */
const KEPT_ROOMS = 2;

/** What is known of a segment before it is there. */
export interface Voucher {
  readonly lengthBytes: number;
  /** As `Repr-Digest` has it. */
  readonly digest: string;
}

/** One swarm: half an hour of the title. */
export class LiveRoom {
  readonly cooperation: Cooperation;
  readonly #lengths = new Map<number, number>();
  readonly #digests = new Map<number, string>();

  /** Creates an empty one. @param name The same for all who are to meet in it. */
  constructor(name: string, options: SharingOptions) {
    this.cooperation = new Cooperation(
      {
        layout: {
          pieceLength: MAX_SHARED_BYTES,
          pieceCount: ROOM_PIECES,
          totalBytes: ROOM_PIECES * MAX_SHARED_BYTES,
          files: [],
          trimmed: this.#lengths,
        },
        infoHash: sha1(utf8(name)),
        metadata: undefined,
        private: false,
        announceList: [],
        hashes: {
          matches: (pieceIndex, bytes) =>
            reprDigest(bytes) === this.#digests.get(pieceIndex),
        },
      },
      options,
      CAPACITY_BYTES,
    );
  }

  /** Whether it is known what a piece is. */
  knows(pieceIndex: number): boolean {
    return this.#digests.has(pieceIndex);
  }

  /** The CDN said what a piece is. Returns false when that cannot be shared, or it said something else before. */
  learn(pieceIndex: number, { lengthBytes, digest }: Voucher): boolean {
    const known = this.#digests.get(pieceIndex);
    if (known !== undefined) return known === digest;
    if (lengthBytes < 1 || lengthBytes > MAX_SHARED_BYTES) return false;
    this.#lengths.set(pieceIndex, lengthBytes);
    this.#digests.set(pieceIndex, digest);
    return true;
  }
}

/** What the players of this process share of a live title. */
export class LiveCooperation {
  readonly #title: string;
  readonly #options: SharingOptions;
  readonly #rooms = new Map<number, LiveRoom>();

  /** @param url The manifest's, as the user gave it: players who were given the same one meet, whatever node serves them. */
  constructor(url: string, options: SharingOptions) {
    const { origin, pathname } = new URL(url);
    this.#title = `${origin}${pathname}`;
    this.#options = options;
  }

  /** Returns a room. */
  room(number: number): LiveRoom {
    let room = this.#rooms.get(number);
    if (room === undefined) {
      const name = `rolecall live ${number} ${this.#title}`;
      room = new LiveRoom(name, this.#options);
      this.#rooms.set(number, room);
      const oldest = Math.min(...this.#rooms.keys());
      if (this.#rooms.size > KEPT_ROOMS) this.#rooms.delete(oldest);
    }
    return room;
  }
}

/** One player on its way through the rooms. */
export class LivePeer implements AsyncDisposable {
  readonly #cooperation: LiveCooperation;
  readonly #ctx: RoleContext;
  #number = -Infinity;
  #room: LiveRoom | undefined;
  #peer: CooperatingPeer | undefined;
  /** Of the rooms before. */
  #before: SharingTotals = { uploadedBytes: 0, downloadedBytes: 0, peers: 0 };

  /** Creates a player that is in no room yet. */
  constructor(cooperation: LiveCooperation, ctx: RoleContext) {
    this.#cooperation = cooperation;
    this.#ctx = ctx;
  }

  /** The room it is in, if it is that one. */
  in(
    number: number,
  ): { readonly room: LiveRoom; readonly peer: CooperatingPeer } | undefined {
    return this.#number === number
      ? { room: this.#room!, peer: this.#peer! }
      : undefined;
  }

  /** Goes on to a room, at the same port; there is no way back. */
  async enter(number: number): Promise<void> {
    if (number <= this.#number) return;
    const port = this.#peer?.port ?? 0;
    await this.#leave();
    this.#room = this.#cooperation.room(number);
    this.#peer = new CooperatingPeer(this.#room.cooperation, this.#ctx, port);
    this.#number = number;
  }

  /** So far, in all rooms; peers are those of the room that had most. */
  get totals(): SharingTotals {
    const before = this.#before;
    const now = this.#peer?.totals;
    return now === undefined ? before : {
      uploadedBytes: before.uploadedBytes + now.uploadedBytes,
      downloadedBytes: before.downloadedBytes + now.downloadedBytes,
      peers: Math.max(before.peers, now.peers),
    };
  }

  async #leave(): Promise<void> {
    this.#before = this.totals;
    this.#number = -Infinity;
    const peer = this.#peer;
    this.#peer = undefined;
    await peer?.[Symbol.asyncDispose]();
  }

  /** Leaves for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }
}
