// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Measures rolecall's dns-redirector beside gdnsd (plugin geoip), PowerDNS (backend geoip) and nsd, in one run.
 *
 *     ROLECALL_BIN=dist/rolecall deno run -A --v8-flags=--expose-gc bench/dns.ts [udp] [latency] [tcp] [process] [zone] [overload]
 *
 * Linux with taskset, gdnsd, pdns_server, nsd and dnsperf. Without ROLECALL_BIN ours runs from source, and so does
 * `--engine batch` always, since the executable may not call foreign functions. ONLY=rolecall,gdnsd leaves others out.
 *
 * The servers have one core, the load the other (dns_load.ts for UDP, dnsperf for TCP). Each is started once; then they
 * take turns, RUNS times (5 unless set) for SECONDS (3; latency three times as long), so that a busy moment of the machine
 * meets all. Prints medians: answers per second, and CPU time of the server per answer, which a busy machine changes least.
 * Over UDP each query has a
 * client subnet of 4,096 networks, which lead to 8 sites; over TCP there are 8 connections with 64 queries under way.
 */
import { join } from "@std/path";
import { parseAddress, parseCidr } from "../lib/core/address.ts";
import { seededRng } from "../lib/core/rng.ts";
import { parseName } from "../lib/dns/name.ts";
import { parseMasterFile } from "../lib/dns/authority/master_file.ts";
import { Responder } from "../lib/dns/authority/responder.ts";
import { encodeQuery } from "../lib/dns/stub_query.ts";
import { parseZoneJson } from "../lib/dns/authority/zone_json.ts";
import { ZoneTable } from "../lib/dns/authority/zone_table.ts";
import {
  edgeOf,
  GEO_NAME,
  networkOf,
  NETWORKS,
  SITES,
} from "./dns_networks.ts";
import { type Server, type ServerName, startServer } from "./dns_servers.ts";

const RUNS = Number(Deno.env.get("RUNS") ?? 5);
const SECONDS = Number(Deno.env.get("SECONDS") ?? 3);
const ONLY = Deno.env.get("ONLY")?.split(",");
const OVERLOAD_SECONDS = Number(Deno.env.get("OVERLOAD_SECONDS") ?? 60);
const folder = await Deno.makeTempDir({ prefix: "rolecall-dns-" });
// Below those the system gives to connections that go out.
let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly lost: number;
  readonly p50Micros?: number;
  readonly p99Micros?: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function output(args: readonly string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("taskset", {
    args: ["-c", "1", ...args],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return text;
}

/** Runs a load and measures the server's CPU time meanwhile. */
async function measured(
  server: Server,
  load: () => Promise<Omit<Measured, "cpuMicros"> & { answered: number }>,
): Promise<Measured> {
  const before = server.cpuMs();
  const { answered, ...rest } = await load();
  const cpuMicros = (server.cpuMs() - before) * 1000 / answered;
  return { ...rest, cpuMicros };
}

function overUdp(
  server: Server,
  perSecond: number,
  seconds = SECONDS,
): Promise<Measured> {
  return measured(server, async () =>
    JSON.parse(
      await output([
        ...[Deno.execPath(), "run", "-A"],
        join(import.meta.dirname ?? ".", "dns_load.ts"),
        ...[server.port, seconds, perSecond].map(String),
      ]),
    ));
}

function overTcp(server: Server): Promise<Measured> {
  return measured(server, async () => {
    const questions = join(folder, "questions");
    await Deno.writeTextFile(questions, `${GEO_NAME} A\n`);
    const text = await output([
      ...["dnsperf", "-m", "tcp", "-q", "64", "-c", "8", "-d", questions],
      ...["-s", "127.0.0.1", "-p", `${server.port}`, "-l", `${SECONDS}`],
    ]);
    const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
    if (!/NOERROR \d+ \(100/.test(text)) throw new Error(text);
    return {
      answered: value(/Queries completed:\s*(\d+)/),
      lost: value(/Queries lost:\s*(\d+)/),
      perSecond: value(/Queries per second:\s*([\d.]+)/),
    };
  });
}

/** Lets servers take turns and prints a row for each, with what ours is to it. */
async function compare(
  title: string,
  names: readonly ServerName[],
  measure: (server: Server) => Promise<Measured>,
  warmUp = measure,
): Promise<void> {
  await using open = new AsyncDisposableStack();
  const servers = new Map<ServerName, Server>();
  for (const name of names.filter((name) => ONLY?.includes(name) ?? true)) {
    const started = await startServer(name, { folder, port: nextPort++ });
    servers.set(name, open.use(started));
  }
  const all = new Map<ServerName, Measured[]>();
  for (const server of servers.values()) await warmUp(server);
  for (let run = 0; run < RUNS; run++) {
    for (const [name, server] of servers) {
      const result = await measure(server);
      all.set(name, [...all.get(name) ?? [], result]);
    }
  }
  console.log(`\n${title}: medians of ${RUNS}`);
  const medianOf = (name: ServerName, pick: (run: Measured) => number) =>
    median((all.get(name) ?? []).map(pick));
  for (const name of all.keys()) {
    const cpu = medianOf(name, (run) => run.cpuMicros);
    const rate = medianOf(name, (run) => run.perSecond);
    const p99 = medianOf(name, (run) => run.p99Micros ?? NaN);
    const p50 = medianOf(name, (run) => run.p50Micros ?? NaN);
    const others = [...all.keys()].filter((other) =>
      name.startsWith("rolecall") && !other.startsWith("rolecall")
    ).map((other) => {
      const part = medianOf(other, (run) => run.cpuMicros) / cpu;
      const speed = rate / medianOf(other, (run) => run.perSecond);
      const late = p99 / medianOf(other, (run) => run.p99Micros ?? NaN);
      return Number.isNaN(p99)
        ? `${part.toFixed(2)} × ${other} by CPU, ${speed.toFixed(2)} × by rate`
        : `p99 ${late.toFixed(2)} × ${other}'s`;
    });
    console.log(
      `  ${name.padEnd(15)} ${rate.toFixed(0).padStart(7)}/s ${
        cpu.toFixed(2).padStart(6)
      } µs CPU, lost ${medianOf(name, (run) => run.lost)}${
        Number.isNaN(p99)
          ? ""
          : `, p50 ${p50.toFixed(0)} µs, p99 ${p99.toFixed(0)} µs`
      }${others.length === 0 ? "" : `; ${others.join("; ")}`}`,
    );
  }
}

/** What one answer takes without the network. */
function process(): void {
  const subnets = (site: number) =>
    Array.from({ length: NETWORKS }, (_, at) => at)
      .filter((at) => at % SITES === site).map(networkOf);
  const sites = Array.from({ length: SITES }, (_, site) => site);
  const zone = parseZoneJson(JSON.stringify({
    zone: "cdn.test",
    edges: Object.fromEntries(
      sites.map((site) => [`e${site}`, { addresses: [edgeOf(site)] }]),
    ),
    sites: Object.fromEntries(
      sites.map((
        site,
      ) => [`s${site}`, { subnets: subnets(site), edges: [`e${site}`] }]),
    ),
    redirects: {
      geo: { policy: "geo", edges: sites.map((site) => `e${site}`) },
    },
  }));
  const responder = new Responder(new ZoneTable(zone), { rng: seededRng(1) });
  const queries = Array.from({ length: NETWORKS }, (_, at) =>
    encodeQuery({
      id: at,
      name: parseName(GEO_NAME),
      type: 1,
      clientSubnet: parseCidr(networkOf(at)),
    }));
  const asker = {
    address: parseAddress("127.0.0.1"),
    transport: "udp" as const,
  };
  const micros: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const startedAt = performance.now();
    const COUNT = 400_000;
    for (let at = 0; at < COUNT; at++) {
      const query = queries[Math.imul(at, 2654435761) >>> 20]!;
      if (responder.respond(query, asker)?.answers !== 1) throw new Error();
    }
    if (run >= 0) micros.push((performance.now() - startedAt) * 1000 / COUNT);
  }
  console.log(
    `\nParse, decide and encode one query with a client subnet: ${
      median(micros).toFixed(2)
    } µs, median of ${RUNS}`,
  );
}

/** A zone with 100,000 names: how long it takes to load, and what a record takes of memory. */
function zone(): void {
  const NAMES = 100_000;
  const lines = Array.from(
    { length: NAMES },
    (_, at) => `host${at} A 10.${at >> 16}.${at >> 8 & 255}.${at & 255}`,
  );
  const text = "$ORIGIN big.test.\n$TTL 300\n@ SOA ns h 1 1 1 1 1\n@ NS ns\n" +
    lines.join("\n") + "\n";
  gc();
  const before = Deno.memoryUsage();
  const startedAt = performance.now();
  const table = new ZoneTable(parseMasterFile(text));
  const elapsedMs = performance.now() - startedAt;
  gc();
  const after = Deno.memoryUsage();
  const grown = (after.heapUsed - before.heapUsed) +
    (after.external - before.external);
  console.log(
    `\nZone of ${NAMES} names: loaded in ${(elapsedMs / 1000).toFixed(2)} s, ${
      (grown / NAMES).toFixed(0)
    } bytes a record${
      table.find(parseName("host7.big.test")) === undefined ? " (broken)" : ""
    }`,
  );
}

function gc(): void {
  const { gc } = globalThis as unknown as { gc?: () => void };
  if (gc === undefined) throw new Error("run with --v8-flags=--expose-gc");
  gc();
}

/** Far more queries than it can answer, for a minute: does it live, grow, and answer at once when it is over? */
async function overload(): Promise<void> {
  await using server = await startServer("rolecall", {
    folder,
    port: nextPort++,
  });
  const before = server.rssMiB();
  const loads = Array.from({ length: 2 }, () =>
    output([
      "dnsperf",
      ...["-d", join(folder, "questions"), "-s", "127.0.0.1", "-q", "20000"],
      ...["-p", `${server.port}`, "-l", `${OVERLOAD_SECONDS}`, "-t", "1"],
      ...["-c", "8"],
    ]));
  await Deno.writeTextFile(join(folder, "questions"), `${GEO_NAME} A\n`);
  const texts = await Promise.all(loads);
  const sum = (pattern: RegExp) =>
    texts.reduce((total, text) => total + Number(pattern.exec(text)?.[1]), 0);
  const startedAt = performance.now();
  await output([
    ...["dig", "+tries=20", "+time=1", "+norecurse", "@127.0.0.1"],
    ...["-p", `${server.port}`, GEO_NAME],
  ]);
  console.log(
    `\nOverload for ${OVERLOAD_SECONDS} s: ${sum(/sent:\s*(\d+)/)} queries, ${
      sum(/completed:\s*(\d+)/)
    } answered; ${before.toFixed(0)} MiB before, ${
      server.rssMiB().toFixed(0)
    } MiB after; the next query answered in ${
      (performance.now() - startedAt).toFixed(0)
    } ms`,
  );
}

const PARTS: Readonly<Record<string, () => Promise<void> | void>> = {
  udp: () =>
    compare(
      "UDP, geo with client subnets",
      ["rolecall", "rolecall batch", "gdnsd", "pdns"],
      (server) => overUdp(server, 0),
    ),
  latency: () =>
    compare(
      "UDP, geo with client subnets, 5,000 queries/s",
      ["rolecall", "rolecall batch", "gdnsd", "pdns"],
      // three times as long: in 3 s a single stop of the machine of 30 ms is the slowest percent
      (server) => overUdp(server, 5000, 3 * SECONDS),
      // as fast as it can: 15,000 queries are few to a compiler that looks at what runs often
      (server) => overUdp(server, 0),
    ),
  tcp: () =>
    compare(
      "TCP, pipelined over 8 connections",
      ["rolecall", "gdnsd", "nsd"],
      overTcp,
    ),
  process,
  zone,
  overload,
};

try {
  const chosen = Deno.args.length === 0 ? Object.keys(PARTS) : Deno.args;
  for (const part of chosen) {
    const run = PARTS[part];
    if (run === undefined) throw new Error(`no such part: ${part}`);
    await run();
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
