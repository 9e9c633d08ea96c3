import { BLOCK_BYTES } from "../../wire/messages.ts";

/** Requests beyond what the rate asks for: enough to find out that a peer can do more. */
const HEADROOM = 6;
/** Most requests at once: 250 is what clients accept that do not say otherwise (libtorrent's `reqq`). */
export const MAX_REQUESTS = 250;

/**
 * Decides how many requests to keep waiting at a peer: one second of its rate, so that its link never runs dry, and a
 * little more, so that a faster peer shows (bandwidth × delay, as the delay of a LAN or of a limited peer's queue is far below 1 s).
 */
export function pipelineDepth(bytesPerSecond: number): number {
  return Math.min(
    MAX_REQUESTS,
    HEADROOM + Math.ceil(bytesPerSecond / BLOCK_BYTES),
  );
}
