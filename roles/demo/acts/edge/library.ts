/** A title of many small segments, all of one size: what the clients of an edge ask for. */

/** How `origin` is told to make it: segments of two seconds at 80 kbit/s, of which all fit the memory of any machine. */
export const LIBRARY: readonly string[] = [
  ...["--ladder", "240p@80k", "--segment", "2s", "--duration", "1000s"],
];
/** How many segments it has. */
export const LIBRARY_SEGMENTS = 500;
/** How large each is. */
export const LIBRARY_SEGMENT_BYTES = 20_000;

/** Where an origin or an edge has a segment; the first is 1. */
export function segmentPath(number: number): string {
  return `/video_240_${number}.m4s`;
}
