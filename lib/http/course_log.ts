/** Log formats of the course projects in whose place an edge can stand. */
export type CourseFormat = "cmu" | "umich" | "cuhk";

/** One chunk that a client received. */
export interface CourseChunk {
  /** When its last byte was sent, seconds since 1970. */
  readonly wallSeconds: number;
  /** The browser's address. */
  readonly browser: string;
  /** The web server's address. */
  readonly server: string;
  /** Path of the chunk as it was asked for at the server. */
  readonly chunk: string;
  readonly durationSeconds: number;
  readonly throughputKbps: number;
  readonly averageKbps: number;
  /** Of the rate that was chosen. */
  readonly bitrateKbps: number;
}

/**
 * Writes the line of a project's log, without its end.
 *
 * - CMU 15-441 P3: `<time> <duration> <tput> <avg-tput> <bitrate> <server-ip> <chunkname>`
 * - UMich EECS 489 A2 (F18): `<browser-ip> <duration> <tput> <avg-tput> <bitrate> <server-ip> <chunkname>`
 * - CUHK CSCI4430 A2: `<browser-ip> <chunkname> <server-ip> <duration> <tput> <avg-tput> <bitrate>`
 *
 * Seconds and kbit/s (1000 bits).
 */
export function formatChunk(format: CourseFormat, chunk: CourseChunk): string {
  const { browser, server, bitrateKbps } = chunk;
  const name = chunk.chunk.replace(/\s/g, "%20");
  const figures = [
    chunk.durationSeconds.toFixed(6),
    chunk.throughputKbps.toFixed(3),
    chunk.averageKbps.toFixed(3),
    Math.round(bitrateKbps),
  ].join(" ");
  switch (format) {
    case "cmu":
      return `${chunk.wallSeconds.toFixed(3)} ${figures} ${server} ${name}`;
    case "umich":
      return `${browser} ${figures} ${server} ${name}`;
    case "cuhk":
      return `${browser} ${name} ${server} ${figures}`;
  }
}
