/** The name servers of bench/dns.ts, all with the same zone, each pinned to core 0. */
import { join, resolve } from "@std/path";
import { familyCpuMs, memoryKib } from "./proc.ts";
import {
  edgeOf,
  GEO_NAME,
  networkOf,
  NETWORKS,
  SITES,
} from "./dns_networks.ts";

/** Their names. */
export type ServerName =
  | "rolecall"
  | "rolecall batch"
  | "gdnsd"
  | "pdns"
  | "nsd";

/** One that runs. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** CPU time used so far by the program and its children. */
  cpuMs(): number;
  rssMiB(): number;
}

const main = resolve(import.meta.dirname ?? ".", "../main.ts");
const sites = Array.from({ length: SITES }, (_, site) => site);
const networks = Array.from({ length: NETWORKS }, (_, at) => at);

const SOA = "@ SOA ns1 hostmaster ( 1 7200 1800 259200 900 )\n@ NS ns1\n" +
  "ns1 A 127.0.0.1\n";

async function rolecall(
  folder: string,
  { port, engine }: { readonly port: number; readonly engine: string },
): Promise<string[]> {
  const file = join(folder, "zone.json");
  const own = (site: number) =>
    networks.filter((at) => at % SITES === site).map(networkOf);
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      zone: "cdn.test",
      nameServers: ["ns1"],
      records: ["ns1 A 127.0.0.1"],
      edges: Object.fromEntries(
        sites.map((site) => [`edge${site}`, { addresses: [edgeOf(site)] }]),
      ),
      sites: Object.fromEntries(
        sites.map((site) => [
          `site${site}`,
          { subnets: own(site), edges: [`edge${site}`] },
        ]),
      ),
      redirects: {
        geo: {
          policy: "geo",
          ttlSeconds: 60,
          edges: sites.map((site) => `edge${site}`),
        },
      },
    }),
  );
  const flags = [
    "dns-redirector",
    ...["--host", "127.0.0.1", "--port", `${port}`, "--zone", file],
    ...(Deno.env.get("ROLECALL_FLAGS")?.split(" ") ?? []),
  ];
  const binary = Deno.env.get("ROLECALL_BIN");
  return [
    ...(binary === undefined
      ? [Deno.execPath(), "run", "-A", main]
      : [resolve(binary)]),
    ...[...flags, "--engine", engine],
  ];
}

async function gdnsd(folder: string, port: number): Promise<string[]> {
  await Deno.mkdir(join(folder, "zones"));
  await Deno.mkdir(join(folder, "geoip"));
  await Deno.mkdir(join(folder, "run"));
  await Deno.writeTextFile(
    join(folder, "geoip/nets"),
    networks.map((at) => `${networkOf(at)} => [site${at % SITES}]\n`).join(""),
  );
  const map = sites.map((site) => `site${site} => ${edgeOf(site)}`).join(", ");
  const run = join(folder, "run");
  await Deno.writeTextFile(
    join(folder, "config"),
    `options => { listen => 127.0.0.1, dns_port => ${port}, udp_threads => 1, tcp_threads => 1, run_dir => ${run}, state_dir => ${run} }
plugins => { geoip => {
  maps => { m => { datacenters => [${
      sites.map((site) => `site${site}`).join(", ")
    }], nets => nets } }
  resources => { geo => { map => m, dcmap => { ${map} } } }
} }
`,
  );
  await Deno.writeTextFile(
    join(folder, "zones/cdn.test"),
    `${SOA}geo 60 DYNA geoip!geo\n`,
  );
  return ["gdnsd", "-c", folder, "start"];
}

async function pdns(folder: string, port: number): Promise<string[]> {
  await Deno.writeTextFile(
    join(folder, "geo.yml"),
    `domains:
- domain: cdn.test
  ttl: 60
  records:
    cdn.test:
      - soa: ns1.cdn.test hostmaster.cdn.test 1 7200 1800 259200 900
      - ns: ns1.cdn.test
${
      sites.map((site) =>
        `    site${site}.cdn.test:\n      - a: ${edgeOf(site)}\n`
      )
        .join("")
    }  services:
    ${GEO_NAME}:
      default: [ 'site0.cdn.test' ]
${
      networks.map((at) =>
        `      ${networkOf(at)}: [ 'site${at % SITES}.cdn.test' ]\n`
      ).join("")
    }`,
  );
  await Deno.writeTextFile(
    join(folder, "pdns.conf"),
    `launch=geoip
geoip-zones-file=${join(folder, "geo.yml")}
geoip-database-files=
edns-subnet-processing=yes
local-address=127.0.0.1
local-port=${port}
receiver-threads=1
distributor-threads=1
guardian=no
daemon=no
socket-dir=${folder}
`,
  );
  return ["pdns_server", `--config-dir=${folder}`];
}

async function nsd(folder: string, port: number): Promise<string[]> {
  await Deno.writeTextFile(
    join(folder, "cdn.test.zone"),
    `$ORIGIN cdn.test.\n$TTL 60\n${SOA}geo A ${edgeOf(0)}\n`,
  );
  const file = join(folder, "nsd.conf");
  await Deno.writeTextFile(
    file,
    `server:
  server-count: 1
  ip-address: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  logfile: "${join(folder, "log")}"
  zonelistfile: "${join(folder, "zone.list")}"
  xfrdfile: ""
  hide-version: yes
remote-control:
  control-enable: no
zone:
  name: cdn.test
  zonefile: cdn.test.zone
`,
  );
  return ["nsd", "-d", "-c", file];
}

async function commandOf(
  name: ServerName,
  { folder, port }: { readonly folder: string; readonly port: number },
): Promise<string[]> {
  switch (name) {
    case "rolecall":
      return await rolecall(folder, { port, engine: "portable" });
    case "rolecall batch":
      return await rolecall(folder, { port, engine: "batch" });
    case "gdnsd":
      return await gdnsd(folder, port);
    case "pdns":
      return await pdns(folder, port);
    case "nsd":
      return await nsd(folder, port);
  }
}

/** Starts a server in a new folder below `folder` and waits until it answers. */
export async function startServer(
  name: ServerName,
  { folder: parent, port }: { readonly folder: string; readonly port: number },
): Promise<Server> {
  const folder = await Deno.makeTempDir({ dir: parent });
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", ...await commandOf(name, { folder, port })],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  const server: Server = {
    port,
    cpuMs: () => familyCpuMs(child.pid),
    rssMiB: () => memoryKib(child.pid, "VmRSS") / 1024,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return server;
    } catch (error) {
      if (attempt === 200) {
        await server[Symbol.asyncDispose]();
        throw new Error(`${name} does not start`, { cause: error });
      }
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}
