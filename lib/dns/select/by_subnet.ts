import type { Selection, SelectionRequest } from "./selection.ts";
import { edgeInTurn } from "./round_robin.ts";

/**
 * Sends a client to the edges of its own network: the longest prefix among the sites' that holds the client.
 *
 * Slide "CDN cluster selection": the CDN learns the address of the client's resolver (or, with EDNS Client Subnet,
 * the client's network) from the query. Several edges of a site take turns; a client of no site gets any edge, by turns.
 */
export function selectBySubnet(request: SelectionRequest): Selection {
  const { entry, scopeLength } = request.sites.find(
    request.client,
    request.clientLength,
  );
  const from = entry === undefined ? request.group : entry.value;
  return {
    edge: edgeInTurn(from),
    from,
    scopeLength,
    reason: entry === undefined
      ? "no site holds the client: next in turn of all"
      : entry.value.reason,
  };
}
