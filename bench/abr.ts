// deno-lint-ignore-file no-console
/**
 * Adaptation rules in virtual time: segments a second on one core, and the share of the optimum each rule reaches on
 * Sabre's traces (`ROLECALL_TRACES`; without it on the traces that ship).
 *
 *     deno run -A bench/abr.ts [every]
 *
 * `every` 10 takes each tenth trace. The optimum takes up to 5 s a trace.
 */
import { ABR_NAMES, ABR_RULES } from "../lib/dash/abr/mod.ts";
import { namedTrace, TRACE_NAMES } from "../lib/model/trace_catalog.ts";
import { parseTrace } from "../lib/model/trace_formats.ts";
import type { NetworkTrace } from "../lib/model/trace.ts";
import { abrOptimum } from "../lib/sim/abr_optimum.ts";
import { type AbrTitle, playOverTrace } from "../lib/sim/abr_play.ts";
import { parseMovieJson } from "../lib/sim/abr_title.ts";

const folder = Deno.env.get("ROLECALL_TRACES");
const every = Number(Deno.args[0] ?? 1);

/** A share of a score about 0 says nothing: the width counts as a share of this one. */
const LEAST_SCORE = 0.1;

interface TraceSet {
  readonly name: string;
  readonly title: AbrTitle;
  readonly traces: readonly NetworkTrace[];
}

function research(name: string, movie: string): TraceSet {
  const names = [...Deno.readDirSync(`${folder}/${name}`)].map((entry) =>
    entry.name
  ).sort().filter((_, at) => at % every === 0);
  return {
    name,
    title: parseMovieJson(Deno.readTextFileSync(`${folder}/${movie}`), movie),
    traces: names.map((file) =>
      parseTrace(Deno.readTextFileSync(`${folder}/${name}/${file}`), {
        name: file,
      })
    ),
  };
}

function shipped(): TraceSet {
  const ladder = [400_000, 1_000_000, 2_500_000];
  const sizesBits = Array.from(
    { length: 127 },
    () => ladder.map((rate) => rate * 5),
  );
  return {
    name: "shipped",
    title: {
      name: "even",
      ladder,
      durationsMs: sizesBits.map(() => 5000),
      sizesBits,
    },
    traces: TRACE_NAMES.map((name) => namedTrace(name)!),
  };
}

const sets = folder === undefined
  ? [shipped()]
  : [research("4G", "bbb4k.json"), research("3G", "bbb.json")];

for (const { name, title, traces } of sets) {
  for (const bufferCapMs of [25_000, 10_000]) {
    const tookMs: number[] = [];
    const optima = traces.map((trace) => {
      const startedMs = performance.now();
      const optimum = abrOptimum(title, trace, { bufferCapMs });
      tookMs.push(performance.now() - startedMs);
      return optimum;
    });
    const widths = optima.map(({ feasible, bound }) =>
      100 * (bound - feasible) / Math.max(LEAST_SCORE, Math.abs(feasible))
    );
    const mean = (pick: (at: number) => number) =>
      traces.reduce((sum, _, at) => sum + pick(at), 0) / traces.length;
    const feasible = mean((at) => optima[at]!.feasible);
    const bound = mean((at) => optima[at]!.bound);
    console.log(
      `${name}, buffer ${bufferCapMs / 1000} s, ${traces.length} traces: ` +
        `optimum ${feasible.toFixed(4)} to ${bound.toFixed(4)}, ` +
        `at most ${Math.max(...widths).toFixed(1)} % wide, ${
          widths.filter((width) => width > 2).length
        } over 2 %; at most ${Math.max(...tookMs).toFixed(0)} ms a trace`,
    );
    for (const rule of ABR_NAMES) {
      const beganMs = performance.now();
      const results = traces.map((trace) =>
        playOverTrace(title, trace, ABR_RULES[rule], { bufferCapMs })
      );
      const seconds = (performance.now() - beganMs) / 1000;
      const segments = traces.length * title.sizesBits.length;
      const score = mean((at) => results[at]!.score);
      const change = mean((at) =>
        results[at]!.changeBitsPerSecond / title.sizesBits.length / 1000
      );
      console.log(
        `  ${rule.padEnd(16)} ${(100 * score / feasible).toFixed(1)} %  ` +
          `change ${change.toFixed(0)} kbit/s a segment  ` +
          `${Math.round(segments / seconds)} segments/s`,
      );
    }
  }
}
