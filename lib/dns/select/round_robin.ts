import type { Picked, SelectionRequest } from "./selection.ts";

/** Each query gets the next edge, and after the last the first: equal numbers of answers, whoever asks. */
export function pickInTurn({ edges, memory }: SelectionRequest): Picked {
  return {
    index: memory.turn % edges.length,
    scopeLength: 0,
    reason: edges.length === 1 ? "the only one" : "next in turn",
  };
}
