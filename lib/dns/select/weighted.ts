import { pickInTurn } from "./round_robin.ts";
import type { Picked, SelectionRequest } from "./selection.ts";

/** Draws an edge by lot, each with a chance in proportion to its weight; by turns if no edge has any. */
export function pickByWeight(request: SelectionRequest): Picked {
  const { edges, rng } = request;
  let total = 0;
  for (const edge of edges) total += edge.weight;
  let left = rng() * total;
  for (let index = 0; index < edges.length; index++) {
    const { weight } = edges[index]!;
    if (left < weight) {
      return { index, scopeLength: 0, reason: "drawn by weight" };
    }
    left -= weight;
  }
  return { ...pickInTurn(request), reason: "no edge has a weight: in turn" };
}
