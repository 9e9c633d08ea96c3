import { Fields } from "../../../lib/http/fields.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";

/** A request that no client sent: the edge runs an errand of its own. */
export class OwnRequest implements HttpRequest {
  readonly method = "GET";
  readonly authority = "";
  readonly protocol = "HTTP/1.1";
  readonly headers = new Fields();
  readonly body = null;
  readonly remote = { host: "127.0.0.1", port: 0 };
  readonly target: string;
  readonly signal: AbortSignal;

  /** Asks for a target. */
  constructor(target: string, signal: AbortSignal) {
    this.target = target;
    this.signal = signal;
  }
}
