// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * One seed, one leech, one file, on loopback: our peer beside the real clients, in turn, so that a busy moment of the
 * machine meets all of them. Same client on both sides; the tracker is ours.
 *
 *     ROLECALL_BIN=dist/rolecall ROLECALL_NPM=… deno run -A bench/peer_pair.ts
 *       [--runs 5] [--mib 512] [--clients rolecall,libtorrent,aria2,rtorrent,webtorrent]
 *
 * `ROLECALL_NPM` has node_modules with webtorrent 2.8.5 and uint8-util 2.2.5, installed with `--ignore-scripts`.
 * Needs root and `unshare`: it runs in a network namespace of its own, where the loopback's counters are the pair's alone.
 *
 * Prints for each client the medians of: wall seconds from the leech's start to its word that it has everything; CPU
 * seconds of both sides meanwhile (the leech's start-up counts, the seed's does not); the leech's peak resident set and
 * what of it is anonymous at the end (clients that map files are charged for the page cache); seconds from the leech's start to the first 32 KiB
 * on the loopback. Every downloaded file is compared with the seed's.
 */
import { join } from "@std/path";
import { CLIENTS, type Member, OURS } from "./bittorrent_clients.ts";
import { hear, type HeardProcess } from "./heard_process.ts";
import { family, familyCpuMs, memoryKib } from "./proc.ts";

const LIMIT_MS = 60_000;
const ALL_CLIENTS = "rolecall,libtorrent,aria2,rtorrent,webtorrent";

interface Figures {
  readonly wall: number;
  readonly cpu: number;
  readonly hwm: number;
  readonly anon: number;
  readonly first: number;
}

/** Bytes that have passed the loopback of our namespace. */
async function loopbackBytes(): Promise<number> {
  const table = await Deno.readTextFile("/proc/self/net/dev");
  return Number(/lo:\s*(\d+)/.exec(table)![1]);
}

/** Watches the loopback until 32 KiB more than `base` have passed. */
async function firstBytes(base: number, end: AbortSignal): Promise<number> {
  while (!end.aborted) {
    if (await loopbackBytes() > base + 32 * 1024) return performance.now();
    await new Promise((wake) => setTimeout(wake, 4));
  }
  return NaN;
}

/** Waits until nothing but silence is on the loopback: the seed has announced, its hashing is over. */
async function settled(seed: HeardProcess): Promise<void> {
  const before = familyCpuMs(seed.pid);
  await new Promise((wake) => setTimeout(wake, 500));
  if (familyCpuMs(seed.pid) - before > 20) await settled(seed);
}

async function pair(
  client: string,
  world: { readonly folder: string; readonly torrent: string },
  tracker: Tracker,
): Promise<Figures> {
  const { folder, torrent } = world;
  const run = await Deno.makeTempDir({ dir: folder });
  const member = async (
    name: "seed" | "leech",
    port: number,
  ): Promise<Member> => {
    const state = join(run, `${name}-state`);
    await Deno.mkdir(state);
    const seed = name === "seed";
    const content = seed ? join(folder, "seed") : join(run, "leech");
    await Deno.mkdir(content, { recursive: true });
    return {
      ...{ seed, folder: content, state, torrent, port },
      host: "127.0.0.1",
      flags: (Deno.env.get("PEER_PAIR_FLAGS") ?? "").split(" ").filter(Boolean),
    };
  };
  const announced = tracker.announces;
  const start = async (name: "seed" | "leech", port: number) => {
    const how = await CLIENTS[client]!(await member(name, port));
    return () => hear(how.command, { ...how, limitMs: LIMIT_MS });
  };
  await using seed = (await start("seed", 20_001))();
  const from = performance.now();
  while (tracker.announces === announced) {
    if (performance.now() - from > LIMIT_MS) {
      throw new Error(`${client} seed is silent: ${seed.output()}`);
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  await settled(seed);
  const startLeech = await start("leech", 20_002);
  const seedCpuMs = familyCpuMs(seed.pid);
  const base = await loopbackBytes();
  const end = new AbortController();
  const first = firstBytes(base, end.signal);
  await using leech = startLeech();
  const doneMs = await leech.done.finally(() => end.abort());
  // rtorrent runs beside the shell that tells of its end.
  const members = family(leech.pid);
  const figures = {
    wall: (doneMs - leech.startMs) / 1000,
    cpu: (familyCpuMs(seed.pid) - seedCpuMs + familyCpuMs(leech.pid)) / 1000,
    hwm: Math.max(...members.map((pid) => memoryKib(pid, "VmHWM"))) / 1024,
    anon: Math.max(...members.map((pid) => memoryKib(pid, "RssAnon"))) / 1024,
    first: (await first - leech.startMs) / 1000,
  };
  await same(join(folder, "seed", "file"), join(run, "leech", "file"));
  await leech[Symbol.asyncDispose]();
  await Deno.remove(run, { recursive: true });
  return figures;
}

async function same(a: string, b: string): Promise<void> {
  const { success } = await new Deno.Command("cmp", { args: [a, b] }).output();
  if (!success) throw new Error(`${b} is not ${a}`);
}

interface Tracker extends AsyncDisposable {
  readonly url: string;
  readonly announces: number;
}

async function startTracker(): Promise<Tracker> {
  const child = new Deno.Command(OURS, {
    args: [
      ...["tracker", "--host", "127.0.0.1", "--port", "20000"],
      ...["--interval", "1h", "--log", "json"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let announces = 0;
  let listening = () => {};
  const ready = new Promise<void>((go) => listening = go);
  void (async () => {
    let rest = "";
    for await (const chunk of child.stderr) {
      const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.includes('"tracker.announced"')) announces += 1;
        if (line.includes('"role.listening"')) listening();
      }
    }
  })();
  await ready;
  return {
    url: "http://127.0.0.1:20000/announce",
    get announces() {
      return announces;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** A file of bytes that do not compress, and its torrent. */
async function prepare(folder: string, mib: number, tracker: Tracker) {
  const path = join(folder, "seed", "file");
  await Deno.mkdir(join(folder, "seed"));
  {
    using file = await Deno.open(path, { write: true, create: true });
    const bytes = new Uint8Array(65_536);
    for (let at = 0; at < mib * 16; at++) {
      crypto.getRandomValues(bytes);
      await file.write(bytes);
    }
  }
  const torrent = join(folder, "file.torrent");
  const { success } = await new Deno.Command(OURS, {
    args: [
      ...["peer", "--create", path, "-o", torrent],
      ...["--announce", tracker.url],
    ],
  }).output();
  if (!success) throw new Error("cannot make the torrent");
  return { folder, torrent };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at === -1 ? fallback : Deno.args[at + 1] ?? fallback;
}

const COLUMNS = ["wall", "cpu", "hwm", "anon", "first"] as const;

function print(results: ReadonlyMap<string, readonly Figures[]>): void {
  console.log(
    "client      n   wall s (range)        MiB/s      CPU s   peak MiB  anonymous MiB  first s",
  );
  for (const [client, runs] of results) {
    const of = (column: (typeof COLUMNS)[number]) =>
      runs.map((figures) => figures[column]);
    const walls = of("wall");
    console.log(
      [
        client.padEnd(11),
        String(runs.length).padEnd(3),
        `${median(walls).toFixed(2)} (${Math.min(...walls).toFixed(2)}–${
          Math.max(...walls).toFixed(2)
        })`.padEnd(21),
        (mib / median(walls)).toFixed(0).padStart(5),
        median(of("cpu")).toFixed(2).padStart(10),
        median(of("hwm")).toFixed(0).padStart(10),
        median(of("anon")).toFixed(0).padStart(14),
        median(of("first")).toFixed(2).padStart(8),
      ].join(" "),
    );
  }
}

const runs = Number(option("runs", "5"));
const mib = Number(option("mib", "512"));
const clients = option("clients", ALL_CLIENTS).split(",");
const unknown = clients.find((client) => CLIENTS[client] === undefined);
if (unknown !== undefined) throw new Error(`no client ${unknown}`);

if (Deno.env.get("PEER_PAIR_INSIDE") === undefined) {
  const { code } = await new Deno.Command("unshare", {
    args: [
      ...["--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"],
      ...[Deno.execPath(), "run", "-A", import.meta.filename!, ...Deno.args],
    ],
    env: { PEER_PAIR_INSIDE: "1" },
  }).spawn().status;
  Deno.exit(code);
}

const folder = await Deno.makeTempDir({ prefix: "rolecall-pair-" });
try {
  await using tracker = await startTracker();
  const world = await prepare(folder, mib, tracker);
  const results = new Map<string, Figures[]>(
    clients.map((client) => [client, []]),
  );
  for (let run = 0; run < runs; run++) {
    // Whoever is first meets a disk that still writes what the last one left: everyone has the place in turn.
    for (let at = 0; at < clients.length; at++) {
      const client = clients[(at + run) % clients.length]!;
      const figures = await pair(client, world, tracker);
      results.get(client)!.push(figures);
      console.error(
        `run ${run + 1} ${client}: ${
          COLUMNS.map((column) => `${column} ${figures[column].toFixed(2)}`)
            .join(", ")
        }`,
      );
    }
  }
  print(results);
} finally {
  await Deno.remove(folder, { recursive: true });
}
