import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeMessage } from "../../../lib/dns/message.ts";
import { parseName } from "../../../lib/dns/name.ts";
import { frameMessage, MessageDecoder } from "../../../lib/dns/stream.ts";
import { encodeQuery } from "../../../lib/dns/stub_query.ts";
import {
  portOf,
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const SLIDES = [
  "dns-redirector",
  "--host",
  "127.0.0.1",
  "--port",
  "0",
  "--cname",
  "video.netcinema.example=video.kingcdn.example",
  "--domain",
  "video.kingcdn.example",
  "--edge",
  "127.0.0.3",
  "--edge",
  "127.0.0.4",
  "--policy",
  "geo",
  "--site",
  "127.1.0.0/16=127.0.0.3",
  "--site",
  "127.2.0.0/16=127.0.0.4",
];

function lookup(port: number, ...args: string[]) {
  return lookupAt(`127.0.0.1:${port}`, ...args);
}

async function lookupAt(at: string, ...args: string[]) {
  const { code, stdout, stderr } = await runProgram([
    ...["dns-redirector", "--at", at, "--json", "--timeout", "9s", ...args],
  ]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("dns-redirector sends clients of two networks to two edges, by source address and by client subnet", async () => {
  await using server = await startProgram(SLIDES);
  const port = await portOf(server, "tcp");
  const name = "video.netcinema.example";
  const [first, second, byOption, overTcp] = await Promise.all([
    lookup(port, "--query", name, "--host", "127.1.0.9"),
    lookup(port, "--query", name, "--host", "127.2.0.9"),
    lookup(port, "--query", name, "--subnet", "127.2.5.0/24"),
    lookup(port, "--query", name, "--subnet", "127.1.5.0/24", "--tcp"),
  ]);
  assertEquals(first.addresses, ["127.0.0.3"]);
  assertEquals(second.addresses, ["127.0.0.4"]);
  assertEquals(byOption.addresses, ["127.0.0.4"]);
  assertEquals(byOption.clientSubnet, "127.2.5.0/24/16");
  assertEquals(overTcp.addresses, ["127.0.0.3"]);
  assertEquals(overTcp.transport, "tcp");
  assertEquals(first.names, [name, "video.kingcdn.example"]);
  assertEquals(first.ttlSeconds, 20);
  const selected = await server.until(
    "edge.selected",
    (event) => event.client === "127.1.0.9",
  );
  assertEquals({
    question: selected.question,
    redirectedName: selected.redirectedName,
    clientFrom: selected.clientFrom,
    candidates: selected.candidates,
    chosen: selected.chosen,
    reason: selected.reason,
    scopeBits: selected.scopeBits,
  }, {
    question: name,
    redirectedName: "video.kingcdn.example",
    clientFrom: "source",
    candidates: ["127.0.0.3", "127.0.0.4"],
    chosen: "127.0.0.3",
    reason: "longest prefix 127.1.0.0/16",
    scopeBits: 16,
  });
  const { code } = await server.stop();
  assertEquals(code, 0);
  assertEquals(server.events.at(-1)?.type, "role.finished");
  assertEquals(
    server.events.find((event) => event.type !== "role.started")?.type,
    "role.listening",
  );
});

Deno.test("dns-redirector is asked over IPv6, chooses by IPv6 networks, and knows IPv4 clients of the same socket", async () => {
  const name = "video.kingcdn.example";
  await using server = await startProgram([
    ...["dns-redirector", "--host", "::", "--port", "0", "--domain", name],
    ...["--edge", "fd00::3", "--edge", "fd00::4", "--edge", "127.0.0.3"],
    ...["--policy", "geo", "--site", "2001:db8:1::/48=fd00::3"],
    ...["--site", "2001:db8:2::/48=fd00::4", "--site", "::1/128=fd00::4"],
    ...["--site", "127.0.0.0/8=fd00::3"],
  ]);
  const port = await portOf(server, "tcp");
  const type = ["--query", name, "--type", "AAAA"];
  const [near, far, own, ipv4, address] = await Promise.all([
    lookupAt(`[::1]:${port}`, ...type, "--subnet", "2001:db8:1:200::/56"),
    lookupAt(`[::1]:${port}`, ...type, "--subnet", "2001:db8:2::/56", "--tcp"),
    lookupAt(`[::1]:${port}`, ...type),
    lookup(port, ...type),
    lookup(port, "--query", name, "--subnet", "2001:db8:2::/56"),
  ]);
  assertEquals(near.addresses, ["fd00::3"]);
  assertEquals(near.clientSubnet, "2001:db8:1:200::/56/48");
  assertEquals([far.addresses, far.transport], [["fd00::4"], "tcp"]);
  assertEquals([own.addresses, ipv4.addresses], [["fd00::4"], ["fd00::3"]]);
  assertEquals(address.addresses, ["127.0.0.3"]);
  for (const client of ["::1", "127.0.0.1"]) {
    const selected = await server.until(
      "edge.selected",
      (event) => event.client === client,
    );
    assertEquals(selected.clientFrom, "source");
  }
});

Deno.test("dns-redirector serves zone files, and says NXDOMAIN and REFUSED", async () => {
  await using folder = await temporaryFolder();
  const file = (name: string) =>
    new URL(`../../testdata/dns/${name}`, import.meta.url).pathname;
  await Deno.writeTextFile(
    `${folder.path}/site.zone`,
    "$ORIGIN site.example.\n$TTL 5\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 127.0.0.1\n",
  );
  await using server = await startProgram([
    "dns-redirector",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--zone",
    file("kingcdn.json"),
    "--zone",
    `${folder.path}/site.zone`,
    "--ttl",
    "7s",
  ]);
  const port = await portOf(server, "tcp");
  const [islands, ns, missing, foreign] = await Promise.all([
    lookup(
      port,
      "--query",
      "video.kingcdn.example",
      "--subnet",
      "127.2.0.0/16",
    ),
    lookup(port, "--query", "site.example", "--type", "NS"),
    lookup(port, "--query", "nothing.site.example", "--type", "AAAA"),
    lookup(port, "--query", "other.example"),
  ]);
  assertEquals(islands.records[0].data, "127.0.0.4");
  assertEquals(islands.ttlSeconds, 7);
  assertEquals(ns.records[0].data, "ns.site.example.");
  assertEquals([missing.rcode, missing.ttlSeconds], ["NXDOMAIN", 5]);
  assertEquals(missing.authorities[0].type, "SOA");
  assertEquals(foreign.rcode, "REFUSED");
});

function localSocket(): Disposable & { readonly datagrams: Deno.DatagramConn } {
  const datagrams = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  return { datagrams, [Symbol.dispose]: () => datagrams.close() };
}

/** Sends each part by itself and reads until `answers` messages came or the server closes. */
async function overTcp(
  port: number,
  parts: readonly Uint8Array<ArrayBuffer>[],
  answers: number,
): Promise<Uint8Array[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  for (const part of parts) await connection.write(part);
  const decoder = new MessageDecoder();
  const messages: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  while (messages.length < answers) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) break;
    messages.push(
      ...decoder.push(buffer.subarray(0, count)).map((bytes) => bytes.slice()),
    );
  }
  return messages;
}

Deno.test("dns-redirector answers pipelined queries in order, however they are split, and closes idle connections", async () => {
  await using server = await startProgram([
    ...SLIDES,
    "--max-connections",
    "2",
    "--idle-timeout",
    "2s",
  ]);
  const port = await portOf(server, "tcp");
  const name = parseName("video.kingcdn.example");
  const query = (id: number) =>
    frameMessage(encodeQuery({ id, name, type: 1 }));
  const ids = Array.from({ length: 100 }, (_, index) => index);
  const pipelined = await overTcp(
    port,
    [new Uint8Array(ids.flatMap((id) => [...query(id)]))],
    100,
  );
  assertEquals(pipelined.map((bytes) => decodeMessage(bytes).id), ids);
  const bytes = [...query(7)].map((byte) => new Uint8Array([byte]));
  assertEquals((await overTcp(port, bytes, 1)).length, 1);
  // waits for more than it gets: the server ends it
  assertEquals((await overTcp(port, [query(1)], 2)).length, 1);
  await server.until(
    "resolver.disconnected",
    (event) => event.reason === "idle",
  );
  const open = await Promise.all(
    [1, 2, 3, 4].map((id) => overTcp(port, [query(id)], 2).catch(() => [])),
  );
  assert(open.filter((messages) => messages.length === 1).length >= 2);
  await server.until(
    "resolver.disconnected",
    (event) => event.reason === "too-many-connections",
  );
  assertEquals((await overTcp(port, [query(9)], 1)).length, 1);
});

Deno.test("dns-redirector --engine batch answers over TCP though queries over UDP never cease", async () => {
  await using server = await startProgram([...SLIDES, "--engine", "batch"]);
  const port = await portOf(server, "tcp");
  const name = parseName("video.kingcdn.example");
  using socket = localSocket();
  const { datagrams } = socket;
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  let isOver = false;
  const ask = async (id: number) => {
    await datagrams.send(encodeQuery({ id, name, type: 1 }), to);
  };
  const seen = new Set<number>();
  for (let id = 0; id < 64; id++) await ask(id);
  const asking = (async () => {
    while (!isOver || seen.size <= 64) {
      const [received] = await datagrams.receive();
      const { id, answers } = decodeMessage(received);
      assertEquals(answers.length, 1);
      seen.add(id);
      await ask(id + 64 & 0xffff);
    }
  })();
  for (let id = 0; id < 5; id++) {
    const query = frameMessage(encodeQuery({ id, name, type: 1 }));
    assertEquals((await overTcp(port, [query], 1)).length, 1);
  }
  isOver = true;
  await asking;
});

Deno.test("dns-redirector survives garbage and says so", async () => {
  await using server = await startProgram(SLIDES);
  const port = await portOf(server, "tcp");
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  using socket = localSocket();
  let state = 77;
  const next = () =>
    (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 8;
  for (let turn = 0; turn < 60; turn++) {
    await socket.datagrams.send(
      new Uint8Array(next() % 60).map(() => next()),
      to,
    );
  }
  await overTcp(port, [new Uint8Array([0, 5, 1, 2, 3])], 0);
  await server.until("protocol.violated");
  const { addresses } = await lookup(
    port,
    "--query",
    "video.kingcdn.example",
    "--subnet",
    "127.1.0.0/16",
  );
  assertEquals(addresses, ["127.0.0.3"]);
});

Deno.test("dns-redirector refuses bad input with exit code 2, and a silent server with 1", async () => {
  await using folder = await temporaryFolder();
  const bad = `${folder.path}/bad.zone`;
  await Deno.writeTextFile(bad, "$TTL 5\nthis is no zone\n");
  const domain = ["--domain", "a.b.example", "--edge", "127.0.0.3"];
  const codes = await Promise.all([
    ["--port", "0"],
    ["--domain", "a.b.example"],
    [...domain, "--policy", "luck"],
    [...domain, "--site", "127.1.0.0/16=127.0.0.9"],
    [...domain, "--ttl", "1500ms"],
    ["--zone", bad],
    ["--zone", `${folder.path}/missing.zone`],
    ["--query", "a..b"],
    ["--query", "a.b", "--type", "NOPE"],
    ["--query", "a.b", "NOPE"],
    ["--query", "a.b", "AXFR", "--tcp"],
    ["--cname", "netcinema.example=a.b.example", "--port", "0"],
    ["--query", "a.b", "AAAA", "--type", "MX"],
    ["--query", "a.b", "--timeout", "0"],
    ["--query", "a.b", "--plain-case"],
    ["--query", "a.b", "--trace", "--attempts", "2"],
    [...domain, "--idle-timeout", "0"],
    ["--recursive", "--root-hint", "127.0.0.1", "--idle-timeout", "0"],
    [...domain, "--edge", "127.0.0.3,weight=2"],
    [...domain, "--site", "127.1.0.0/16=127.0.0.3", "--site"]
      .concat("127.1.0.0/16=127.0.0.3"),
    [...domain, "--health-interval", "1s"],
    ["--cname", "a.b.example=c.b.example", "--edge", "127.0.0.3"],
  ].map(async (args) => (await runProgram(["dns-redirector", ...args])).code));
  assertEquals(codes, codes.map(() => 2));
  const list = `${folder.path}/list.json`;
  await Deno.writeTextFile(list, "[]");
  const { stderr: said } = await runProgram([
    ...["dns-redirector", "--port", "0", "--zone", list],
  ]);
  assertMatch(said, /^rolecall: --zone \S+: the file must be an object\n$/);
  await Deno.writeTextFile(bad, "\u001b[2J\0x\u0007 A 127.0.0.1\n");
  const { stderr: binary } = await runProgram([
    ...["dns-redirector", "--port", "0", "--zone", bad],
  ]);
  assertMatch(binary, /^rolecall: --zone \S+: line 1: .*\ufffd\[2J.*\n$/);
  using silent = localSocket();
  const { port } = silent.datagrams.addr as Deno.NetAddr;
  const { code, stderr } = await runProgram([
    "dns-redirector",
    "--query",
    "a.b.example",
    "--at",
    `127.0.0.1:${port}`,
    "--timeout",
    "20ms",
  ]);
  assertEquals(code, 1, stderr);
});

Deno.test("dns-redirector serves a changed zone file at once after SIGHUP, by itself a moment later, and never a broken one", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/site.zone`;
  const write = (serial: number, line: string) =>
    Deno.writeTextFile(
      path,
      `$ORIGIN site.example.\n$TTL 5\n@ SOA ns h ${serial} 2 3 4 5\n@ NS ns\n${line}\n`,
    );
  await write(1, "www A 127.0.0.1");
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...["--zone", path],
  ]);
  const port = await portOf(server, "tcp");
  await server.until("zone.loaded", (event) => event.serial === 1);
  const address = async () =>
    (await lookup(port, "--query", "www.site.example")).addresses[0];
  await write(2, "www A 127.0.0.2");
  Deno.kill(server.pid, "SIGHUP");
  await server.until("zone.loaded", (event) => event.serial === 2);
  assertEquals(await address(), "127.0.0.2");
  await write(3, "www A 127.0.0.333");
  const { reason } = await server.until("zones.rejected");
  assertEquals(
    reason,
    `--zone ${path}: line 5: must be an address such as 127.0.0.3 or 2001:db8::1, got "127.0.0.333"`,
  );
  assertEquals(await address(), "127.0.0.2");
  await write(4, "www A 127.0.0.4");
  await server.until("zone.loaded", (event) => event.serial === 4);
  assertEquals(await address(), "127.0.0.4");
});
