/**
 * The least busy edge, by what the edges say of themselves.
 *
 * A reading is some seconds old when it is used. If all queries until the next one went to the edge that was least
 * busy, it would be the busiest by then, and the load would swing from edge to edge (the herd effect; Mitzenmacher,
 * "How useful is old information?", 2000). So each answer given since the reading counts as the load that an answer
 * brought on average so far.
 */
import type { Edge, EdgeBook } from "./edge.ts";
import type { Narrowed, SelectionRequest } from "./selection.ts";

/** Edges within this share of the busiest one's load are equally busy. */
const TIE_SHARE = 0.1;

/** Weight of the newest reading in the smoothed ones. */
const NEWEST_SHARE = 0.5;

function expectedLoad(edge: Edge, loadPerAnswer: number): number {
  const { load, answersSince } = edge.state;
  return load === undefined
    ? Infinity
    : load.value + answersSince * loadPerAnswer;
}

/** Leaves the least busy edges: those within 10 % of the busiest one's load from the least. Edges that have not told are left out while another has. */
export function narrowByLoad(request: SelectionRequest): Narrowed {
  const { edges, loadPerAnswer } = request;
  let least = Infinity;
  let most = 0;
  let leastBusy: Edge | undefined;
  for (const edge of edges) {
    const load = expectedLoad(edge, loadPerAnswer);
    if (load < least) {
      least = load;
      leastBusy = edge;
    }
    if (load !== Infinity && load > most) most = load;
  }
  if (leastBusy === undefined) {
    return { edges, reason: "no edge has told its load" };
  }
  const limit = least + TIE_SHARE * most;
  const kept = edges.filter((edge) =>
    expectedLoad(edge, loadPerAnswer) <= limit
  );
  const told = leastBusy.state.load?.text ?? "";
  return {
    edges: kept,
    reason: kept.length === 1
      ? `least busy (${told})`
      : `${kept.length} are equally little busy (${told})`,
  };
}

/** Notes what the edge at {@linkcode Edge.place} has told: `value` is smoothed with what it told before, and the load that an answer brings is estimated anew from all edges. */
export function noteLoad(
  book: EdgeBook,
  place: string,
  { value, format }: {
    readonly value: number;
    readonly format: (value: number) => string;
  },
): void {
  const state = book.state(place);
  const before = state.load?.value;
  const smoothed = before === undefined
    ? value
    : NEWEST_SHARE * value + (1 - NEWEST_SHARE) * before;
  let load = smoothed;
  let answers = 0;
  for (const other of book.states()) {
    if (other !== state) load += other.load?.value ?? 0;
    answers += other.answersSince;
  }
  if (answers > 0) book.loadPerAnswer = load / answers;
  state.load = { value: smoothed, text: format(smoothed) };
  state.answersSince = 0;
}
