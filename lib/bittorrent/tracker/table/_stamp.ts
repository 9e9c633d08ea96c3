/** Stamps of 16 bits: when a peer announced last, and a few bits of its id. */

/** A peer is silent after so many ticks: fine enough to show an age, and a stamp holds eight times as many. */
export const EXPIRY_TICKS = 512;
const TICK_MASK = 0xfff;
const PRINT_BITS = 4;
const PRINT_MASK = 0xf;

/** Returns the stamp of a peer that announced at `tick` and whose id has that {@linkcode printOf}. */
export function stampOf(tick: number, print: number): number {
  return (tick & TICK_MASK) << PRINT_BITS | print;
}

/** Returns how many ticks have passed since, less than eight times {@linkcode EXPIRY_TICKS}. */
export function ticksSince(stamp: number, tick: number): number {
  return tick - (stamp >> PRINT_BITS) & TICK_MASK;
}

/** Returns some bits of a peer id, of which two ids rarely share all: most ids need not be looked at. */
export function printOf(peerId: Uint8Array): number {
  return peerId[16]! + peerId[17]! + peerId[18]! + 3 * peerId[19]! &
    PRINT_MASK;
}

/** Whether the peer's id has that print. */
export function hasPrint(stamp: number, print: number): boolean {
  return (stamp & PRINT_MASK) === print;
}
