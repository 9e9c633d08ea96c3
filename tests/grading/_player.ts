/**
 * Runs a student's player against the grader's origin, once for each story: several tests judge the same play.
 *
 *     ROLECALL_COMMAND="python3 player.py {url}" deno test -A tests/grading/07_player_test.ts
 *
 * Words are split at spaces. Without `ROLECALL_COMMAND` it is rolecall's, which plays four times as fast through links four times as wide.
 */
import { programCommand } from "../support/program.ts";
import { givenCommand, startCommand } from "./_command.ts";
import { type Asked, GradingOrigin, type OriginOptions } from "./_origin.ts";

/** How many times as fast as the clock the player plays. */
export const SPEED = Deno.env.get("ROLECALL_COMMAND") ? 1 : 4;

/** Longest time for a play; what has been asked for by then is judged. */
export const PLAY_MS = 45_000;

/** When so long nothing was asked for after the last segment, nothing more is expected. */
const QUIET_MS = 1500;

/** What a player did. */
export interface Play {
  readonly asked: readonly Asked[];
  /** What it asked for that is not in the title. */
  readonly others: readonly string[];
}

/** A play and its circumstances. */
export interface Story extends Omit<OriginOptions, "onAsked"> {
  /** From the request for this segment on, the link is of this width. */
  readonly change?: { readonly index: number; readonly bitsPerSecond: number };
  /** Ends so long after the first segment was asked for; at its end otherwise. */
  readonly onlyMs?: number;
}

/** The segments asked for, in order. */
export function segmentsOf({ asked }: Play): readonly Asked[] {
  return asked.filter(({ kind }) => kind === "segment");
}

/** The rate in which each segment was asked for, and, if it was so more than once, the last. */
export function ratesOf(play: Play): readonly number[] {
  const rates: number[] = [];
  for (const { index, rate } of segmentsOf(play)) rates[index] = rate;
  return rates;
}

function commandFor(url: string, speed: number): [string, ...string[]] {
  const flags = ["--speed", `${speed}`, "--unlisted"];
  return givenCommand({ url }) ??
    [...programCommand(), "dash-client", url, ...flags];
}

/** Lets the player play. @throws {Error} If it asks for no segment. */
async function play(story: Story): Promise<Play> {
  const { segmentCount, change, onlyMs = Infinity } = story;
  let firstAtMs = Infinity;
  const onAsked = ({ index }: Asked) => {
    if (index >= 0) firstAtMs = Math.min(firstAtMs, performance.now());
    if (index === change?.index) origin.setLink(change.bitsPerSecond);
  };
  await using origin = new GradingOrigin({ ...story, onAsked });
  const speed = onlyMs === Infinity ? SPEED : 1;
  const player = startCommand(commandFor(origin.url, speed));
  const endMs = performance.now() + PLAY_MS;
  for (;;) {
    await new Promise((wake) => setTimeout(wake, 100));
    const nowMs = performance.now();
    const isComplete = origin.sent.size === segmentCount;
    if (
      player.code !== undefined || nowMs > endMs || nowMs - firstAtMs > onlyMs
    ) break;
    if (isComplete && origin.quietMs > QUIET_MS) break;
  }
  const asked = [...origin.asked];
  const others = [...origin.others];
  await player.stop();
  if (!asked.some(({ kind }) => kind === "segment")) {
    const paths = others.length === 0 ? "" : `, but for ${others.join(", ")}`;
    throw new Error(
      `the player asked for no segment${paths}; it said:\n${player.said()}`,
    );
  }
  return { asked, others };
}

/** A story that is played when it is first asked for. */
export function once(story: Story): () => Promise<Play> {
  let played: Promise<Play> | undefined;
  return () => played ??= play(story);
}
