import type { NarrowedBySite, SiteRequest } from "./selection.ts";

/**
 * Leaves the edges of the client's own network: those of the longest prefix among the sites' that holds the client.
 *
 * Slide "CDN cluster selection": the CDN learns the address of the client's resolver (or, with EDNS Client Subnet,
 * the client's network) from the query. If all edges of a site are down, the site of the next longer network around it
 * is taken; a client of no site gets any edge. If all edges there are are down, they are taken to be up.
 */
export function narrowBySite(request: SiteRequest): NarrowedBySite {
  const { group, sites } = request;
  const live = group.live;
  const { entry, value, scopeLength } = sites.find(
    request.client,
    request.clientLength,
  );
  const nearest = value?.site.ranks[0];
  // Most often all is well there, and no more need be looked at
  if (value !== undefined && nearest !== undefined && nearest.live.length > 0) {
    return {
      edges: nearest.live,
      memory: nearest,
      scopeLength,
      reason: value.reason,
    };
  }
  let skipped = false;
  for (let at = entry; at !== undefined; at = at.outer) {
    const { site, reason } = at.value;
    for (const rank of site.ranks) {
      const edges = live.length === 0 ? rank.edges : rank.live;
      if (edges.length > 0) {
        return {
          edges,
          memory: rank,
          scopeLength,
          reason: skipped ? `${reason}, as all nearer edges are down` : reason,
        };
      }
      skipped = true;
    }
  }
  return {
    edges: live.length === 0 ? group.edges : live,
    memory: group,
    scopeLength,
    reason: skipped
      ? "all edges of the client's sites are down: any other"
      : "no site of these edges holds the client: any",
  };
}
