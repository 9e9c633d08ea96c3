import type { HttpHandler } from "../../../lib/io/http.ts";

/** Puts a message in the queue. */
export type Post<M> = (message: M) => void;

/** What a thread does for the one at the other end. */
export interface LinkService {
  /** Answers its clients' requests. */
  readonly handle: HttpHandler;
  /** Does what it calls for; what is resolved with is cloned. */
  call(call: unknown): unknown;
}
