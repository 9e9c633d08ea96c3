/**
 * The nearest edge, by measured round trips.
 *
 * Round trips are smoothed as TCP does it (RFC 6298 §2, with a larger gain, as there are few of them). The edge that was
 * chosen last stays until another is nearer by a clear margin: else two edges equally far away would change places with
 * every measurement, and clients with them.
 */
import { formatMs } from "../../core/units.ts";
import type { RoundTrip } from "./edge.ts";
import { pickInTurn } from "./round_robin.ts";
import type { Picked, SelectionRequest } from "./selection.ts";

/** Weight of the newest measurement; RFC 6298 has 1/8 and 1/4 for one per round trip. */
const GAIN = { smoothed: 1 / 4, variation: 1 / 4 } as const;

/** Another edge must be nearer by this share of the present one's round trip, by its variation, and by {@linkcode MIN_MARGIN_MS}. */
const MARGIN_SHARE = 0.2;
const MIN_MARGIN_MS = 0.5;

/** Returns what is known of a round trip after one more measurement. */
export function smoothRoundTrip(
  before: RoundTrip | undefined,
  measuredMs: number,
): RoundTrip {
  const smoothedMs = before === undefined
    ? measuredMs
    : before.smoothedMs + GAIN.smoothed * (measuredMs - before.smoothedMs);
  const variationMs = before === undefined
    ? measuredMs / 2
    : before.variationMs +
      GAIN.variation *
        (Math.abs(measuredMs - before.smoothedMs) - before.variationMs);
  return { smoothedMs, variationMs, text: formatMs(smoothedMs) };
}

function marginMs({ smoothedMs, variationMs }: RoundTrip): number {
  return Math.max(MIN_MARGIN_MS, MARGIN_SHARE * smoothedMs, variationMs);
}

/** Picks the nearest edge, or keeps the one chosen last while no other is clearly nearer. Of equal ones the first wins; edges never measured count only while none has been. */
export function pickNearest(request: SelectionRequest): Picked {
  const { edges, memory } = request;
  let index = -1;
  let heldAt = -1;
  for (let at = 0; at < edges.length; at++) {
    const edge = edges[at]!;
    const { roundTrip } = edge.state;
    if (roundTrip === undefined) continue;
    if (edge === memory.held) heldAt = at;
    const best = edges[index]?.state.roundTrip;
    if (best === undefined || roundTrip.smoothedMs < best.smoothedMs) {
      index = at;
    }
  }
  const best = edges[index]?.state.roundTrip;
  if (best === undefined) {
    return {
      ...pickInTurn(request),
      reason: "no edge has been measured: in turn",
    };
  }
  const held = edges[heldAt]?.state.roundTrip;
  if (
    held === undefined || heldAt === index ||
    best.smoothedMs < held.smoothedMs - marginMs(held)
  ) return { index, scopeLength: 0, reason: `nearest (${best.text})` };
  return {
    index: heldAt,
    scopeLength: 0,
    reason: `as before (${held.text}), none is clearly nearer (${best.text})`,
  };
}
