/** What a walk knows, wants and finds: shared by the way down the zones and the talk with one server. */
import type { Cidr } from "../../core/address.ts";
import type { Rng } from "../../core/rng.ts";
import type { DnsMessage } from "../message.ts";
import type { ResolverCache } from "./cache.ts";
import type { DelegationTable } from "./delegations.ts";
import type { Exchange } from "./exchange.ts";
import type { Finding, ReplyReading } from "./reply.ts";
import type { ServerTable } from "./servers.ts";
import type { StepTeller } from "./step.ts";

/** What a walk wants: this sent, and to be told what came of it. */
export interface Wish {
  readonly exchange: Exchange;
  readonly waitMs: number;
}

/** What came of it. `distrusted`: somebody answers who should not, or the server does not keep the case; TCP tells. */
export type Outcome =
  | { readonly kind: "message"; readonly message: DnsMessage }
  | { readonly kind: "timeout" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "distrusted" };

/** What a walk found. */
export type Resolved =
  | {
    readonly kind: "resolved";
    readonly findings: readonly Finding[];
    /** For how many bits of the client's address all of it holds. */
    readonly scopeLength: number;
  }
  | { readonly kind: "failed"; readonly reason: string };

/** What a walk knows and may use. */
export interface Walker extends StepTeller {
  readonly cache: ResolverCache;
  readonly delegations: DelegationTable;
  readonly servers: ServerTable;
  readonly rng: Rng;
  /** Draws ids and capitals. */
  readonly secretRng: Rng;
  /** When the question came. */
  readonly sinceMs: number;
  /** Where authorities listen. */
  readonly port: number;
  /** 0x20. */
  readonly mixesCase: boolean;
  /** Whose answer is looked for, if that is told to authorities. */
  readonly client: Cidr | undefined;
}

/** A walk, or a part of it, written as it is told: each message it wants sent is yielded, what came of it comes back. */
export type Walk<T> = Generator<Wish, T, Outcome>;

/** What the servers of a zone, or one of them, have to say. */
export type Reading =
  | Exclude<ReplyReading, { kind: "found" }>
  | { readonly kind: "found"; readonly resolved: Resolved };
