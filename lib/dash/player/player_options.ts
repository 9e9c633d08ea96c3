import type { AdaptationOptions } from "./adaptation.ts";
import type { LiveOptions } from "./latency.ts";
import type { Seek } from "./messages.ts";
import type { PatienceOptions } from "./patience.ts";
import type { PlayoutOptions } from "./playout.ts";

/** How a `Player` behaves. */
export interface PlayerOptions
  extends
    Omit<PlayoutOptions, "trackCount">,
    AdaptationOptions,
    PatienceOptions {
  /** Where to go when a place is reached, in this order. */
  readonly seeks?: readonly Seek[] | undefined;
  /** Gives a segment up that would come too late for the buffer. */
  readonly abandon?: boolean | undefined;
  /** Set when the title grows. */
  readonly live?: LiveOptions | undefined;
}
