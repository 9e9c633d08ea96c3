// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures what an edge does while an object comes in, and with clients that do nothing, beside Varnish and nginx.
 *
 *     deno run -A bench/edge_fill.ts [--runs N] [herd] [late] [stalled] [idle] [full]
 *
 * - `herd`: 200 clients at once for a cold object of 512 KiB that takes its origin 1 s; once all alike, once with every
 *   third asking for a range and the first one leaving.
 * - `late`: clients join a fill of 2 s at twenty moments.
 * - `stalled`: 1,000 clients ask for 1 MiB and never read; what each costs, and what is left of the rate of others (wrk).
 * - `idle`: 10,000 connections that got an answer and are kept.
 * - `full`: our edge with 1 GiB of memory full of objects of 1 MiB.
 *
 * Linux with nginx, varnishd and wrk; `ulimit -n` of 12,000 for `idle`. About two minutes in all with 5 runs.
 */
import {
  ask,
  median,
  openMany,
  type Seen,
  startOrigin,
} from "./edge_clients.ts";
import {
  type Cache,
  startNginx,
  startOurs,
  startVarnish,
} from "./edge_servers.ts";
import { cpuMs, memoryKib } from "./proc.ts";

const at = Deno.args.indexOf("--runs");
const RUNS = at < 0 ? 5 : Number(Deno.args[at + 1]);
const named = Deno.args.filter((_, index) =>
  index !== at && (at < 0 || index !== at + 1)
);
const SECTIONS = { herd, late, stalled, idle, full };

await using origin = startOrigin();
let serial = 0;

/** A path nobody has asked for. */
function cold(size: number, ms: number): string {
  return `/${size}/${ms}/${serial++}`;
}

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));
const s = (ms: number) => `${(ms / 1000).toFixed(2)} s`.padStart(8);

/** Does it with each of the caches in turn; ours is the first. */
async function beside(
  start: readonly (() => Promise<Cache>)[],
  work: (cache: Cache) => Promise<void>,
): Promise<void> {
  for (const one of start) {
    await using cache = await one();
    // What compiles as it runs has done so.
    for (let n = 0; n < 300; n++) await ask(cache.port, "/1024/0/warm");
    await work(cache);
  }
}

const all = [
  () => startOurs(origin.url),
  () => startVarnish(origin.url),
  () => startNginx(origin.url),
];

async function herd(): Promise<void> {
  for (const mixed of [false, true]) {
    console.log(
      `200 clients, one cold object of 512 KiB in 1 s${
        mixed ? ", every third a range, the first leaves" : ""
      }: goals 1 fetch, first byte 0.10 s, last done 1.10 s`,
    );
    await beside(all, async (cache) => {
      let broken = 0;
      const runs: { fetches: number; first: number; last: number }[] = [];
      for (let run = 0; run < RUNS; run++) {
        const path = cold(524_288, 1000);
        const seen = await Promise.all(
          Array.from(
            { length: 200 },
            (_, n) => herdClient(cache, path, mixed ? n : -1),
          ),
        );
        const stayed = seen.slice(mixed ? 1 : 0);
        broken += stayed.filter((one, n) => !isWhole(one, mixed ? n + 1 : -1))
          .length;
        runs.push({
          fetches: origin.count(path),
          first: median(stayed.map(({ firstMs }) => firstMs)),
          last: Math.max(...stayed.map(({ doneMs }) => doneMs)),
        });
      }
      const of = (what: "fetches" | "first" | "last") =>
        median(runs.map((run) => run[what]));
      console.log(
        `  ${cache.name.padEnd(16)} ${
          String(of("fetches")).padStart(4)
        } fetches   first ${s(of("first"))}   last ${s(of("last"))}${
          broken === 0 ? "" : `   ${broken} of ${200 * RUNS} NOT WHOLE`
        }`,
      );
    });
  }
}

/** `n` below 0: all alike. Ranges lie in the first half, where a fill in order is soon. */
function herdClient({ port }: Cache, path: string, n: number): Promise<Seen> {
  if (n === 0) return ask(port, path, { leaveAfter: 1 });
  return n > 0 && n % 3 === 0
    ? ask(port, path, { range: `${n * 100}-${n * 100 + 9999}` })
    : ask(port, path);
}

/** A cache may answer a range with all there is. */
function isWhole({ status, bytes }: Seen, n: number): boolean {
  const isPart = n > 0 && n % 3 === 0 && status === 206;
  return isPart ? bytes === 10_000 : status === 200 && bytes === 524_288;
}

async function late(): Promise<void> {
  console.log(
    "A client joins anywhere in a fill of 2 s: goals 10 ms to its first byte, no second fetch",
  );
  await beside(all, async (cache) => {
    const waits: number[] = [];
    let fetches = 0;
    for (let run = 0; run < Math.min(RUNS, 3); run++) {
      const path = cold(524_288, 2000);
      const first = ask(cache.port, path);
      await pause(50);
      const joined = Array.from({ length: 20 }, async (_, n) => {
        await pause(n * 90);
        return await ask(cache.port, path);
      });
      const seen = await Promise.all([first, ...joined]);
      waits.push(...seen.slice(1).map(({ firstMs }) => firstMs));
      fetches = Math.max(fetches, origin.count(path));
    }
    console.log(
      `  ${cache.name.padEnd(16)} ${fetches} fetches   median ${
        median(waits).toFixed(1).padStart(7)
      } ms   longest ${Math.max(...waits).toFixed(1).padStart(7)} ms`,
    );
  });
}

/** What wrk gets for some seconds, and what each request costs. */
async function rate(
  cache: Cache,
  seconds: number,
): Promise<{ readonly perSecond: number; readonly cpuMicros: number }> {
  const before = cpuMs(cache.pid);
  const { stdout } = await new Deno.Command("wrk", {
    args: ["-t1", "-c16", `-d${seconds}`]
      .concat(`http://127.0.0.1:${cache.port}/16384/0/other`),
  }).output();
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuMicros: 1000 * (cpuMs(cache.pid) - before) / requests,
  };
}

async function stalled(): Promise<void> {
  console.log(
    "1,000 clients that ask for 1 MiB and never read: goals 40 KiB each, others keep 0.9 of their rate",
  );
  await beside(all.slice(0, 2), async (cache) => {
    const path = "/1048576/0/large";
    await ask(cache.port, path);
    await rate(cache, 2);
    const rates: number[] = [];
    const loads: number[] = [];
    const costs: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const before = await rate(cache, 2);
      const emptyKib = memoryKib(cache.pid, "VmRSS");
      using _clients = await openMany(cache.port, path, {
        count: 1000,
        reads: false,
      });
      await pause(1000);
      costs.push((memoryKib(cache.pid, "VmRSS") - emptyKib) / 1000);
      const now = await rate(cache, 2);
      rates.push(now.perSecond / before.perSecond);
      loads.push(now.cpuMicros / before.cpuMicros);
    }
    console.log(
      `  ${cache.name.padEnd(16)} first time ${
        costs[0]!.toFixed(1).padStart(5)
      } KiB each, most ${Math.max(...costs).toFixed(1).padStart(5)}   others ${
        median(rates).toFixed(2)
      } × their rate, at ${median(loads).toFixed(2)} × the CPU`,
    );
  });
}

async function idle(): Promise<void> {
  console.log("10,000 idle connections: goal 12 KiB each");
  await beside(all, async (cache) => {
    // A server that has worked: its heap has the size it needs for that.
    await rate(cache, 2);
    await ask(cache.port, "/1024/0/small");
    const before = memoryKib(cache.pid, "VmRSS");
    using _clients = await openMany(cache.port, "/1024/0/small", {
      count: 10_000,
      reads: true,
    });
    await pause(1000);
    const each = (memoryKib(cache.pid, "VmRSS") - before) / 10_000;
    console.log(
      `  ${cache.name.padEnd(16)} ${each.toFixed(1).padStart(5)} KiB each`,
    );
  });
}

async function full(): Promise<void> {
  console.log("1 GiB of memory, full of objects of 1 MiB: goal 1.25 GiB");
  await using cache = await startOurs(origin.url, ["--cache-size", "1GiB"]);
  let most = 0;
  for (let n = 0; n < 1500; n += 8) {
    await Promise.all(
      Array.from(
        { length: 8 },
        (_, k) => ask(cache.port, `/1048576/0/${n + k}`),
      ),
    );
    if (n % 100 < 8) most = Math.max(most, memoryKib(cache.pid, "VmRSS"));
  }
  const now = memoryKib(cache.pid, "VmRSS");
  const gib = (kib: number) => `${(kib / 2 ** 20).toFixed(2)} GiB`;
  console.log(
    `  ${cache.name.padEnd(16)} ${gib(now)}, at most ${
      gib(Math.max(most, now))
    }`,
  );
}

for (const [name, section] of Object.entries(SECTIONS)) {
  if (named.length === 0 || named.includes(name)) await section();
}
