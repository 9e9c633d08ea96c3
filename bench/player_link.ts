// deno-lint-ignore-file no-console
/**
 * The player over a link of 3500, 800 and 3500 kbit/s that changes 15 s and 35 s after the manifest is there: a minute of the
 * test card, played for real between two namespaces whose wire `tc tbf` shapes. Needs root.
 *
 *     deno run -A bench/player_link.ts [--runs 1] [flags of dash-client …]
 *
 * A run takes 65 s. The anchor is dash.js 5.2.1 in Chromium on such a link (23 Nov 2026): playing after 1.39 s, no
 * stall, 16 downloads for 12 segments.
 */
import { startProgram } from "../tests/support/program.ts";
import { type Host, makeHosts } from "../tests/support/namespaces.ts";

const KBITS = [[0, 3500], [15, 800], [35, 3500]] as const;
/** Rates of the anchor's title. */
const LADDER = "360p@740k,480p@1172k,720p@2395k";
const SEGMENTS = 12;
const ANCHOR = { startupMs: 1390, stalls: 0, fetches: 16 };

interface Run {
  /** From the request for the manifest to the first picture. */
  readonly startupMs: number;
  readonly manifestMs: number;
  readonly firstSegmentMs: number;
  /** From the start of the program. */
  readonly processMs: number;
  readonly stalls: number;
  readonly stallMs: number;
  readonly fetches: number;
  readonly twice: number;
  readonly meanKbits: number;
  readonly switches: number;
}

async function shape(host: Host, kbits: number): Promise<void> {
  const { code, stderr } = await new Deno.Command("tc", {
    args: [
      ...["-n", host.name, "qdisc", "replace", "dev", "eth0", "root", "tbf"],
      ...["rate", `${kbits}kbit`, "burst", "16kb", "latency", "100ms"],
    ],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

async function runOnce(flags: readonly string[]): Promise<Run> {
  await using world = await makeHosts(2, { id: "pl", net: 87 });
  const [server, client] = world.hosts as [Host, Host];
  await shape(server, KBITS[0][1]);
  await using origin = await startProgram([
    ..."origin --port 8080 --max-age 0s --ladder".split(" "),
    ...[LADDER, "--duration", `${5 * SEGMENTS}s`],
  ], { inside: server.inside });
  await origin.until("role.listening");
  const beganAtMs = performance.now();
  await using player = await startProgram([
    "dash-client",
    `http://${server.address}:8080/manifest.mpd`,
    ...flags,
  ], { inside: client.inside });
  const loaded = await player.until("manifest.loaded");
  const steps = KBITS.slice(1).map(([atS, kbits]) =>
    setTimeout(() => void shape(server, kbits), atS * 1000)
  );
  const started = await player.until("playout.started");
  const processMs = performance.now() - beganAtMs;
  await player.exited;
  for (const step of steps) clearTimeout(step);
  const paths = origin.events.flatMap((event) =>
    event.type === "origin.answered" && event.path.endsWith(".m4s")
      ? [event.path]
      : []
  );
  const numbers = new Set(paths.map((path) => /_(\d+)\.m4s/.exec(path)?.[1]));
  const segments = player.events.flatMap((event) =>
    event.type === "segment.downloaded" ? [event] : []
  );
  const stalled = player.events.flatMap((event) =>
    event.type === "playout.resumed" ? [event.stallMs] : []
  );
  const rates = segments.map(({ bitsPerSecond }) => bitsPerSecond);
  return {
    startupMs: loaded.elapsedMs + started.startupMs,
    manifestMs: loaded.elapsedMs,
    firstSegmentMs: segments[0]!.downloadMs,
    processMs,
    stalls: player.events.filter(({ type }) => type === "playout.stalled")
      .length,
    stallMs: stalled.reduce((sum, each) => sum + each, 0),
    fetches: paths.length,
    twice: paths.length - numbers.size,
    meanKbits: rates.reduce((sum, each) => sum + each, 0) / rates.length / 1000,
    switches: rates.filter((rate, at) => at > 0 && rate !== rates[at - 1])
      .length,
  };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const at = Deno.args.indexOf("--runs");
const count = at < 0 ? 1 : Number(Deno.args[at + 1]);
const flags = Deno.args.filter((_, index) =>
  at < 0 || (index !== at && index !== at + 1)
);
const runs: Run[] = [];
for (let run = 0; run < count; run++) {
  const result = await runOnce(flags);
  runs.push(result);
  console.log(JSON.stringify(result));
}
const median = (of: (run: Run) => number) => medianOf(runs.map(of));
const startupMs = median((run) => run.startupMs);
console.log(`
link ${
  KBITS.map(([, kbits]) => kbits).join("/")
} kbit/s, ${SEGMENTS} segments of 5 s, ${count} run(s), medians
                     ours      dash.js  goal
start-up           ${startupMs.toFixed(0).padStart(5)} ms    ${
  String(ANCHOR.startupMs).padStart(4)
} ms  <= 1400 ms    ratio ${(startupMs / ANCHOR.startupMs).toFixed(2)}
  with the process ${median((run) => run.processMs).toFixed(0).padStart(5)} ms
stalls             ${
  String(median((run) => run.stalls)).padStart(5)
}          ${ANCHOR.stalls}     0
downloads          ${
  String(median((run) => run.fetches)).padStart(5)
}         ${ANCHOR.fetches}     ${SEGMENTS}
fetched twice      ${String(median((run) => run.twice)).padStart(5)}          ${
  ANCHOR.fetches - SEGMENTS
}     0
mean rate          ${
  median((run) => run.meanKbits).toFixed(0).padStart(5)
} kbit/s, ${median((run) => run.switches)} switches`);
