import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_NAMES, ABR_RULES } from "../../lib/dash/abr/mod.ts";
import type { AbrRule } from "../../lib/dash/abr/mod.ts";
import { Player } from "../../lib/dash/player/player.ts";
import type {
  PlayerInput,
  PlayerOutput,
  SegmentRecord,
} from "../../lib/dash/player/messages.ts";
import type { Position } from "../../lib/dash/title.ts";
import { SharedLink } from "../../lib/model/shared_link.ts";
import { namedTrace, TRACE_NAMES } from "../../lib/model/trace_catalog.ts";
import type { NetworkTrace } from "../../lib/model/trace.ts";
import {
  INITIALIZATION_BITS,
  type PlayedSegment,
  playOverTrace,
} from "../../lib/sim/abr_play.ts";
import { titleOfPositions } from "../../lib/sim/abr_title.ts";
import { testTitle } from "../unit/dash/player/_simulated_play.ts";

/** Rungs with an initialization segment of their own, and with none. */
const TITLES = [true, false].map((initialization) =>
  testTitle(127, 5000, [400_000, 1_000_000, 2_500_000], { initialization })
);
/** One resource a rung, of which an index tells the parts: sizes are known before they come. */
const INDEXED = TITLES[1]!.map((position, at): Position => ({
  ...position,
  choices: position.choices.map((choice) => {
    const bytes = Math.round(choice.bitsPerSecond * (0.4 + at % 5 / 10));
    const first = at * choice.bitsPerSecond;
    const range = { first, last: first + bytes - 1 };
    return { ...choice, segment: { ...choice.segment, range } };
  }),
}));
const BUFFER_MS = 25_000;

interface Outcome {
  readonly rungs: readonly number[];
  readonly stallMs: number;
  readonly startupMs: number;
}

interface How {
  readonly startMs: number;
  readonly positions: readonly Position[];
}

/** What the player of real play does over the link of real play, in virtual time. */
function real(rule: AbrRule, trace: NetworkTrace, how: How): Outcome {
  const { startMs, positions } = how;
  const player = new Player([{ media: "video", positions }], {
    startMs,
    resumeMs: startMs,
    capMs: BUFFER_MS,
    rule,
    fixedIndex: 1,
    speed: 1,
  });
  const link = new SharedLink(trace, 0);
  const records: SegmentRecord[] = [];
  let startupMs = 0;
  let pending: { input: PlayerInput; atMs: number } | undefined;
  const take = (outputs: readonly PlayerOutput[], nowMs: number) => {
    for (const output of outputs) {
      if (output.kind === "downloaded") records.push(output.record);
      if (output.kind === "started") startupMs = output.startupMs;
      if (output.kind !== "fetch") continue;
      const [rate, name] = output.location.urls[0]!.split("/").slice(3);
      const { range } = output.location;
      const bits = name === "init"
        ? INITIALIZATION_BITS
        : range === undefined
        ? Number(rate) * 5
        : (range.last! - range.first + 1) * 8;
      const bytes = bits / 8;
      const id = link.request(nowMs);
      link.offer(id, bytes, nowMs);
      const atMs = link.drainedAtMs(id, nowMs);
      const measured = {
        bytes,
        ttfbMs: link.readyAtMs(id) - nowMs,
        downloadMs: atMs - nowMs,
        server: "simulated",
        cacheStatus: "",
        ageSeconds: 0,
      };
      link.end(id, atMs);
      const { fetchId } = output;
      pending = { atMs, input: { kind: "fetched", fetchId, ...measured } };
    }
  };
  take(player.handle({ kind: "start" }, 0), 0);
  while (player.playout.state !== "ended") {
    const dueAtMs = pending?.atMs ?? Infinity;
    const nowMs = Math.min(dueAtMs, player.deadlineMs);
    const isDue = pending !== undefined && dueAtMs <= player.deadlineMs;
    const input = isDue ? pending!.input : { kind: "timeout" as const };
    if (isDue) pending = undefined;
    take(player.handle(input, nowMs), nowMs);
  }
  return {
    rungs: records.map(({ layer }) => layer - 1),
    stallMs: player.playout.stalledMs,
    startupMs,
  };
}

function simulated(rule: AbrRule, trace: NetworkTrace, how: How): Outcome {
  const { startMs, positions } = how;
  const segments: PlayedSegment[] = [];
  const title = titleOfPositions("test", positions);
  const result = playOverTrace(title, trace, rule, {
    bufferCapMs: BUFFER_MS,
    startMs,
    resumeMs: startMs,
    fixedIndex: 1,
    abandon: false,
    onSegment: (segment) => segments.push(segment),
  });
  return { ...result, rungs: segments.map(({ index }) => index) };
}

Deno.test("the player of real play chooses what its simulation chooses, on each trace with each rule", () => {
  for (const traceName of TRACE_NAMES) {
    const trace = namedTrace(traceName)!;
    for (const name of ABR_NAMES) {
      for (const [at, startMs] of [0, 10_000, 5000].entries()) {
        const how = { startMs, positions: TITLES[at] ?? INDEXED };
        const about = `${name} on ${traceName}, start ${startMs}`;
        const ours = real(ABR_RULES[name], trace, how);
        const theirs = simulated(ABR_RULES[name], trace, how);
        assertEquals(ours.rungs.join(""), theirs.rungs.join(""), about);
        assertAlmostEquals(ours.startupMs, theirs.startupMs, 1e-3, about);
        assertAlmostEquals(ours.stallMs, theirs.stallMs, 1e-3, about);
      }
    }
  }
});
