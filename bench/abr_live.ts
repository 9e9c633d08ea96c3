// deno-lint-ignore-file no-console
/**
 * Rules at the live edge, in virtual time: a live title of segments of a second, to be 3 s behind, on the
 * traces that ship and, where `ROLECALL_TRACES` is set, on Sabre's.
 *
 *     deno run -A bench/abr_live.ts [RULE …]
 */
import { ABR_NAMES, ABR_RULES, type AbrName } from "../lib/dash/abr/mod.ts";
import { namedTrace, TRACE_NAMES } from "../lib/model/trace_catalog.ts";
import { parseTrace } from "../lib/model/trace_formats.ts";
import type { NetworkTrace } from "../lib/model/trace.ts";
import { playLive } from "../lib/sim/live_play.ts";

const COUNT = 300;
const RULES: readonly AbrName[] = [
  ...["throughput", "bola-e", "auto", "l2a-ll", "lol-plus"] as const,
];
const rules = Deno.args.length === 0
  ? RULES
  : ABR_NAMES.filter((name) => Deno.args.includes(name));

/** The ladders of the built-in title and of Sabre's two films. */
const SLOW = [400_000, 1_000_000, 2_500_000];
const FILM = [230, 331, 477, 688, 991, 1427, 2056, 2962, 5027, 6000];
const FILM_4K = [1000, 2500, 5000, 8000, 16_000, 35_000];

interface TraceSet {
  readonly name: string;
  readonly ladder: readonly number[];
  readonly traces: readonly NetworkTrace[];
}

function research(name: string, kbits: readonly number[]): TraceSet {
  const folder = `${Deno.env.get("ROLECALL_TRACES")}/${name}`;
  const files = [...Deno.readDirSync(folder)].map((each) => each.name).sort();
  return {
    name,
    ladder: kbits.map((rate) => rate * 1000),
    traces: files.map((file) =>
      parseTrace(Deno.readTextFileSync(`${folder}/${file}`), { name: file })
    ),
  };
}

const sets: readonly TraceSet[] = [
  ...TRACE_NAMES.map((name) => ({
    ...{ name, ladder: SLOW, traces: [namedTrace(name)!] },
  })),
  ...Deno.env.get("ROLECALL_TRACES") === undefined
    ? []
    : [research("4G", FILM_4K), research("3G", FILM)],
];

for (const { name, ladder, traces } of sets) {
  const title = {
    ...{ name: "even", ladder, durationsMs: Array(COUNT).fill(1000) },
    sizesBits: Array.from({ length: COUNT }, () => ladder),
  };
  console.log(`${name}, ${traces.length} traces`);
  for (const rule of rules) {
    const plays = traces.map((trace) =>
      playLive(title, trace, ABR_RULES[rule], {
        ...{ targetMs: 3000, maxChange: 0.05, bufferCapMs: 30_000 },
      })
    );
    const mean = (pick: (play: typeof plays[number]) => number) =>
      plays.reduce((sum, play) => sum + pick(play), 0) / plays.length;
    const rate = mean(({ averageBitsPerSecond }) => averageBitsPerSecond);
    const stalls = mean(({ stallCount }) => stallCount);
    const stallSeconds = mean(({ stallMs }) => stallMs) / 1000;
    const latencySeconds = mean(({ meanLatencyMs }) => meanLatencyMs) / 1000;
    const switches = mean(({ switchCount }) => switchCount);
    console.log(
      `  ${rule.padEnd(12)} QoE ${mean(({ qoe }) => qoe).toFixed(3)}  ` +
        `${(rate / 1e6).toFixed(2)} Mbit/s  ` +
        `latency ${latencySeconds.toFixed(2)} s  ` +
        `${stalls.toFixed(1)} stalls, ${stallSeconds.toFixed(1)} s  ` +
        `${switches.toFixed(1)} switches`,
    );
  }
}
