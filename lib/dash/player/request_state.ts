/** What a player knows of itself as it asks for something: what it tells a CDN (CMCD). Times are the player's. */
export interface RequestState {
  /** Of the media, see `Position`. */
  readonly contentType: string;
  /** The rate asked for, and the highest there is. */
  readonly bitsPerSecond: number;
  readonly topBitsPerSecond: number;
  /** Media in it; undefined of an initialization segment. */
  readonly durationMs: number | undefined;
  readonly bufferMs: number;
  /** As measured, of the real network; undefined before the first segment. */
  readonly throughputBitsPerSecond: number | undefined;
  /** Nothing plays: it is wanted at once. */
  readonly startup: boolean;
  /** The buffer ran dry since the last request. */
  readonly stalled: boolean;
  /** URL of what will be asked for next if nothing changes; undefined at the end. */
  readonly next: string | undefined;
}
