import type { ForwardReason } from "./cache_status.ts";
import type { DiskEntry } from "./disk_entry.ts";
import type { Flight } from "./flights.ts";
import type { Reuse } from "./reuse.ts";
import type { SparseBody } from "./sparse_body.ts";
import type { StoredResponse } from "./stored_response.ts";

/** When a request is looked up, and what of the representation it wants. */
export interface LookupOptions {
  readonly nowMs: number;
  /** False after a flight turned out `unshared`. */
  readonly mayJoin: boolean;
  /** False after the disk was asked: once for each request, whatever the memory made of it. */
  readonly mayLoad?: boolean;
  /** What the flight this request waited for brought: good for it too, if it is for the same variant, though nothing holds it. */
  readonly brought?: StoredResponse | undefined;
  /** The client's `Range`, and what `If-Range` makes of it. */
  readonly wanted?: {
    readonly range: string | null;
    readonly ifRange: string | null;
  };
}

/** What to do with a request. */
export type Lookup =
  /** Answer from `stored`; when `flight` is there, also ask the origin anew and report (`stale-while-revalidate`). */
  | {
    readonly kind: "hit";
    readonly stored: StoredResponse;
    readonly reuse: Reuse;
    readonly flight: Flight | undefined;
  }
  /** Ask the origin whether `stored` is still good, with `conditions` added to the request. */
  | {
    readonly kind: "revalidate";
    readonly stored: StoredResponse;
    readonly conditions: readonly (readonly [string, string])[];
    readonly reason: ForwardReason;
    readonly flight: Flight | undefined;
  }
  /** Fetch; `parts` are here already, though not those that are wanted; `stale` is what cannot be asked for by its validators. */
  | {
    readonly kind: "fetch";
    readonly reason: ForwardReason;
    readonly flight: Flight | undefined;
    readonly parts?: PartialResponse | undefined;
    readonly stale?: StoredResponse;
  }
  /** Bring `entry` in from the disk, report, then look again. */
  | {
    readonly kind: "load";
    readonly entry: DiskEntry;
    readonly flight: Flight;
  }
  /** Wait for the flight to settle, then look again. */
  | { readonly kind: "join"; readonly flight: Flight }
  /** `only-if-cached`, and it is not: answer 504. */
  | { readonly kind: "not-cached" };

/** A stored response of which only parts are held. */
export interface PartialResponse extends StoredResponse {
  readonly body: SparseBody;
}
