// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures in virtual time how close a swarm comes to the lecture's bound max{F/us, F/dmin, NF/(us+Σu)}.
 *
 *     deno run -A bench/swarm_virtual.ts [--seeds 5] [--count 1,2,5,10] [--pieces 256KiB] [--bound 15] [--case fast|equal|both]
 *       [--within 1000] [--told 50]
 *
 * `--within`: the leeches start one after the other within so many milliseconds, and know who came before them; `--told`:
 * no more than so many of those, by lot, as a tracker tells them.
 * One line for each case: `us=10u` or `us=u`, N, median and worst of last/bound over the seeds, copies of the file the
 * seed sent, bytes that came twice, how much of their upload the leeches used, the median and the longest time from a
 * peer's own start to its end as parts of the bound, CPU seconds of a run.
 */
import { introductions } from "../lib/sim/tracker.ts";
import {
  type Host,
  layoutOf,
  SwarmWorld,
} from "../tests/support/swarm_world.ts";

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at === -1 ? fallback : Deno.args[at + 1] ?? fallback;
}

const seeds = Number(option("seeds", "5"));
const counts = option("count", "1,2,5,10").split(",").map(Number);
const pieceLength = Number(option("piece-kib", "256")) * 1024;
const boundSeconds = Number(option("bound", "15"));
const peerBytesPerSecond = Number(option("rate", "1000000"));
const cases = option("case", "both");
const withinMs = Number(option("within", "0"));
const told = Number(option("told", "Infinity"));
const detail = Deno.args.includes("--detail");

function run(count: number, factor: number, seed: number) {
  const u = peerBytesPerSecond;
  const us = factor * u;
  const perByte = Math.max(1 / us, count / (us + count * u));
  const fileBytes = Math.round(boundSeconds / perByte);
  const world = new SwarmWorld(layoutOf(fileBytes, pieceLength), {
    seed,
    blank: true,
  });
  const source = world.add({ seed: true, uploadBytesPerSecond: us });
  const from = performance.now();
  const rng = world.rngOf(-1);
  const leeches: Host[] = [];
  const startedAtMs = Array.from(
    { length: count },
    (_, at) => withinMs * at / count,
  );
  for (const atMs of startedAtMs) {
    world.run(atMs);
    const leech = world.add({ uploadBytesPerSecond: u });
    world.introduce(leech, introductions([source, ...leeches], told, rng));
    leeches.push(leech);
  }
  let up = leeches.map(() => 0);
  let sup = 0;
  for (let second = 1; second < 600; second++) {
    world.run(
      second * 1000,
      () => leeches.every((leech) => leech.completedAtMs < Infinity),
    );
    if (detail) {
      const now = leeches.map((leech) => leech.swarm.status.uploadedBytes);
      const s = source.swarm.status.uploadedBytes;
      console.log(
        String(second).padStart(3),
        `seed ${((s - sup) / us * 100).toFixed(0)}%`,
        "leeches",
        now.map((bytes, at) => ((bytes - up[at]!) / u * 100).toFixed(0)).join(
          " ",
        ),
        "have",
        leeches.map((l) => l.swarm.status.havePieces).join(" "),
        "done",
        leeches.filter((l) => l.completedAtMs < Infinity).length,
        "waste",
        (leeches.reduce((sum, l) => sum + l.swarm.status.wastedBytes, 0) /
          fileBytes).toFixed(3),
      );
      up = now;
      sup = s;
    }
    if (leeches.every((leech) => leech.completedAtMs < Infinity)) break;
  }
  const lastMs = Math.max(...leeches.map((leech) => leech.completedAtMs));
  const boundMs = fileBytes * perByte * 1000;
  const ownMs = leeches.map((leech, at) =>
    leech.completedAtMs - startedAtMs[at]!
  );
  return {
    ratio: lastMs / boundMs,
    own: median(ownMs) / boundMs,
    slowest: Math.max(...ownMs) / boundMs,
    copies: source.swarm.status.uploadedBytes / fileBytes,
    wasted: leeches.reduce((sum, l) => sum + l.swarm.status.wastedBytes, 0) /
      (count * fileBytes),
    used: leeches.reduce((sum, l) => sum + l.swarm.status.uploadedBytes, 0) /
      (count * u * lastMs / 1000),
    cpuSeconds: (performance.now() - from) / 1000,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

for (const [name, factor] of [["fast", 10], ["equal", 1]] as const) {
  if (cases !== "both" && cases !== name) continue;
  for (const count of counts) {
    const runs = Array.from(
      { length: seeds },
      (_, at) => run(count, factor, at + 1),
    );
    const of = (key: keyof (typeof runs)[number]) =>
      runs.map((result) => result[key]);
    console.log(
      `us=${factor === 1 ? "u  " : "10u"} N=${String(count).padStart(3)}  ` +
        `last/bound ${median(of("ratio")).toFixed(3)} (worst ${
          Math.max(...of("ratio")).toFixed(3)
        })  copies ${median(of("copies")).toFixed(2)}  twice ${
          (100 * median(of("wasted"))).toFixed(2)
        } %  used ${(100 * median(of("used"))).toFixed(0)} %  from own start ${
          median(of("own")).toFixed(2)
        } (slowest ${median(of("slowest")).toFixed(2)})  ${
          median(of("cpuSeconds")).toFixed(1)
        } s`,
    );
  }
}
