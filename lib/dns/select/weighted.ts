import type { Selection, SelectionRequest } from "./selection.ts";
import { edgeInTurn } from "./round_robin.ts";

/** Draws an edge by lot, each with a chance in proportion to its weight; by turns if no edge has any. */
export function selectWeighted(
  { group, rng }: SelectionRequest,
): Selection {
  let total = 0;
  for (const edge of group.edges) total += edge.weight;
  let left = rng() * total;
  for (const edge of group.edges) {
    if (left < edge.weight) {
      return {
        edge,
        from: group,
        scopeLength: 0,
        reason: "drawn by weight",
      };
    }
    left -= edge.weight;
  }
  return {
    edge: edgeInTurn(group),
    from: group,
    scopeLength: 0,
    reason: "no edge has a weight: next in turn",
  };
}
