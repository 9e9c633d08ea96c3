import { ProtocolError } from "../../../core/errors.ts";
import { type Layout, pieceSpanOf } from "../../metainfo/layout.ts";
import type { PeerSession } from "../state/peer_session.ts";
import type { SwarmState } from "../state/state.ts";
import type { SwarmOptions } from "../options.ts";
import { type BlockRef, MAX_REQUEST_BYTES } from "../../wire/messages.ts";

/** How long a part of a block may take to leave before someone else is sent one. */
const LEAVING_MS = 5;

/** What holds uploads back: the limit that all connections share, and the one that each has for itself. */
export class UploadLimits {
  /** When a limit lets something pass that waits for it; the owner sets it back before it asks again. */
  passAtMs = Infinity;
  readonly #state: SwarmState;

  /** Takes the limits of the swarm's options. */
  constructor(state: SwarmState) {
    this.#state = state;
  }

  /** Whether there is any limit. */
  get limited(): boolean {
    const { upload, limitPeer } = this.#state.options;
    return upload.limited || limitPeer !== undefined;
  }

  /** Whether the limits let something to a peer pass now; if not, notes when they will. */
  passes({ limits }: PeerSession): boolean {
    return this.#lets(this.#state.options.upload) &&
      (limits.upload === null || this.#lets(limits.upload));
  }

  #lets(limit: SwarmOptions["upload"]): boolean {
    const { nowMs } = this.#state;
    if (limit.ready(nowMs)) return true;
    this.passAtMs = Math.min(this.passAtMs, limit.readyAtMs(nowMs));
    return false;
  }

  /** Whether the limit that all share lets nothing pass now. */
  get holdsAll(): boolean {
    return !this.#state.options.upload.ready(this.#state.nowMs);
  }

  /** Lets nothing else pass while a part of a block leaves. */
  letLeave(): null {
    this.passAtMs = this.#state.nowMs + LEAVING_MS;
    return null;
  }

  /** Takes the tokens of what is sent to a peer. */
  spend({ limits }: PeerSession, bytes: number): void {
    this.#state.options.upload.spend(bytes);
    limits.upload?.spend(bytes);
  }

  /** How much may go to a peer in one part. */
  quantumOf({ limits }: PeerSession): number {
    // Where buffers stand for bytes that are not there, a block is one thing.
    if (this.#state.options.allocate !== undefined) return Infinity;
    return Math.min(
      this.#state.options.upload.quantumBytes,
      limits.upload?.quantumBytes ?? Infinity,
    );
  }
}

/** Refuses requests for what is not in the torrent. @throws {ProtocolError} `request-out-of-range`. */
export function checkRequest(layout: Layout, block: BlockRef): void {
  const { pieceIndex, begin, lengthBytes } = block;
  if (
    pieceIndex >= layout.pieceCount || lengthBytes === 0 ||
    lengthBytes > MAX_REQUEST_BYTES ||
    begin + lengthBytes > pieceSpanOf(layout, pieceIndex)
  ) {
    throw new ProtocolError(
      "request-out-of-range",
      `Cannot serve request: must be at most ${MAX_REQUEST_BYTES} bytes inside a piece, got ${lengthBytes} from ${begin} of piece ${pieceIndex}`,
    );
  }
}
