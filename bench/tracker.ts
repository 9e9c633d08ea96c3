// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures rolecall's tracker beside opentracker and npm's bittorrent-tracker (`stats: false`), in one run.
 *
 *     ROLECALL_BIN=dist/rolecall ROLECALL_NPM=… deno run -A bench/tracker.ts [udp] [http] [rss]
 *
 * Linux with taskset, opentracker, wrk and node. `ROLECALL_NPM` has node_modules with bittorrent-tracker 11.2.3, installed
 * with `--ignore-scripts`; without `ROLECALL_BIN` ours runs from source. ONLY=rolecall,opentracker leaves the others out.
 *
 * The trackers have one core, the load the other (tracker_load.ts for UDP, wrk for HTTP). Each is started and filled once;
 * then they take turns, RUNS times (3 unless set) for SECONDS (3), so that a busy moment of the machine meets all; who has
 * no turn waits. Prints medians: announces per second, CPU time of the tracker per announce, and memory. About 3 minutes.
 *
 * The load is 100,000 peers in 1000 torrents, numwant 50. Debian's opentracker serves only what a list (-w) allows, and
 * is given one. Memory is measured after 1,000,000 peers in 10,000 torrents announced over UDP (npm's: 200,000 in 2000,
 * which takes it longer).
 */
import { join, resolve } from "@std/path";
import { toHex } from "../lib/core/bytes.ts";
import { escapeBytes } from "../lib/bittorrent/tracker/http/messages.ts";
import { cpuMs, memoryKib } from "./proc.ts";
import { infoHashOf, scramble } from "./tracker_hashes.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 3);
const SECONDS = Number(Deno.env.get("SECONDS") ?? 3);
const PEERS = 100_000;
const TORRENTS = 1000;
const folder = await Deno.makeTempDir({ prefix: "rolecall-tracker-" });
const main = resolve(import.meta.dirname ?? ".", "../main.ts");
const list = join(folder, "torrents.txt");
// Below those the system gives to connections that go out.
let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

const NAMES = [
  "rolecall",
  "rolecall portable",
  "opentracker",
  "bittorrent-tracker",
] as const;
type Name = typeof NAMES[number];

const ONLY = Deno.env.get("ONLY")?.split(",");

interface Tracker extends AsyncDisposable {
  readonly port: number;
  /** CPU time used so far. */
  cpuMs(): number;
  rssMiB(): number;
}

function commandOf(name: Name, port: number): string[] {
  if (name === "rolecall" || name === "rolecall portable") {
    const binary = Deno.env.get("ROLECALL_BIN");
    return [
      ...(binary === undefined
        ? [Deno.execPath(), "run", "-A", main]
        : [resolve(binary)]),
      ...["tracker", "--host", "127.0.0.1", "--port", `${port}`],
      ...(name === "rolecall" ? [] : ["--engine", "portable"]),
    ];
  }
  if (name === "opentracker") {
    return [
      name,
      "-i",
      "127.0.0.1",
      "-p",
      `${port}`,
      "-P",
      `${port}`,
      "-w",
      list,
    ];
  }
  const modules = resolve(
    Deno.env.get("ROLECALL_NPM") ?? ".cache/npm",
    "node_modules",
  );
  const script =
    `import Server from "file://${modules}/bittorrent-tracker/server.js";
const server = new Server({ udp: true, http: true, ws: false, stats: false });
server.on("error", () => {}); server.on("warning", () => {});
server.listen(${port}, "127.0.0.1");`;
  return ["node", "--input-type=module", "-e", script];
}

async function start(name: Name): Promise<Tracker> {
  const port = nextPort++;
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", ...commandOf(name, port)],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch (error) {
      if (attempt === 100) {
        child.kill("SIGKILL");
        throw new Error(`${name} does not start`, { cause: error });
      }
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
  return {
    port,
    cpuMs: () => cpuMs(child.pid),
    rssMiB: () => memoryKib(child.pid, "VmRSS") / 1024,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly lost: number;
}

/** Peers announce over UDP: all of them once, then for a few seconds at random; `seconds` 0 stops after the first. */
async function overUdp(
  tracker: Tracker,
  { peers, torrents, seconds }: {
    readonly peers: number;
    readonly torrents: number;
    readonly seconds: number;
  },
): Promise<Measured | null> {
  const load = new Deno.Command("taskset", {
    args: [
      ...["-c", "1", Deno.execPath(), "run", "-A"],
      join(import.meta.dirname ?? ".", "tracker_load.ts"),
      ...[tracker.port, peers, torrents, seconds].map(String),
    ],
    ...{ stdin: "piped", stdout: "piped" },
  }).spawn();
  const lines = load.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = async () => JSON.parse((await lines.read()).value ?? "null");
  const writer = load.stdin.getWriter();
  await line();
  let measured: Measured | null = null;
  if (seconds > 0) {
    const before = tracker.cpuMs();
    await writer.write(new TextEncoder().encode("\n"));
    const { answered, lost, perSecond } = await line();
    const cpuMicros = (tracker.cpuMs() - before) * 1000 / answered;
    measured = { perSecond, cpuMicros, lost };
  }
  await writer.close();
  await lines.cancel();
  await load.status;
  return measured;
}

/** wrk announces over HTTP, 16 connections at a time; each is used for one announce, or kept as long as the tracker keeps it. */
async function overHttp(
  tracker: Tracker,
  keepAlive: boolean,
): Promise<Measured> {
  const script = join(folder, "announces.lua");
  const targets = Array.from({ length: 5000 }, (_, at) => {
    const peer = scramble(at) % PEERS;
    const id = `-RC0001-${String(peer).padStart(12, "0")}`;
    return `/announce?info_hash=${
      escapeBytes(infoHashOf(peer % TORRENTS))
    }&peer_id=${id}` +
      `&port=${
        1024 + Math.floor(peer / TORRENTS)
      }&uploaded=0&downloaded=0&left=1000&compact=1&numwant=50`;
  });
  await Deno.writeTextFile(
    script,
    `local targets = {${
      targets.map((target) => JSON.stringify(target)).join(",\n")
    }}
local at = 0
local headers = {${keepAlive ? "" : `["Connection"] = "close"`}}
request = function() at = at % #targets + 1; return wrk.format("GET", targets[at], headers) end
`,
  );
  const before = tracker.cpuMs();
  const { stdout } = await new Deno.Command("taskset", {
    args: [
      ...[
        "-c",
        "1",
        "wrk",
        "-t",
        "1",
        "-c",
        "16",
        "-d",
        `${SECONDS}s`,
        "-s",
        script,
      ],
      `http://127.0.0.1:${tracker.port}`,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const answered = Number(/(\d+) requests in/.exec(text)?.[1]);
  const cpuMicros = (tracker.cpuMs() - before) * 1000 / answered;
  const failed = /Non-2xx[^:]*: (\d+)/.exec(text)?.[1] ?? "0";
  return {
    perSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(text)?.[1]),
    cpuMicros,
    lost: Number(failed),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Runs `measure` on each tracker in turn and prints a row for each. */
async function compare(
  title: string,
  trackers: ReadonlyMap<Name, Tracker>,
  measure: (tracker: Tracker) => Promise<Measured>,
): Promise<void> {
  const all = new Map<Name, Measured[]>();
  for (let run = 0; run < RUNS; run++) {
    for (const [name, tracker] of trackers) {
      all.set(name, [...all.get(name) ?? [], await measure(tracker)]);
    }
  }
  console.log(`\n${title}: median of ${RUNS}`);
  const base = all.has("opentracker") ? "opentracker" : "rolecall";
  const of = (name: Name, key: keyof Measured) =>
    median((all.get(name) ?? []).map((run) => run[key]));
  for (const name of all.keys()) {
    const perSecond = of(name, "perSecond");
    const cpu = of(name, "cpuMicros");
    console.log(
      `  ${name.padEnd(20)} ${perSecond.toFixed(0).padStart(7)}/s ${
        cpu.toFixed(1).padStart(6)
      } µs CPU, lost ${of(name, "lost")}; ${
        (perSecond / of(base, "perSecond")).toFixed(2)
      } × ${base}'s, at ${(cpu / of(base, "cpuMicros")).toFixed(2)} × its CPU`,
    );
  }
}

/** Starts trackers and lets all peers announce once. */
async function startFilled(
  names: readonly Name[],
  open: AsyncDisposableStack,
): Promise<Map<Name, Tracker>> {
  const trackers = new Map<Name, Tracker>();
  for (const name of names.filter((name) => ONLY?.includes(name) ?? true)) {
    const tracker = open.use(await start(name));
    await overUdp(tracker, { peers: PEERS, torrents: TORRENTS, seconds: 0 });
    trackers.set(name, tracker);
  }
  return trackers;
}

async function speed(chosen: readonly string[]): Promise<void> {
  await using open = new AsyncDisposableStack();
  const trackers = await startFilled(NAMES, open);
  if (chosen.includes("udp")) {
    const load = { peers: PEERS, torrents: TORRENTS, seconds: SECONDS };
    await compare(
      "UDP announces",
      trackers,
      async (tracker) => (await overUdp(tracker, load))!,
    );
  }
  if (!chosen.includes("http")) return;
  await compare(
    "HTTP announces, a connection each",
    trackers,
    (tracker) => overHttp(tracker, false),
  );
  await compare(
    "HTTP announces, connections kept where the tracker keeps them",
    trackers,
    (tracker) => overHttp(tracker, true),
  );
}

async function memory(): Promise<void> {
  console.log(
    "\nMemory after 1,000,000 peers in 10,000 torrents (bittorrent-tracker: 200,000 in 2000)",
  );
  for (const name of NAMES) {
    if (name === "rolecall portable" || ONLY?.includes(name) === false) {
      continue;
    }
    await using tracker = await start(name);
    const idle = tracker.rssMiB();
    const size = name === "bittorrent-tracker" ? 200_000 : 1_000_000;
    await overUdp(tracker, { peers: size, torrents: size / 100, seconds: 1 });
    console.log(
      `  ${name.padEnd(20)} ${tracker.rssMiB().toFixed(1)} MiB, idle ${
        idle.toFixed(1)
      } MiB`,
    );
  }
}

try {
  const chosen = Deno.args.length === 0 ? ["udp", "http", "rss"] : Deno.args;
  const hashes = Array.from(
    { length: 10_000 },
    (_, at) => toHex(infoHashOf(at)),
  );
  await Deno.writeTextFile(list, hashes.join("\n") + "\n");
  // opentracker reads it as the user nobody, and else tells nobody of any peer.
  await Deno.chmod(folder, 0o755);
  if (chosen.includes("udp") || chosen.includes("http")) await speed(chosen);
  if (chosen.includes("rss")) await memory();
} finally {
  await Deno.remove(folder, { recursive: true });
}
