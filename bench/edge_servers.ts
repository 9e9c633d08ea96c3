/** Starts the caches that the benches of the edge compare, each in front of one origin. */
import { join, resolve } from "@std/path";

/** A cache that runs. Disposing of it ends it. */
export interface Cache extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Of the process that answers. */
  readonly pid: number;
}

const main = resolve(import.meta.dirname ?? ".", "../main.ts");
let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

async function start(
  name: string,
  port: number,
  command: readonly string[],
  options: { readonly isChild?: boolean; readonly home?: string } = {},
): Promise<Cache> {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(async () => {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  });
  let pid = child.pid;
  if (options.isChild) {
    await until(async () => {
      const list = `/proc/${child.pid}/task/${child.pid}/children`;
      pid = Number((await Deno.readTextFile(list)).trim().split(" ")[0]);
      return pid > 0;
    });
  }
  return {
    name,
    port,
    pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      if (options.home !== undefined) {
        await Deno.remove(options.home, { recursive: true });
      }
    },
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await isSo().catch(() => false)) return;
    await new Promise((go) => setTimeout(go, 50));
  }
  throw new Error("a server does not start");
}

/** Ours: from source, or `ROLECALL_BIN`. */
export function startOurs(
  origin: string,
  flags: readonly string[] = [],
): Promise<Cache> {
  const port = nextPort++;
  const binary = Deno.env.get("ROLECALL_BIN");
  return start("our edge", port, [
    ...(binary === undefined
      ? [Deno.execPath(), "run", "-A", main]
      : [resolve(binary)]),
    ..."edge --host 127.0.0.1 --port".split(" "),
    `${port}`,
    "--origin",
    origin,
    ...flags,
  ]);
}

/** nginx with one worker and a cache; those who come together wait for one fetch. */
export async function startNginx(origin: string): Promise<Cache> {
  const port = nextPort++;
  const home = await Deno.makeTempDir({ prefix: "rolecall-nginx-" });
  await Deno.chmod(home, 0o755);
  await Deno.writeTextFile(
    join(home, "nginx.conf"),
    `daemon off; user root; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log;
worker_rlimit_nofile 19000; events { worker_connections 18000; }
http {
  access_log ${home}/access.log;
  proxy_cache_path ${home}/cache keys_zone=c:10m max_size=1g;
  keepalive_timeout 300;
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000000;
    location / { proxy_pass ${origin}; proxy_cache c; proxy_cache_lock on; } }
}
`,
  );
  const command = ["nginx", "-p", home, "-c", `${home}/nginx.conf`];
  return await start("nginx, lock on", port, command, { isChild: true, home });
}

/** Varnish with its content in memory. */
export async function startVarnish(origin: string): Promise<Cache> {
  const port = nextPort++;
  const home = await Deno.makeTempDir({ prefix: "rolecall-varnish-" });
  const command = ["varnishd", "-F", "-a", `127.0.0.1:${port}`]
    .concat(["-b", new URL(origin).host, "-n", home, "-s", "malloc,1G"])
    .concat(["-p", "timeout_idle=300", "-j", "none"]);
  return await start("Varnish", port, command, { isChild: true, home });
}
