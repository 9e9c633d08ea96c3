// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures our edge and our origin beside nginx, in one run: requests per second, the 99th percentile of the time to
 * answer, CPU time per request, and how idle both cores were: where only wrk's has no time left, the rate is wrk's.
 *
 *     deno run -A bench/http.ts [--binary dist/rolecall] [cached] [origin] [pass] [SIZE…]
 *
 * - `cached`: what our edge answers from its cache beside nginx's proxy_cache, and nginx with static files.
 * - `origin`: a file from the disk (in the page cache), our origin beside nginx with static files.
 * - `pass`: what may not be cached, through our edge beside nginx's proxy_pass with buffers that hold all of it.
 *
 * Linux with taskset, nginx and wrk; without `--binary` ours runs from source. Sizes are in bytes: 1024, 65536 and 1048576
 * unless given, 1048576 for `origin` and `pass`. Each server has one core and one process, wrk with 64 connections
 * (CONNECTIONS) the other. They take turns, RUNS times (5) for SECONDS (3), so that a busy moment of the machine meets all;
 * medians are printed. The origin behind both caches is an nginx: for `cached` the one that is also measured, for `pass`
 * one that shares wrk's core. All write their access logs, but our origin, which has none.
 */
import { join, resolve } from "@std/path";
import { coreMs, cpuMs } from "./proc.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 5);
const SECONDS = Number(Deno.env.get("SECONDS") ?? 3);
const CONNECTIONS = Number(Deno.env.get("CONNECTIONS") ?? 64);
/** The kernel gives those from 32768 on to connections that go out. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

const at = Deno.args.indexOf("--binary");
const binary = at < 0 ? undefined : resolve(Deno.args[at + 1] ?? "");
const named = at < 0 ? Deno.args : Deno.args.toSpliced(at, 2);
const wanted = named.filter((word) => Number.isNaN(Number(word)));
const sizes = named.filter((word) => !Number.isNaN(Number(word))).map(Number);
const folder = await Deno.makeTempDir({ prefix: "rolecall-http-" });
const files = join(folder, "files");
const main = resolve(import.meta.dirname ?? ".", "../main.ts");
let nextPort = FIRST_PORT + Math.floor(Math.random() * PORTS / 2);

interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** CPU time used so far. */
  cpuMs(): number;
}

/** Starts a program on a core; `pidOf` finds the process that does the work. */
async function start(
  name: string,
  options: {
    readonly port: number;
    readonly command: readonly string[];
    readonly core?: number;
    readonly pidOf?: (pid: number) => Promise<number>;
  },
): Promise<Server> {
  const { port, command, core = 0, pidOf } = options;
  const child = new Deno.Command("taskset", {
    args: ["-c", `${core}`, ...command],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let hasEnded = false;
  void child.status.then(() => hasEnded = true);
  const stop = async () => {
    if (!hasEnded) child.kill("SIGTERM");
    await child.status;
    return await said;
  };
  if (!await listens(port, () => hasEnded)) {
    throw new Error(`${name} does not come up: ${(await stop()).trim()}`);
  }
  const pid = await pidOf?.(child.pid) ?? child.pid;
  return {
    name,
    port,
    cpuMs: () => cpuMs(pid),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function listens(
  port: number,
  hasEnded: () => boolean,
): Promise<boolean> {
  for (let tries = 0; tries < 200 && !hasEnded(); tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch {
      await new Promise((go) => setTimeout(go, 50));
    }
  }
  return false;
}

/** nginx with one worker: `inside` is its only server. */
async function startNginx(
  name: string,
  inside: string,
  options: { readonly core?: number } = {},
): Promise<Server> {
  const port = nextPort++;
  const home = join(folder, `nginx-${port}`);
  await Deno.mkdir(join(home, "cache"), { recursive: true });
  await Deno.writeTextFile(
    join(home, "nginx.conf"),
    `daemon off; user root; worker_processes 1; pid ${home}/pid; error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log ${home}/access.log;
  proxy_cache_path ${home}/cache keys_zone=c:10m max_size=1g;
  sendfile on;
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000000; ${inside} }
}
`,
  );
  const command = ["nginx", "-e", "stderr", "-p", home, "-c"]
    .concat(`${home}/nginx.conf`);
  const pidOf = async (pid: number) => {
    const list = `/proc/${pid}/task/${pid}/children`;
    for (let tries = 0; tries < 200; tries++) {
      // It listens before it starts its worker.
      const [worker] = (await Deno.readTextFile(list)).trim().split(" ");
      if (worker) return Number(worker);
      await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error(`${name} has no worker`);
  };
  return await start(name, { port, command, pidOf, ...options });
}

/** A role of ours: from source, or `--binary`. */
async function startOurs(
  role: "edge" | "origin",
  flags: readonly string[],
  engine: "auto" | "portable",
): Promise<Server> {
  const port = nextPort++;
  const program = binary === undefined
    ? [Deno.execPath(), "run", "-A", main]
    : [binary];
  const where = ["--host", "127.0.0.1", "--port", `${port}`];
  const command = [...program, role, ...where, ...flags, "--engine", engine];
  const name = engine === "auto" ? `our ${role}` : `our ${role}, portable`;
  return await start(name, { port, command });
}

function startEdge(
  origin: number,
  engine: "auto" | "portable",
): Promise<Server> {
  const log = join(folder, `access-${engine}.log`);
  const flags = ["--origin", `http://127.0.0.1:${origin}/`]
    .concat("--cache-size", "1GiB", "--access-log", log);
  return startOurs("edge", flags, engine);
}

interface Result {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  /** Percent of the time that each core had nothing to do: the servers', and wrk's. */
  readonly idle: number;
  readonly loadIdle: number;
}

async function load(server: Server, path: string): Promise<Result> {
  const before = server.cpuMs();
  const cores = [coreMs(0), coreMs(1)] as const;
  const idleOf = (core: 0 | 1) => {
    const now = coreMs(core);
    const { idle, all } = cores[core];
    return 100 * (now.idle - idle) / (now.all - all);
  };
  const { stdout } = await new Deno.Command("taskset", {
    args: ["-c", "1", "wrk", "-t1", `-c${CONNECTIONS}`, `-d${SECONDS}`]
      .concat("--latency", `http://127.0.0.1:${server.port}${path}`),
  }).output();
  const text = new TextDecoder().decode(stdout);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (/Non-2xx|Socket errors/.test(text) || !(requests > 0)) {
    throw new Error(`${server.name}: ${text}`);
  }
  const [, number, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p99Ms: Number(number) *
      (unit === "s" ? 1000 : unit === "us" ? 0.001 : 1),
    cpuMicros: 1000 * (server.cpuMs() - before) / requests,
    idle: idleOf(0),
    loadIdle: idleOf(1),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Loads the servers in turn and prints what they did beside `base`. */
async function compare(
  what: string,
  { servers, base, size }: {
    readonly servers: readonly Server[];
    readonly base: Server;
    readonly size: number;
  },
): Promise<void> {
  const results = new Map<Server, Result[]>();
  for (let run = -1; run < RUNS; run++) {
    for (const server of servers) {
      const result = await load(server, `/${size}.bin`);
      // The first turn fills caches and warms what compiles as it runs.
      if (run < 0) continue;
      results.set(server, [...results.get(server) ?? [], result]);
    }
  }
  const of = (server: Server, key: keyof Result) =>
    median((results.get(server) ?? []).map((result) => result[key]));
  console.log(`${what}, ${size} bytes`);
  for (const server of servers) {
    const [rate, p99, cpu] = [
      of(server, "perSecond"),
      of(server, "p99Ms"),
      of(server, "cpuMicros"),
    ];
    console.log(
      `  ${server.name.padEnd(18)} ${rate.toFixed(0).padStart(7)}/s  ${
        (rate / of(base, "perSecond")).toFixed(2)
      } ×   p99 ${p99.toFixed(1).padStart(6)} ms  ${
        (p99 / of(base, "p99Ms")).toFixed(2)
      } ×   CPU ${cpu.toFixed(1).padStart(7)} µs  ${
        (cpu / of(base, "cpuMicros")).toFixed(2)
      } ×   idle ${of(server, "idle").toFixed(0).padStart(2)} %, wrk's core ${
        of(server, "loadIdle").toFixed(0).padStart(2)
      } %`,
    );
  }
}

async function filesOf(sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    await Deno.writeFile(join(files, `${size}.bin`), new Uint8Array(size));
  }
}

async function cached(sizes: readonly number[]): Promise<void> {
  await using still = await startNginx(
    "nginx static",
    `root ${files}; add_header Cache-Control max-age=3600;`,
  );
  await using base = await startNginx(
    "nginx proxy_cache",
    `location / { proxy_pass http://127.0.0.1:${still.port}; proxy_cache c; }`,
  );
  await using edge = await startEdge(still.port, "auto");
  await using portable = await startEdge(still.port, "portable");
  const servers = [still, base, edge, portable];
  for (const size of sizes) {
    await compare("cached", { servers, base, size });
  }
}

async function origin(sizes: readonly number[]): Promise<void> {
  await using base = await startNginx("nginx static", `root ${files};`);
  const flags = ["--root", files];
  await using ours = await startOurs("origin", flags, "auto");
  await using portable = await startOurs("origin", flags, "portable");
  const servers = [base, ours, portable];
  for (const size of sizes) {
    await compare("a file from the disk", { servers, base, size });
  }
}

async function pass(sizes: readonly number[]): Promise<void> {
  await using behind = await startNginx(
    "nginx behind",
    `root ${files}; add_header Cache-Control no-store;`,
    { core: 1 },
  );
  await using base = await startNginx(
    "nginx proxy_pass",
    `location / { proxy_pass http://127.0.0.1:${behind.port}; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_buffers 33 64k; proxy_busy_buffers_size 1m; proxy_max_temp_file_size 0; }`,
  );
  await using edge = await startEdge(behind.port, "auto");
  await using portable = await startEdge(behind.port, "portable");
  const servers = [base, edge, portable];
  for (const size of sizes) {
    await compare("a miss that passes through", { servers, base, size });
  }
}

const KINDS = {
  cached: { run: cached, sizes: [1024, 65_536, 1_048_576] },
  origin: { run: origin, sizes: [1_048_576] },
  pass: { run: pass, sizes: [1_048_576] },
};
await Deno.mkdir(files);
await Deno.chmod(folder, 0o755);
try {
  for (const [name, kind] of Object.entries(KINDS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const asked = sizes.length > 0 ? sizes : kind.sizes;
    await filesOf(asked);
    await kind.run(asked);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
