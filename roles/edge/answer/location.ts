import type { Fields } from "../../../lib/http/fields.ts";
import type { Exchange } from "./exchange.ts";
import type { EdgeParts } from "./parts.ts";

/** Makes the `Location` of an answer one on this edge, where it is at an origin (RFC 9110 §10.2.2). */
export function localise(
  { upstream }: Pick<EdgeParts, "upstream">,
  { key }: Pick<Exchange, "key">,
  { status, fields }: { readonly status: number; readonly fields: Fields },
): void {
  if (status !== 201 && (status < 300 || status > 399)) return;
  const location = fields.get("location");
  if (location === null) return;
  fields.set("location", upstream.locationHere(location, key));
}
