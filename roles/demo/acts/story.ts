/** The slide's story of Alice and Bob, looked for in what peers really did. */
import type { Service } from "./choke_matrix.ts";

/** Two peers of whom the story is true, and when each of its sentences happened. */
export interface Story {
  readonly alice: string;
  readonly bob: string;
  /** (1) Alice optimistically unchokes Bob. */
  readonly unchokedAtMs: number;
  /** (2) Alice is one of Bob's top providers; Bob reciprocates. */
  readonly reciprocatedAtMs: number;
  /** What Bob said when he did. */
  readonly reason: string;
  /** (3) Bob is one of Alice's top providers: she draws someone else by lot and goes on serving him. Null if the file was there before. */
  readonly kept: { readonly atMs: number; readonly drawn: string } | null;
}

/**
 * Finds the earliest story, a whole one if there is one: Alice serves Bob by lot while he does not serve her; before that
 * ends he serves her, because of what she gives and not by lot; when the lot falls on someone else, she still serves him.
 */
export function findStory(
  services: readonly Service[],
  actors: ReadonlySet<string>,
): Story | null {
  const stories = services.flatMap((gift) => {
    if (!gift.optimistic) return [];
    if (!actors.has(gift.giver) || !actors.has(gift.taker)) return [];
    const story = storyOf(gift, services);
    return story === null ? [] : [story];
  });
  return stories.find(({ kept }) => kept !== null) ?? stories[0] ?? null;
}

function storyOf(
  gift: Service,
  services: readonly Service[],
): Story | null {
  const { giver: alice, taker: bob } = gift;
  const back = services.filter(({ giver, taker }) =>
    giver === bob && taker === alice
  );
  if (
    back.some(({ fromMs, toMs }) => fromMs <= gift.fromMs && gift.fromMs < toMs)
  ) return null;
  const answer = back.find(({ fromMs, optimistic, reason }) =>
    fromMs > gift.fromMs && fromMs < gift.toMs && !optimistic &&
    reason.startsWith("top")
  );
  if (answer === undefined) return null;
  const next = services.find(({ giver, taker, fromMs, optimistic }) =>
    giver === alice && taker !== bob && optimistic &&
    fromMs > answer.fromMs && fromMs < gift.toMs
  );
  return {
    ...{ alice, bob, reason: answer.reason },
    unchokedAtMs: gift.fromMs,
    reciprocatedAtMs: answer.fromMs,
    kept: next === undefined ? null : { atMs: next.fromMs, drawn: next.taker },
  };
}
