import { endToEnd, type Fields } from "../../lib/http/fields.ts";
import type { HttpRequest } from "../../lib/io/http.ts";

/** The fields of a request as they go on to an origin: end-to-end, signed, in a coding everyone can read. */
export function forwardedFields(
  request: HttpRequest,
  us: { readonly pseudonym: string; readonly mark: string },
): Fields {
  const fields = endToEnd(request.headers);
  for (const name of ["host", "content-length", "expect"]) {
    fields.delete(name);
  }
  // One stored copy serves all clients, and its bytes can be cut into ranges.
  fields.set("accept-encoding", "identity");
  fields.append("via", `1.1 ${us.pseudonym} (${us.mark})`);
  const { host } = request.remote;
  addMember(fields, "x-forwarded-for", host);
  addMember(fields, "forwarded", forwarded(host, request.authority));
  return fields;
}

/** One hop of RFC 7239: addresses of IPv6, and hosts with a port, stand in quotes (§4, §6). */
function forwarded(host: string, authority: string): string {
  const client = host.includes(":") ? `"[${host}]"` : host;
  const asked = /^[\w.\-:[\]]+$/.test(authority) ? `;host="${authority}"` : "";
  return `for=${client};proto=http${asked}`;
}

function addMember(fields: Fields, name: string, member: string): void {
  const before = fields.get(name);
  fields.set(name, before === null ? member : `${before}, ${member}`);
}
