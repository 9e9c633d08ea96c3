/** How a resolver is to work, what goes into its machine, and what comes out of it. */
import type { Rng } from "../../core/rng.ts";
import type { RecursionEvent } from "../../events/recursion.ts";
import type { Sender, SubnetPolicy } from "./client.ts";
import type { Delegation } from "./reply.ts";
import type { ServerAddress } from "./servers.ts";

/** How a resolver works. */
export interface ResolverOptions {
  /** The servers of the root. */
  readonly root: Delegation;
  /** Where authorities listen; 53 in the world. */
  readonly port: number;
  readonly rng: Rng;
  /** Draws the ids of questions and the capitals in them: who can guess it can forge answers. Default `rng`. */
  readonly secretRng?: Rng;
  /** Mix upper and lower case in questions (0x20). Default true. */
  readonly mixesCase?: boolean;
  /** Default `forward`. */
  readonly clientSubnets?: SubnetPolicy;
  /** How long after it has expired an answer may be served when there is no other. Default a day; 0 is never. */
  readonly staleMs?: number;
  /** Sets remembered. Default 10,000. */
  readonly maxEntries?: number;
}

/** What a {@linkcode Resolver} takes. Messages are without TCP's length. */
export type ResolverInput =
  | {
    /** A client's message; `clientId` is what the driver knows it by. */
    readonly kind: "query";
    readonly clientId: number;
    readonly sender: Sender;
    readonly bytes: Uint8Array;
  }
  | {
    /** What arrived where an exchange was sent from. */
    readonly kind: "message";
    readonly exchangeId: number;
    readonly from: ServerAddress;
    readonly bytes: Uint8Array;
  }
  /** A message could not be sent, or its TCP connection ended. */
  | { readonly kind: "disconnected"; readonly exchangeId: number }
  | { readonly kind: "timeout" };

/** What a {@linkcode Resolver} wants done. */
export type ResolverOutput =
  | {
    /** Send from a port of its own, and hand over what arrives there. */
    readonly kind: "send";
    readonly exchangeId: number;
    readonly transport: "udp" | "tcp";
    readonly to: ServerAddress;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  /** Nothing is awaited there any more. */
  | { readonly kind: "close"; readonly exchangeId: number }
  | {
    readonly kind: "reply";
    readonly clientId: number;
    /** Undefined: the message deserves none. */
    readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  }
  | { readonly kind: "event"; readonly event: RecursionEvent };
