/** Client subnets: beside gdnsd, with the same random networks, and behind an unbound that sends and caches them. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  cidrContains,
  formatCidr,
  maskAddress,
  parseCidr,
} from "../../../lib/core/address.ts";
import { seededRng } from "../../../lib/core/rng.ts";
import { formatClientSubnet } from "../../../lib/dns/edns.ts";
import { decodeMessage } from "../../../lib/dns/message.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { formatRdata } from "../../../lib/dns/rdata.ts";
import { encodeQuery } from "../../../lib/dns/stub_query.ts";
import {
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { freePort, startHeardTool, untilSaid } from "../../support/tools.ts";

const NAME = "www.kingcdn.example";
const EDGES = ["127.0.0.10", "127.0.0.11", "127.0.0.12"];

interface Network {
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
}

/** Networks that nest and stand side by side: half of them inside 10.0.0.0/8, a few of IPv6. */
function drawNetworks(count: number): Map<string, number> {
  const rng = seededRng(7871);
  const draw = (below: number) => Math.floor(rng() * below);
  const networks = new Map<string, number>();
  while (networks.size < count) {
    const isIpv6 = draw(4) === 0;
    const prefixLength = isIpv6 ? 20 + draw(45) : 3 + draw(26);
    const start = isIpv6
      ? [0x20, 0x01, 0x0d, 0xb8 | draw(2), draw(8), ...new Array(11).fill(0)]
      : [draw(2) === 0 ? 10 : 16 * draw(14), draw(16), draw(256), draw(256)];
    const bytes = maskAddress(new Uint8Array(start), prefixLength);
    const network = formatCidr({ bytes, prefixLength });
    // gdnsd keeps these for embedded addresses
    if (!/^2001::|^2002:|^::/.test(network)) networks.set(network, draw(3));
  }
  return networks;
}

function drawClients(count: number): Network[] {
  const rng = seededRng(44);
  const draw = (below: number) => Math.floor(rng() * below);
  return Array.from({ length: count }, (_, at) => {
    const prefixLength = at % 4 === 0 ? 48 + draw(17) : 16 + draw(17);
    const start = at % 4 === 0
      ? [0x20, 0x01, 0x0d, 0xb8 | draw(3), draw(9), ...new Array(11).fill(at)]
      : [draw(2) === 0 ? 10 : draw(224), draw(20), draw(256), draw(256)];
    return {
      bytes: maskAddress(new Uint8Array(start), prefixLength),
      prefixLength,
    };
  });
}

/** Asks for each client; returns `address scope` of each. */
async function answers(port: number, clients: readonly Network[]) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const said: { edge: string; scope: string }[] = [];
  for (const [id, clientSubnet] of clients.entries()) {
    const query = encodeQuery({
      id,
      name: parseName(NAME),
      type: 1,
      clientSubnet,
    });
    await socket.send(query, to);
    const again = setInterval(() => void socket.send(query, to), 1000);
    for (;;) {
      const message = decodeMessage((await socket.receive())[0]);
      if (message.id !== id) continue;
      const [record] = message.answers;
      const subnet = message.edns?.clientSubnet;
      said.push({
        edge: record === undefined
          ? "none"
          : formatRdata(record.type, record.rdata),
        scope: subnet === undefined ? "none" : formatClientSubnet(subnet),
      });
      break;
    }
    clearInterval(again);
  }
  socket.close();
  return said;
}

function isIn(
  client: Network,
  networks: ReadonlyMap<string, number>,
): boolean {
  return [...networks.keys()].some((network) =>
    cidrContains(parseCidr(network), client.bytes)
  );
}

async function startGdnsd(
  folder: string,
  networks: ReadonlyMap<string, number>,
): Promise<AsyncDisposable & { readonly port: number }> {
  const port = freePort();
  for (const name of ["zones", "run", "state", "geoip"]) {
    await Deno.mkdir(join(folder, name));
  }
  const nets = [...networks].map(([network, at]) => `${network} => dc${at}`);
  await Deno.writeTextFile(
    join(folder, "config"),
    `options => { listen => 127.0.0.1:${port}, run_dir => ${folder}/run, state_dir => ${folder}/state }
plugins => { geoip => {
  maps => { m => { datacenters => [dc0, dc1, dc2], nets => { ${
      nets.join("\n")
    } } } }
  resources => { r => { map => m, service_types => up, dcmap => {
    ${EDGES.map((edge, at) => `dc${at} => ${edge}`).join(", ")} } } }
} }
`,
  );
  await Deno.writeTextFile(
    join(folder, "zones", "kingcdn.example"),
    "@ SOA ns1 h 1 7200 1800 259200 900\n@ NS ns1\nns1 A 127.0.0.1\nwww 60 DYNA geoip!r\n",
  );
  const tool = startHeardTool(["gdnsd", "-c", folder, "start"], {
    stop: "SIGTERM",
  });
  await untilSaid(tool, "DNS listeners started");
  return { port, [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose]() };
}

Deno.test("dns-redirector chooses the edge and the scope that gdnsd does, for any networks", async () => {
  await using folder = await temporaryFolder();
  const networks = drawNetworks(400);
  const clients = drawClients(1500);
  await using gdnsd = await startGdnsd(folder.path, networks);
  const sites = join(folder.path, "sites.txt");
  await Deno.writeTextFile(
    sites,
    [...networks].map(([network, at]) => `${network} ${EDGES[at]}\n`).join(""),
  );
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...["--domain", NAME, "--policy", "geo", "--sites", sites],
    ...EDGES.flatMap((edge) => ["--edge", edge]),
  ]);
  const { port } = await server.until("role.listening");
  const ours = await answers(port, clients);
  const theirs = await answers(gdnsd.port, clients);
  let compared = 0;
  for (const [at, client] of clients.entries()) {
    const asked = formatCidr(client);
    assertEquals(ours[at]!.scope, theirs[at]!.scope, asked);
    // without a network gdnsd has its first edge, we all by turns; if more bits were needed, it reads them as 0
    const scopeLength = Number(ours[at]!.scope.split("/").at(-1));
    if (scopeLength > client.prefixLength || !isIn(client, networks)) continue;
    assertEquals(ours[at]!.edge, theirs[at]!.edge, asked);
    compared += 1;
  }
  assert(compared > clients.length / 3, `${compared}`);
});

/** Starts an unbound that asks `authority` for our zone, and tells it its clients' /24. */
async function startUnbound(
  folder: string,
  authority: number,
): Promise<AsyncDisposable & { readonly port: number }> {
  const port = freePort();
  const path = join(folder, "unbound.conf");
  await Deno.writeTextFile(
    path,
    `server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  max-client-subnet-ipv4: 24
remote-control:
  control-enable: no
stub-zone:
  name: "kingcdn.example"
  stub-addr: 127.0.0.1@${authority}
`,
  );
  const tool = startHeardTool(["unbound", "-d", "-c", path], {
    stop: "SIGTERM",
  });
  await untilSaid(tool, "start of service");
  return { port, [Symbol.asyncDispose]: () => tool[Symbol.asyncDispose]() };
}

Deno.test("unbound gives each client its edge, and asks once for all clients within a scope", async () => {
  await using folder = await temporaryFolder();
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...["--domain", NAME, "--policy", "geo", "--ttl", "1h"],
    ...EDGES.flatMap((edge) => ["--edge", edge]),
    ...["--site", `127.1.0.0/16=${EDGES[0]}`],
    ...["--site", `127.2.0.0/16=${EDGES[1]}`],
  ]);
  const { port: authority } = await server.until("role.listening");
  await using unbound = await startUnbound(folder.path, authority);
  for (
    const [client, edge] of [
      ["127.1.0.9", EDGES[0]],
      ["127.2.0.9", EDGES[1]],
      // other /24s of the same /16s: unbound has the answer
      ["127.1.7.7", EDGES[0]],
      ["127.2.8.8", EDGES[1]],
      ["127.1.0.9", EDGES[0]],
    ] as const
  ) {
    const { stdout, stderr } = await runTool("dig", [
      ...["-b", client, "@127.0.0.1", "-p", String(unbound.port), NAME],
      ...["+short", "+tries=8", "+time=3"],
    ]);
    assertEquals(stdout.trim().split("\n").at(-1), edge, stderr);
  }
  await server.stop();
  const asked = server.events.filter(({ type }) => type === "edge.selected")
    .map((event) => "client" in event ? event.client : "");
  assertEquals([...new Set(asked)], ["127.1.0.0/24", "127.2.0.0/24"]);
});
