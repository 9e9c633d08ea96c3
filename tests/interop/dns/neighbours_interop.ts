/**
 * Clients and servers of others that `clients_interop.ts` and `differential_interop.ts` do not have: drill and host ask; dnsmasq
 * stands in front of us and caches; our resolver walks through NSD and Knot DNS to our own authority.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../../support/eventually.ts";
import {
  portOf,
  runTool,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { startKnot, startNsd } from "../../support/name_servers.ts";
import { freePort, startTool } from "../../support/tools.ts";

/** The CDN's authority: two edges, one for each half of the network. */
async function startCdn(host: string, port = 0) {
  const server = await startProgram([
    ...["dns-redirector", "--host", host, "--port", String(port)],
    ...["--domain", "video.kingcdn.example", "--policy", "geo"],
    ...["--edge", "127.0.0.3", "--edge", "127.0.0.4", "--ttl", "20s"],
    ...["--site", "127.1.0.0/16=127.0.0.3", "--site", "127.2.0.0/16=127.0.0.4"],
    ...["--cname", "video.netcinema.example=video.kingcdn.example"],
  ]);
  return { server, port: await portOf(server, "tcp") };
}

/** Asks with dig until somebody listens; returns its answer in short. */
async function dig(
  { at, port }: { readonly at: string; readonly port: number },
  ...args: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await eventually(async () => {
    const answer = await runTool("dig", [
      ...[`@${at}`, "-p", String(port), "+short", ...args],
    ]);
    // 9: refused at once, the program that is to listen there is not so far.
    return answer.code !== 9 && answer;
  }, { account: () => `nobody answers at ${at}` });
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout.trim();
}

Deno.test("drill and host understand aliases, edges, what is not there, and TCP", async () => {
  const { server, port } = await startCdn("127.0.0.1");
  await using _server = server;
  const name = "video.netcinema.example";
  const drill = async (...args: readonly string[]) => {
    const run = await runTool("drill", [
      ...["@127.0.0.1", "-p", String(port), ...args],
    ]);
    assertEquals([run.code, run.stderr], [0, ""], run.stdout);
    return run.stdout;
  };
  assertMatch(
    await drill(name),
    /rcode: NOERROR[^]*flags: qr aa[^]*CNAME\s+video\.kingcdn\.example\.\n.*\sA\s+127\.0\.0\.[34]/,
  );
  assertMatch(await drill("-t", name), /ANSWER: 2/);
  assertMatch(await drill("nowhere.kingcdn.example"), /rcode: NXDOMAIN/);
  const host = await runTool("host", ["-p", String(port), name, "127.0.0.1"]);
  assertEquals(host.code, 0, host.stdout);
  assertMatch(
    host.stdout,
    /is an alias for video\.kingcdn\.example\.\nvideo\.kingcdn\.example has address 127\.0\.0\.[34]/,
  );
});

/** dnsmasq on a free port, in front of a server. */
function startDnsmasq(
  folder: string,
  upstream: number,
  ...more: readonly string[]
) {
  const port = freePort();
  const running = startTool([
    ...[
      "dnsmasq",
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--no-resolv",
    ],
    ...["--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1"],
    ...[`--port=${port}`, `--pid-file=${folder}/pid${port}`, "--user=root"],
    ...[`--server=127.0.0.1#${upstream}`, ...more],
  ]);
  return { running, at: { at: "127.0.0.1", port } };
}

Deno.test("dnsmasq in front of the redirector asks once while the TTL lasts, or tells it the client's subnet", async () => {
  await using folder = await temporaryFolder();
  const { server, port } = await startCdn("127.0.0.1");
  await using _server = server;
  const chosen = () =>
    server.events.flatMap((event) =>
      event.type === "edge.selected" ? [`${event.client} ${event.chosen}`] : []
    );
  const name = "video.netcinema.example";
  const plain = startDnsmasq(folder.path, port);
  await using _plain = plain.running;
  const first = await dig(plain.at, name);
  assertMatch(first, /^video\.kingcdn\.example\.\n127\.0\.0\.[34]$/);
  assertEquals(await dig(plain.at, name), first);
  const telling = startDnsmasq(folder.path, port, "--add-subnet=127.2.9.0/24");
  await using _telling = telling.running;
  assertEquals(
    await dig(telling.at, name),
    "video.kingcdn.example.\n127.0.0.4",
  );
  await server.until(
    "edge.selected",
    (event) => event.clientFrom === "client-subnet",
  );
  assertEquals(chosen().slice(1), ["127.2.9.0/24 127.0.0.4"], first);
});

const ROOT = `$ORIGIN .
@ 300 SOA a.root. h. 1 1d 2h 4w 60
@ 300 NS a.root.
a.root. 300 A 127.0.1.1
netcinema.example. 300 NS ns.netcinema.example.
ns.netcinema.example. 300 A 127.0.1.3
kingcdn.example. 300 NS ns.kingcdn.example.
ns.kingcdn.example. 300 A 127.0.1.4
`;
const SITE = `$ORIGIN netcinema.example.
@ 300 SOA ns h 1 1d 2h 4w 30
@ 300 NS ns
ns 300 A 127.0.1.3
video 300 CNAME video.kingcdn.example.
MiXed 300 TXT "case is kept"
`;

Deno.test("our resolver walks from NSD's root by Knot DNS to our authority, for each client's subnet", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const port = freePort("127.0.1.1");
  await Deno.writeTextFile(`${path}/root.zone`, ROOT);
  await Deno.writeTextFile(`${path}/site.zone`, SITE);
  await Deno.mkdir(`${path}/nsd`);
  await using _nsd = await startNsd({
    ...{ folder: `${path}/nsd`, host: "127.0.1.1", port },
    zone: ["name: .", `zonefile: "${path}/root.zone"`],
  });
  await Deno.mkdir(`${path}/knot`);
  await using _knot = await startKnot({
    ...{ folder: `${path}/knot`, host: "127.0.1.3", port },
    zone: [
      "domain: netcinema.example",
      `file: "${path}/site.zone"`,
      "zonefile-sync: -1",
      "journal-content: none",
    ],
  });
  const { server } = await startCdn("127.0.1.4", port);
  await using _server = server;
  await using resolver = await startProgram([
    ...["dns-redirector", "--recursive", "--host", "127.0.0.1", "--port", "0"],
    ...["--root-hint", `a.root=127.0.1.1:${port}`],
  ]);
  const at = { at: "127.0.0.1", port: await portOf(resolver, "tcp") };
  // Until NSD and Knot DNS listen.
  await dig({ at: "127.0.1.1", port }, ".", "SOA", "+norecurse");
  await dig({ at: "127.0.1.3", port }, "netcinema.example", "SOA");
  const video = (subnet: string) =>
    dig(at, "video.netcinema.example", `+subnet=${subnet}`);
  const alias = "video.kingcdn.example.\n";
  assertEquals(await video("127.1.5.0/24"), `${alias}127.0.0.3`);
  assertEquals(await video("127.2.5.0/24"), `${alias}127.0.0.4`);
  assertEquals(await video("127.1.9.0/24"), `${alias}127.0.0.3`);
  assertEquals(
    await dig(at, "mixed.NETCINEMA.example", "TXT"),
    '"case is kept"',
  );
  const full = await runTool("dig", [
    ...["@127.0.0.1", "-p", String(at.port), "gone.netcinema.example"],
  ]);
  assertMatch(full.stdout, /status: NXDOMAIN[^]*\s30\s+IN\s+SOA\s/);
  const again = await runTool("dig", [
    ...["@127.0.0.1", "-p", String(at.port), "gone.netcinema.example", "TXT"],
  ]);
  // A name that is not there is not there for any type (RFC 8020, 2308).
  assertMatch(again.stdout, /status: NXDOMAIN/);
});
