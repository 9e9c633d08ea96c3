import type {
  Edge,
  EdgeGroup,
  Selection,
  SelectionRequest,
} from "./selection.ts";

/** Returns the edge whose turn it is. */
export function edgeInTurn(group: EdgeGroup): Edge {
  const edge = group.edges[group.turn % group.edges.length];
  if (edge === undefined) throw new RangeError("A group of edges is not empty");
  return edge;
}

/** Each query gets the next edge, and after the last the first: equal numbers of answers, whoever asks. */
export function selectRoundRobin({ group }: SelectionRequest): Selection {
  return {
    edge: edgeInTurn(group),
    from: group,
    scopeLength: 0,
    reason: "next in turn",
  };
}
