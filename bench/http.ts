// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures what our edge answers from its cache beside nginx's, in one run: requests per second, the 99th percentile of
 * the time to answer, and CPU time per request.
 *
 *     ROLECALL_BIN=dist/rolecall deno run -A bench/http.ts [SIZE…]
 *
 * Linux with taskset, nginx and wrk; without `ROLECALL_BIN` ours runs from source. Sizes are in bytes (1024, 65536 and
 * 1048576 unless given). Each server has one core and one process, wrk with 64 connections (CONNECTIONS) the other. They
 * take turns, RUNS times (5) for SECONDS (3), so that a busy moment of the machine meets all; medians are printed. The
 * origin behind both caches is the nginx that is also measured as a server of static files. Logs are as by default: nginx
 * writes its access log, ours its events.
 */
import { join, resolve } from "@std/path";

const RUNS = Number(Deno.env.get("RUNS") ?? 5);
const SECONDS = Number(Deno.env.get("SECONDS") ?? 3);
const CONNECTIONS = Number(Deno.env.get("CONNECTIONS") ?? 64);
const sizes = Deno.args.length > 0
  ? Deno.args.map(Number)
  : [1024, 65_536, 1_048_576];
const folder = await Deno.makeTempDir({ prefix: "rolecall-http-" });
const main = resolve(import.meta.dirname ?? ".", "../main.ts");
let nextPort = 20_000 + Math.floor(Math.random() * 20_000);

interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** CPU time used so far. */
  cpuMs(): Promise<number>;
}

/** Starts a program on core 0; `pidOf` finds the process that does the work. */
async function start(
  name: string,
  port: number,
  command: readonly string[],
  pidOf = (pid: number) => Promise.resolve(pid),
): Promise<Server> {
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", ...command],
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let tries = 0; tries < 200; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      await new Promise((go) => setTimeout(go, 50));
    }
  }
  const pid = await pidOf(child.pid);
  return {
    name,
    port,
    async cpuMs() {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return 10 * (Number(fields[11]) + Number(fields[12]));
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** nginx with one worker: `inside` is its only server. */
async function startNginx(name: string, inside: string): Promise<Server> {
  const port = nextPort++;
  const home = join(folder, name.replaceAll(" ", "-"));
  await Deno.mkdir(join(home, "cache"), { recursive: true });
  await Deno.writeTextFile(
    join(home, "nginx.conf"),
    `daemon off; user root; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 4096; }
http {
  access_log ${home}/access.log;
  proxy_cache_path ${home}/cache keys_zone=c:10m max_size=1g;
  sendfile on;
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000000; ${inside} }
}
`,
  );
  const command = ["nginx", "-p", home, "-c", `${home}/nginx.conf`];
  return await start(name, port, command, async (pid) => {
    const list = `/proc/${pid}/task/${pid}/children`;
    for (let tries = 0; tries < 200; tries++) {
      // It listens before it starts its worker.
      const [worker] = (await Deno.readTextFile(list)).trim().split(" ");
      if (worker) return Number(worker);
      await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error("nginx has no worker");
  });
}

async function startEdge(origin: number): Promise<Server> {
  const port = nextPort++;
  const binary = Deno.env.get("ROLECALL_BIN");
  return await start("our edge", port, [
    ...(binary === undefined
      ? [Deno.execPath(), "run", "-A", main]
      : [resolve(binary)]),
    "edge",
    "--host",
    "127.0.0.1",
    "--port",
    `${port}`,
    "--origin",
    `http://127.0.0.1:${origin}/`,
    "--cache-size",
    "1GiB",
  ]);
}

interface Result {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
}

async function load(server: Server, path: string): Promise<Result> {
  const before = await server.cpuMs();
  const { stdout } = await new Deno.Command("taskset", {
    args: [
      "-c",
      "1",
      "wrk",
      "-t1",
      `-c${CONNECTIONS}`,
      `-d${SECONDS}`,
      "--latency",
      `http://127.0.0.1:${server.port}${path}`,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (/Non-2xx/.test(text) || !(requests > 0)) {
    throw new Error(`${server.name}: ${text}`);
  }
  const [, number, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p99Ms: Number(number) *
      (unit === "s" ? 1000 : unit === "us" ? 0.001 : 1),
    cpuMicros: 1000 * (await server.cpuMs() - before) / requests,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const files = join(folder, "files");
await Deno.mkdir(files);
await Deno.chmod(folder, 0o755);
for (const size of sizes) {
  await Deno.writeFile(join(files, `${size}.bin`), new Uint8Array(size));
}
try {
  await using still = await startNginx(
    "nginx static",
    `root ${files}; add_header Cache-Control max-age=3600;`,
  );
  await using cache = await startNginx(
    "nginx proxy_cache",
    `location / { proxy_pass http://127.0.0.1:${still.port}; proxy_cache c; }`,
  );
  await using edge = await startEdge(still.port);
  const servers = [still, cache, edge];
  for (const size of sizes) {
    const results = new Map<string, Result[]>();
    for (let run = -1; run < RUNS; run++) {
      for (const server of servers) {
        const result = await load(server, `/${size}.bin`);
        // The first turn fills caches and warms what compiles as it runs.
        if (run < 0) continue;
        results.set(server.name, [...results.get(server.name) ?? [], result]);
      }
    }
    const of = (name: string, what: keyof Result) =>
      median((results.get(name) ?? []).map((result) => result[what]));
    const base = cache.name;
    console.log(`${size} bytes`);
    for (const { name } of servers) {
      const [rate, p99, cpu] = [
        of(name, "perSecond"),
        of(name, "p99Ms"),
        of(name, "cpuMicros"),
      ];
      console.log(
        `  ${name.padEnd(18)} ${rate.toFixed(0).padStart(7)}/s  ${
          (rate / of(base, "perSecond")).toFixed(2)
        } ×   p99 ${p99.toFixed(1).padStart(6)} ms  ${
          (p99 / of(base, "p99Ms")).toFixed(2)
        } ×   CPU ${cpu.toFixed(1).padStart(6)} µs  ${
          (cpu / of(base, "cpuMicros")).toFixed(2)
        } ×`,
      );
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
