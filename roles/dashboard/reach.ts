import { isLoopback } from "../../lib/core/address.ts";
import type { Address } from "../../lib/io/net.ts";
import type { RosterRow } from "../../lib/roster/row.ts";

/** Where a role's events can be had from here, or why not. */
export type Reach =
  | { readonly at: Address }
  | { readonly reason: string };

/**
 * Says where to ask for the events of a role that was found on the link. It says itself where, and is asked only at an
 * address that it said so from: a stranger must not make this program ask somebody else.
 *
 * @param own This machine's addresses.
 */
export function reachOf(row: RosterRow, own: readonly string[]): Reach {
  const { admin, addresses, tellers } = row;
  if (admin === undefined) {
    return { reason: "tells nothing: start it with --admin 0.0.0.0:0" };
  }
  const isHere = tellers.some((teller) =>
    isLoopback(teller) || own.includes(teller)
  );
  const { port } = admin;
  if (isLoopback(admin.host)) {
    return isHere ? { at: admin } : {
      reason:
        "tells its own machine only: start it with --admin 0.0.0.0:0 there",
    };
  }
  if (admin.host === "0.0.0.0" || admin.host === "::") {
    const host = addresses.find((address) =>
      tellers.includes(address) || (isHere && isLoopback(address))
    );
    return host === undefined
      ? { reason: "does not speak from the address it says it has" }
      : { at: { host, port } };
  }
  return tellers.includes(admin.host) || (isHere && own.includes(admin.host))
    ? { at: admin }
    : { reason: `says it is at ${admin.host}, which is not its address` };
}
