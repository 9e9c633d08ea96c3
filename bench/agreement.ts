// deno-lint-ignore-file no-console
/**
 * Real play over a trace beside its own simulation: does `--simulate` tell what the player does?
 *
 *     deno run -A bench/agreement.ts [--speed 5] [--media 200] [--rules auto,bola-e] [--traces lte,3g,…]
 *
 * The built-in title from our own origin on loopback, six plays at a time; with ROLECALL_TRACES also two of the
 * research set. Two minutes. The goal: the same rung in 90 % of segments, average rate and standing still within 5 %.
 */
import { runProgram, startProgram } from "../tests/support/program.ts";

interface Result {
  readonly rungs: readonly number[];
  readonly averageBitsPerSecond: number;
  readonly stallMs: number;
  readonly startupMs: number;
  readonly playedMs: number;
}

/** More would disturb each other on two cores. */
const AT_ONCE = 6;

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1]!;
}

const speed = Number(option("speed", "5"));
const media = option("media", "200");
const rules = option("rules", "auto,bola-e").split(",");
const folder = Deno.env.get("ROLECALL_TRACES");
const traces = option(
  "traces",
  folder === undefined
    ? "lte,3g,wifi,step,sawtooth"
    : `lte,3g,wifi,step,sawtooth,${
      ["3G/report.2010-09-13_1003CEST.json", "4G/report_bus_0001.json"].map((
        name,
      ) => `${folder}/${name}`).join(",")
    }`,
).split(",");

async function play(
  url: string,
  trace: string,
  rule: string,
  how: readonly string[],
): Promise<Result> {
  const run = await runProgram([
    "dash-client",
    url,
    ..."--json --buffer 25s --abandon --duration".split(" "),
    `${media}s`,
    ...["--trace", trace, "--abr", rule],
    ...how,
  ], { timeoutMs: 600_000 });
  if (run.code !== 0) throw new Error(run.stderr);
  const result = JSON.parse(run.stdout);
  if (result.rules === undefined) {
    const { segments } = result;
    return {
      ...result,
      rungs: segments.map(({ layer }: { layer: number }) => layer - 1),
    };
  }
  const [only] = result.rules;
  return {
    ...only,
    rungs: only.segments.map(({ index }: { index: number }) => index),
  };
}

await using origin = await startProgram([
  ..."origin --host 127.0.0.1 --port 0".split(" "),
]);
const { port } = await origin.until("role.listening");
const url = `http://127.0.0.1:${port}/manifest.mpd`;
const waiting = traces.flatMap((trace) =>
  rules.map((rule) => ({ trace, rule }))
);

async function compare({ trace, rule }: typeof waiting[number]) {
  const real = await play(url, trace, rule, ["--speed", String(speed)]);
  const simulated = await play(url, trace, rule, ["--simulate"]);
  const same = real.rungs.filter((rung, at) => rung === simulated.rungs[at])
    .length;
  return {
    trace: trace.split("/").at(-1)!,
    rule,
    same: 100 * same / simulated.rungs.length,
    rate: 100 *
      (real.averageBitsPerSecond / simulated.averageBitsPerSecond - 1),
    stall: 100 * (real.stallMs - simulated.stallMs) / simulated.playedMs,
    realStallMs: real.stallMs,
    simulatedStallMs: simulated.stallMs,
    startupMs: real.startupMs - simulated.startupMs,
  };
}

const rows: Awaited<ReturnType<typeof compare>>[] = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async (_, at) => {
    // Six programs that start at once would hold each other up.
    await new Promise((wake) => setTimeout(wake, 1500 * at));
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      rows.push(await compare(next));
    }
  }),
);
console.log(
  `speed ${speed}, ${media} s of media, buffer 25 s\n` +
    "trace                rule         same rung   rate  stalls real/simulated (of played)  start-up",
);
for (const row of rows) {
  console.log(
    row.trace.slice(0, 20).padEnd(20),
    row.rule.padEnd(12),
    `${row.same.toFixed(1)} %`.padStart(9),
    `${row.rate.toFixed(1)} %`.padStart(7),
    `${(row.realStallMs / 1000).toFixed(1)} / ${
      (row.simulatedStallMs / 1000).toFixed(1)
    } s (${row.stall.toFixed(2)} %)`.padStart(30),
    `${row.startupMs.toFixed(0)} ms`.padStart(9),
  );
}
const mean = (of: (row: typeof rows[number]) => number) =>
  rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
console.log(
  `\nmean: same rung ${
    mean((row) => row.same).toFixed(1)
  } % (goal >= 90), rate ${
    mean((row) => Math.abs(row.rate)).toFixed(1)
  } % off (<= 5), stalls ${
    mean((row) => Math.abs(row.stall)).toFixed(2)
  } % of played time off (<= 5)`,
);
