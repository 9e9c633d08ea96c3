import { parseByteRate, parseDurationMs } from "../../../lib/core/units.ts";
import { ABR_NAMES, type AbrName } from "../../../lib/dash/abr/mod.ts";
import { parseLadder } from "../../../lib/media/ladder.ts";
import {
  TRACE_NAMES,
  type TraceName,
} from "../../../lib/model/trace_catalog.ts";
import type { Reader } from "./reader.ts";

/** A title on a network that varies, played with fixed rates and with rules; and several players behind one bottleneck. */
export interface StreamingAct {
  readonly act: "streaming";
  /** Of the title, as `origin --ladder` has them; two rates or more. */
  readonly ladder: string;
  readonly segmentMs: number;
  /** What a player holds at most. */
  readonly bufferMs: number;
  /** How much is played on the network that varies. */
  readonly mediaMs: number;
  readonly trace: TraceName;
  readonly rules: readonly AbrName[];
  readonly shared: SharedLinkNumbers;
}

/** Several players behind one bottleneck. */
export interface SharedLinkNumbers {
  readonly players: number;
  readonly bytesPerSecond: number;
  /** How much each plays, */
  readonly mediaMs: number;
  /** and how long all of them do before the first one leaves. */
  readonly leavesAfterMs: number;
}

/** Most players behind the bottleneck: each is a process of some 100 MB that keeps a clock, and all play at once. */
export const MAX_PLAYERS = 10;
/** Most rules beside each other; the two players with fixed rates come on top. */
const MAX_RULES = 6;

/** How long players may play: long enough to see something, and no longer than a lecture has. */
const SHORTEST_MS = 5000;
/** See {@linkcode SHORTEST_MS}. */
const LONGEST_MS = 600_000;

/** @throws {RangeError} If players cannot play so long. */
export function checkMediaMs(mediaMs: number): void {
  if (mediaMs >= SHORTEST_MS && mediaMs <= LONGEST_MS) return;
  throw new RangeError(
    `must be from 5s to 10min, got "${mediaMs / 1000}s"`,
  );
}

/** Reads the act. @throws {SyntaxError} See `Reader`. */
export function readStreaming(act: Reader): StreamingAct {
  const rules = act.choices(
    "rules",
    ABR_NAMES.filter((name) => name !== "fixed"),
  );
  if (rules.length > MAX_RULES) {
    throw act.error("rules", `must be at most ${MAX_RULES}`);
  }
  const bufferMs = act.unit("buffer", parseDurationMs, { above: 999 });
  return {
    act: "streaming",
    ladder: readLadder(act),
    segmentMs: act.unit("segment", parseDurationMs, { above: 199 }),
    bufferMs,
    mediaMs: act.unit("media", mediaOf),
    trace: act.choice("trace", TRACE_NAMES),
    rules,
    shared: readShared(act.object("shared"), bufferMs),
  };
}

function readLadder(act: Reader): string {
  const text = act.text("ladder");
  let rates: number;
  try {
    rates = parseLadder(text).length;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw act.error("ladder", error.message);
  }
  if (rates < 2) throw act.error("ladder", "must have two rates or more");
  return text;
}

/** @param bufferMs Who has all of it when the first one leaves shares nothing any more. */
function readShared(shared: Reader, bufferMs: number): SharedLinkNumbers {
  const numbers = {
    players: shared.count("players", 2, MAX_PLAYERS),
    bytesPerSecond: shared.unit("rate", parseByteRate, { above: 0 }),
    mediaMs: shared.unit("media", mediaOf),
    leavesAfterMs: shared.unit("leavesAfter", parseDurationMs, { above: 999 }),
  };
  if (numbers.leavesAfterMs + bufferMs >= numbers.mediaMs) {
    throw shared.error("leavesAfter", "must be less than media less buffer");
  }
  return shared.done(numbers);
}

function mediaOf(text: string): number {
  const mediaMs = parseDurationMs(text);
  checkMediaMs(mediaMs);
  return mediaMs;
}
