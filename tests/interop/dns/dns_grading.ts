/** The grading tests of lesson 6 beside name servers of others, and beside some that are wrong. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readMessage, TYPE, UdpClient } from "../../grading/_dns.ts";
import { failuresOf } from "../../support/grading.ts";
import { startNsd } from "../../support/name_servers.ts";
import { temporaryFolder } from "../../support/program.ts";
import { freePort, startTool } from "../../support/tools.ts";

const NAME = "video.kingcdn.example";
const EDGES = ["127.0.0.3", "127.0.0.4"] as const;

/** Waits until a server that was just started answers. */
async function untilAnswers(port: number): Promise<void> {
  const query = { id: 1, name: NAME, type: TYPE.A };
  for (let attempt = 0; attempt < 600; attempt++) {
    using client = new UdpClient({
      ...{ host: "127.0.0.1", port },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
    const answer = await client.ask(query, 100).catch(() => undefined);
    if (answer !== undefined) return;
  }
  throw new Error("the server does not answer");
}

/** The points a server at `port` does not get. */
async function missedBy(port: number): Promise<readonly string[]> {
  await untilAnswers(port);
  return await failuresOf("06_dns", {
    ROLECALL_TARGET: `127.0.0.1:${port}`,
    ROLECALL_EDGES: EDGES.join(","),
    ROLECALL_NAME: NAME,
  });
}

/** A student's server, which leaves out what `faults` says. */
async function missedWithout(faults: string): Promise<readonly string[]> {
  const path = new URL("../../testdata/python/dns_edges.py", import.meta.url);
  const port = freePort();
  await using _server = startTool([
    ...["/usr/bin/python3", fromFileUrl(path), "127.0.0.1", `${port}`],
    ...[NAME, EDGES.join(","), faults],
  ]);
  return await missedBy(port);
}

const ZONE = "@ SOA ns1 h 1 7200 1800 259200 60\n@ NS ns1\nns1 A 127.0.0.1\n";

Deno.test("grading 06: gdnsd, which draws an edge by lot, has all points", async () => {
  await using folder = await temporaryFolder();
  const port = freePort();
  for (const name of ["zones", "run", "state"]) {
    await Deno.mkdir(join(folder.path, name));
  }
  const edges = EDGES.map((edge, at) => `e${at} => [${edge}, 1]`).join(", ");
  await Deno.writeTextFile(
    join(folder.path, "config"),
    `options => { listen => 127.0.0.1:${port}, run_dir => ${folder.path}/run, state_dir => ${folder.path}/state }
plugins => { weighted => { edges => { service_types => up, ${edges} } } }
`,
  );
  await Deno.writeTextFile(
    join(folder.path, "zones", "kingcdn.example"),
    `${ZONE}video 60 DYNA weighted!edges\n`,
  );
  const command = ["gdnsd", "-c", folder.path, "start"];
  await using _server = startTool(command, { stop: "SIGTERM" });
  assertEquals(await missedBy(port), []);
});

Deno.test("grading 06: NSD has all points but that of a second edge: it steers nobody", async () => {
  await using folder = await temporaryFolder();
  const port = freePort();
  await Deno.writeTextFile(
    join(folder.path, "kingcdn.zone"),
    `$ORIGIN kingcdn.example.\n$TTL 60\n${ZONE}video A ${EDGES[0]}\n`,
  );
  await using _server = await startNsd({
    ...{ folder: folder.path, host: "127.0.0.1", port },
    zone: ["name: kingcdn.example", "zonefile: kingcdn.zone"],
  });
  assertEquals(await missedBy(port), [
    "more than one edge is used in 40 questions for different networks (extra)",
  ]);
});

const TCP = [
  "tcp: a question that comes byte by byte is one question (extra)",
  "tcp: the answer is the same as over UDP (extra)",
  "tcp: two questions in one connection, each answered (extra)",
];

Deno.test("grading 06: a student's server over UDP has all points but those of TCP", async () => {
  assertEquals(await missedWithout(""), TCP);
});

Deno.test("grading 06: a server that forgets the id is told so", async () => {
  assertEquals(await missedWithout("id"), [
    "several questions of one client are answered in turn",
    ...TCP,
    "the answer has the id of the question",
    "two clients at once: each gets the answer to its own question",
  ]);
});

Deno.test("grading 06: one that answers everything with every edge for a day, and answers answers, is told each", async () => {
  assertEquals(await missedWithout("aa,aaaa,others,turns,ttl,qr"), [
    "AA is set: the server answers for its own zone",
    "AAAA of the name: no error and no record, since there are only A (NODATA)",
    "an answer (QR set) is not answered: two servers would never stop",
    "more than one edge is used in 40 questions for different networks (extra)",
    "other names get NXDOMAIN or REFUSED, not silence",
    ...TCP,
    "the TTL is at most 300 s, so that clients can be moved",
    "there is exactly one A record, of class IN, with four bytes",
  ]);
});

Deno.test("grading 06: one that ends at a message that is none loses that point", async () => {
  assertEquals(await missedWithout("cut"), [
    "a name that points at itself does not end the server (extra)",
    "a question cut at any byte does not end the server",
    ...TCP,
  ]);
});

Deno.test("the grader's reader follows compressed names, and stops at a circle", () => {
  const header = [0x12, 0x34, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
  const question = [1, 97, 2, 98, 67, 0, 0, 1, 0, 1];
  const record = [0xc0, 14, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 0, 0, 3];
  const { questions, answers } = readMessage(
    Uint8Array.from([...header, ...question, ...record]),
  );
  assertEquals(questions[0]!.name, "a.bC");
  assertEquals(answers[0]!.name, "bC");
  assertEquals(answers[0]!.ttlSeconds, 300);
  assertEquals([...answers[0]!.data], [10, 0, 0, 3]);
  const circle = [...header.slice(0, 6), 0, 0, 0, 0, 0, 0, 0xc0, 12];
  let said = "";
  try {
    readMessage(Uint8Array.from(circle));
  } catch (error) {
    said = (error as Error).message;
  }
  assertEquals(said, "a name in the answer points at itself");
});
