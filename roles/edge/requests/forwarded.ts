import { isIpv6 } from "../../../lib/core/address.ts";
import {
  endToEnd,
  type Fields,
  type FieldSource,
} from "../../../lib/http/fields.ts";
import type { HttpRequest } from "../../../lib/io/http.ts";

/**
 * What ends here: what is of this connection, and what makes some origins answer as if another host, path or method had
 * been asked for. It is in no cache key, so one client's would be what all others get: cache poisoning.
 */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "expect",
  "front-end-https",
  "x-envoy-original-path",
  "x-host",
  "x-original-uri",
  "x-original-host",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-url-scheme",
]);
const endsHere = {
  // Prefix, path, scheme, user …: every framework has others, and none of them is ours to believe.
  has: (name: string) =>
    NOT_PASSED_ON.has(name) ||
    name.startsWith("x-forwarded-") && name !== "x-forwarded-for",
};

/** One stored copy serves all clients, and its bytes can be cut into ranges: a coding that everyone can read. */
const CODING = "identity";

/** The fields of a request as they go on to an origin: end-to-end, and signed. */
export function forwardedFields(
  request: HttpRequest,
  us: {
    readonly pseudonym: string;
    readonly mark: string;
    readonly scheme: "http" | "https";
  },
): Fields {
  const fields = endToEnd(request.headers, endsHere);
  const hops = fields.get("forwarded");
  if (hops !== null && /host\s*=/i.test(hops)) fields.delete("forwarded");
  fields.set("accept-encoding", CODING);
  // RFC 9110 §7.6.3: the version in which it came.
  const version = request.protocol.replace("HTTP/", "");
  fields.append("via", `${version} ${us.pseudonym} (${us.mark})`);
  const { host } = request.remote;
  addMember(fields, "x-forwarded-for", host);
  addMember(fields, "forwarded", forwarded(host, us.scheme));
  return fields;
}

/** What is added to each request that goes on, beside the coding. */
const ADDED: readonly string[] = ["via", "x-forwarded-for", "forwarded"];

/**
 * The fields of a request as they go on to an origin, for a lookup: that seldom asks for what the client sent, and so for a
 * hit they need not be made.
 */
export class FieldsOnDemand implements FieldSource {
  readonly #sent: FieldSource;
  readonly #request: { forFill(): { readonly fields: Fields } };
  #made: Fields | undefined;

  /** Of a request with the fields `sent`, which can make what goes on. */
  constructor(
    sent: FieldSource,
    request: { forFill(): { readonly fields: Fields } },
  ) {
    this.#sent = sent;
    this.#request = request;
  }

  /** See {@linkcode FieldSource.get}. */
  get(name: string): string | null {
    const lower = name.toLowerCase();
    // All that most responses vary by.
    if (lower === "accept-encoding") return CODING;
    // What was not sent does not go on, unless it is added.
    const isThere = this.#sent.get(lower) !== null || ADDED.includes(lower);
    return isThere ? this.#all().get(lower) : null;
  }

  /** See {@linkcode FieldSource}. */
  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#all()[Symbol.iterator]();
  }

  #all(): Fields {
    return this.#made ??= this.#request.forFill().fields;
  }
}

/** One hop of RFC 7239 §4; an address of IPv6 stands in quotes (§6). */
function forwarded(host: string, scheme: string): string {
  return `for=${isIpv6(host) ? `"[${host}]"` : host};proto=${scheme}`;
}

function addMember(fields: Fields, name: string, member: string): void {
  const before = fields.get(name);
  fields.set(name, before === null ? member : `${before}, ${member}`);
}
