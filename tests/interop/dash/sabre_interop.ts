/**
 * Our player in virtual time against the scores of the simulator Sabre (MMSys 2018), which its own program printed.
 * Traces, films and scores are not ours to ship: `ROLECALL_TRACES` says where they are. Without them a person's run
 * skips this and CI fails.
 */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ABR_RULES } from "../../../lib/dash/abr/mod.ts";
import { parseTrace } from "../../../lib/model/trace_formats.ts";
import type { NetworkTrace } from "../../../lib/model/trace.ts";
import { abrOptimum } from "../../../lib/sim/abr_optimum.ts";
import { type AbrTitle, playOverTrace } from "../../../lib/sim/abr_play.ts";
import { parseMovieJson } from "../../../lib/sim/abr_title.ts";

const FOLDER = Deno.env.get("ROLECALL_TRACES") ?? "";
const MISSING = FOLDER === "" && Deno.env.get("CI") !== "true";

/** Sabre's names for what we call so. */
const NAMES = {
  "bola-basic": "bola-basic",
  "bola-o": "bola-o",
  "bola-u": "bola-u",
  bolae: "bola-e",
  "bolae-o": "bola-e-o",
  dynamic: "dynamic",
  "dynamic-o": "dynamic-o",
  throughput: "throughput-ewma",
} as const;

const MOVIES = { "3G": "bbb.json", "4G": "bbb4k.json" } as const;
type SetName = keyof typeof MOVIES;

function movieOf(set: SetName): AbrTitle {
  const text = Deno.readTextFileSync(`${FOLDER}/${MOVIES[set]}`);
  return parseMovieJson(text, set);
}

function traceOf(set: string, name: string): NetworkTrace {
  const text = Deno.readTextFileSync(`${FOLDER}/${set}/${name}`);
  return parseTrace(text, { name });
}

Deno.test({
  name:
    "playOverTrace has Sabre's score to 1e-6 for each rule, buffer and trace",
  ignore: MISSING,
  fn() {
    const movies = { "3G": movieOf("3G"), "4G": movieOf("4G") };
    const traces = new Map<string, NetworkTrace>();
    const lines = Deno.readTextFileSync(`${FOLDER}/sabre-scores.tsv`).trim()
      .split("\n").slice(1);
    for (const line of lines) {
      const [set = "", buffer, rule = "", , name = "", score, , , , change] =
        line.split("\t");
      const trace = traces.get(set + name) ?? traceOf(set, name);
      traces.set(set + name, trace);
      const result = playOverTrace(
        movies[set as SetName],
        trace,
        ABR_RULES[NAMES[rule as keyof typeof NAMES]],
        { bufferCapMs: Number(buffer) * 1000, forgetAbandonChoice: true },
      );
      const what = `${set} ${buffer} s ${rule} ${name}`;
      assertAlmostEquals(result.score, Number(score), 1e-6, what);
      const kbitEach = result.changeBitsPerSecond / 1000 /
        (result.totalMs / 3000);
      assertAlmostEquals(kbitEach, Number(change), 1e-5, what);
    }
    assertEquals(lines.length, 2016);
    assertEquals(traces.size, 126);
  },
});

Deno.test({
  name:
    "abrOptimum brackets what is possible on research traces, above every rule",
  ignore: MISSING,
  fn() {
    for (const set of ["3G", "4G"] as const) {
      const title = movieOf(set);
      const names = [...Deno.readDirSync(`${FOLDER}/${set}`)].map((entry) =>
        entry.name
      ).sort();
      for (const name of names.filter((_, at) => at % 20 === 0)) {
        const trace = traceOf(set, name);
        const options = { bufferCapMs: 25_000 };
        const { feasible, bound } = abrOptimum(title, trace, options);
        assert(feasible <= bound, name);
        const widest = 0.02 * Math.max(0.1, Math.abs(feasible));
        assert(bound - feasible <= widest, name);
        for (const rule of ["auto", "bola-e", "robust-mpc"] as const) {
          const { score } = playOverTrace(
            title,
            trace,
            ABR_RULES[rule],
            options,
          );
          assert(score <= bound, `${name}: ${rule} ${score} over ${bound}`);
        }
      }
    }
  },
});
