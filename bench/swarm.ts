// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * One seed and N leeches with limited upload: how near does the last leech come to the lecture's bound
 * max{F/us, F/dmin, NF/(us+Σu)}, with our peers and with real clients, in turn, in one run.
 *
 *     ROLECALL_BIN=dist/rolecall deno run -A bench/swarm.ts [--runs 5] [--count 10] [--cases fast,equal,mixed]
 *       [--clients rolecall,libtorrent,aria2] [--bound 15] [--rate 1000000] [--limit own|link]
 *
 * Cases: `fast`: the seed has ten times a leech's upload; `equal`: it has as much; `mixed`: as `equal`, with our seed, a
 * libtorrent seed and a super-seeding libtorrent seed, and libtorrent leeches. `--rate`: a leech's upload in bytes per
 * second. `--limit own`: each client limits its own payload; `link`: a token bucket filter on each link, headers included.
 * Every member has a network namespace (198.18.47.x); tracker: ours. Needs root and `tc` for `--limit link`.
 *
 * Prints medians: time until all have the file, from the start of the first leech, divided by the bound; the same from the
 * first data; when the first data came; when the median leech was done; copies of the file that left the seed, with
 * headers; CPU seconds of seed and leeches together. Every downloaded file is compared with the seed's.
 */
import { join } from "@std/path";
import { type Host, makeHosts } from "../tests/support/namespaces.ts";
import { runTool } from "../tests/support/program.ts";
import { CLIENTS, OURS } from "./bittorrent_clients.ts";
import { hear } from "./heard_process.ts";
import { cpuMs } from "./proc.ts";

const PIECE_LENGTH = "256KiB";

/** Who plays which part. */
interface Cast {
  readonly name: string;
  readonly seed: string;
  readonly leech: string;
  /** The seed's upload by a leech's. */
  readonly factor: number;
}

interface Figures {
  readonly last: number;
  readonly fromFirst: number;
  readonly first: number;
  readonly median: number;
  readonly copies: number;
  readonly cpu: number;
}

function option(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at === -1 ? fallback : Deno.args[at + 1] ?? fallback;
}

const runs = Number(option("runs", "5"));
const count = Number(option("count", "10"));
const cases = option("cases", "fast,equal,mixed").split(",");
const clients = option("clients", "rolecall,libtorrent,aria2").split(",");
const boundSeconds = Number(option("bound", "15"));
const rate = Number(option("rate", "1000000"));
const limit = option("limit", "own");

/** Runs a tool that must succeed. */
async function must(command: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runTool(command, args);
  if (code !== 0) throw new Error(`${command} ${args}: ${stdout}${stderr}`);
}

/** Bytes that went into a host, or came out of it, counted at the bridge's end of its wire. */
async function wireBytes(host: Host, way: "into" | "outOf"): Promise<number> {
  const file = way === "into" ? "tx_bytes" : "rx_bytes";
  return Number(
    await Deno.readTextFile(`/sys/class/net/${host.name}w/statistics/${file}`),
  );
}

async function limitLink(host: Host, bytesPerSecond: number): Promise<void> {
  await must("tc", [
    ...["-n", host.name, "qdisc", "replace", "dev", "eth0", "root", "tbf"],
    ...["rate", `${Math.round(bytesPerSecond * 8)}bit`, "burst", "64kb"],
    ...["latency", "100ms"],
  ]);
}

/** Waits until the first leech has got 32 KiB; returns the time. */
async function firstData(
  leeches: readonly Host[],
  signal: AbortSignal,
): Promise<number> {
  const base = await Promise.all(
    leeches.map((host) => wireBytes(host, "into")),
  );
  while (!signal.aborted) {
    for (const [at, host] of leeches.entries()) {
      if (await wireBytes(host, "into") > base[at]! + 32_768) {
        return performance.now();
      }
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return NaN;
}

interface World {
  readonly folder: string;
  readonly hosts: readonly Host[];
}

/** Makes a file of `bytes` in `folder`/seed, and its torrent. */
async function prepare(
  { folder, hosts }: World,
  bytes: number,
): Promise<string> {
  await Deno.mkdir(join(folder, "seed"));
  const path = join(folder, "seed", "file");
  using file = await Deno.open(path, { write: true, create: true });
  const chunk = new Uint8Array(65_536);
  for (let left = bytes; left > 0; left -= chunk.length) {
    crypto.getRandomValues(chunk);
    await file.write(chunk.subarray(0, Math.min(left, chunk.length)));
  }
  const torrent = join(folder, "file.torrent");
  await must(OURS, [
    ...["peer", "--create", path, "-o", torrent],
    ...["--announce", `http://${hosts[0]!.address}:6969/announce`],
    ...["--piece-length", PIECE_LENGTH],
  ]);
  return torrent;
}

/** Plays one swarm from the seed's start to the last leech's last piece. */
async function play(cast: Cast, world: World): Promise<Figures> {
  const us = cast.factor * rate;
  const perByte = Math.max(1 / us, count / (us + count * rate));
  const fileBytes = Math.round(boundSeconds / perByte);
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ dir: world.folder });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const torrent = await prepare({ ...world, folder }, fileBytes);
  const [trackerHost, seedHost, ...leechHosts] = world.hosts as [
    Host,
    Host,
    ...Host[],
  ];
  const tracker = stack.use(hear([
    ...[...trackerHost.inside, OURS, "tracker", "--log", "json"],
    ...["--host", trackerHost.address, "--udp-port", "0"],
  ], { doneWhen: /"tracker.announced"/, limitMs: 60_000 }));
  const member = async (client: string, host: Host, seed: boolean) => {
    const own = join(folder, host.name);
    await Deno.mkdir(join(own, "state"), { recursive: true });
    const bytesPerSecond = seed ? us : rate;
    if (limit === "link") await limitLink(host, bytesPerSecond);
    const started = await CLIENTS[client]!({
      seed,
      folder: seed ? join(folder, "seed") : own,
      state: join(own, "state"),
      torrent,
      host: host.address,
      port: 6881,
      uploadBytesPerSecond: limit === "link" ? undefined : bytesPerSecond,
      flags: [
        ...["--dht", "off"],
        ...(limit === "link"
          ? ["--super-seed", "on"]
          : ["--upload-limit", `${bytesPerSecond}`]),
        ...(Deno.env.get("SWARM_FLAGS") ?? "").split(" ").filter(Boolean),
      ],
    });
    return () =>
      stack.use(hear([...host.inside, ...started.command], {
        doneWhen: started.doneWhen,
        limitMs: boundSeconds * 6_000,
      }));
  };
  await new Promise((wake) => setTimeout(wake, 500));
  const seed = (await member(cast.seed, seedHost, true))();
  await tracker.done;
  await new Promise((wake) => setTimeout(wake, 1_000));
  const starts = await Promise.all(
    leechHosts.map((host) => member(cast.leech, host, false)),
  );
  // `ip netns exec` becomes the client itself.
  const seedCpuMs = cpuMs(seed.pid);
  const seedBytes = await wireBytes(seedHost, "outOf");
  const end = new AbortController();
  const first = firstData(leechHosts, end.signal);
  const leeches = starts.map((begin) => begin());
  const times = await Promise.all(leeches.map((leech) => leech.done))
    .finally(() => end.abort());
  const copies = (await wireBytes(seedHost, "outOf") - seedBytes) / fileBytes;
  const spentMs = [seed, ...leeches].map(({ pid }) => cpuMs(pid))
    .reduce((sum, ms) => sum + ms, -seedCpuMs);
  for (const host of leechHosts) {
    await must("cmp", [
      join(folder, "seed", "file"),
      join(folder, host.name, "file"),
    ]);
  }
  const startMs = leeches[0]!.startMs;
  const firstMs = await first;
  const lastMs = Math.max(...times);
  return {
    last: (lastMs - startMs) / 1000 / boundSeconds,
    fromFirst: (lastMs - firstMs) / 1000 / boundSeconds,
    first: (firstMs - startMs) / 1000,
    median: (median(times) - startMs) / 1000 / boundSeconds,
    copies,
    cpu: spentMs / 1000,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function casts(): Cast[] {
  return cases.flatMap((name) =>
    name === "mixed"
      ? ["rolecall", "libtorrent", "libtorrent-super"].map((seed) => ({
        name: `${seed} seed, libtorrent leeches, us=u`,
        seed,
        leech: "libtorrent",
        factor: 1,
      }))
      : clients.map((client) => ({
        name: `${client}, us=${name === "fast" ? "10u" : "u"}`,
        seed: client,
        leech: client,
        factor: name === "fast" ? 10 : 1,
      }))
  );
}

function print(results: ReadonlyMap<Cast, readonly Figures[]>): void {
  console.log(
    `N=${count}, bound ${boundSeconds} s, u=${rate} B/s, limit: ${limit}; medians\n` +
      "swarm                                        n  last/bound (range)   from first  first s  median  copies  CPU s",
  );
  for (const [{ name }, figures] of results) {
    const of = (column: keyof Figures) => figures.map((each) => each[column]);
    const lasts = of("last");
    console.log(
      [
        name.padEnd(44),
        String(figures.length).padStart(2),
        ` ${median(lasts).toFixed(3)} (${Math.min(...lasts).toFixed(2)}–${
          Math.max(...lasts).toFixed(2)
        })`.padEnd(20),
        median(of("fromFirst")).toFixed(3).padStart(10),
        median(of("first")).toFixed(2).padStart(8),
        median(of("median")).toFixed(3).padStart(7),
        median(of("copies")).toFixed(2).padStart(7),
        median(of("cpu")).toFixed(1).padStart(6),
      ].join(" "),
    );
  }
}

await using network = await makeHosts(count + 2, { id: "sb", net: 47 });
const folder = await Deno.makeTempDir({ prefix: "rolecall-swarm-" });
try {
  const results = new Map<Cast, Figures[]>(casts().map((cast) => [cast, []]));
  for (let run = 0; run < runs; run++) {
    for (const [cast, figures] of results) {
      const found = await play(cast, { folder, hosts: network.hosts })
        .catch((error) =>
          console.error(`run ${run + 1} ${cast.name}: ${error}`)
        );
      if (found === undefined) continue;
      figures.push(found);
      console.error(
        `run ${run + 1} ${cast.name}: ${
          Object.entries(found).map(([key, value]) =>
            `${key} ${value.toFixed(2)}`
          ).join(", ")
        }`,
      );
    }
  }
  print(results);
} finally {
  await Deno.remove(folder, { recursive: true });
}
