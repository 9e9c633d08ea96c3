/** The wire checks of a classic course project's grader, by raw sockets: nothing of ours makes the queries or reads the answers. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  runProgram,
  type StartedProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";

const NAME = "video.cs.cmu.edu";

/** Labels with their lengths. */
function wireName(name: string): number[] {
  return [
    ...name.split(".").flatMap((label) => [
      label.length,
      ...new TextEncoder().encode(label),
    ]),
    0,
  ];
}

/** One query as those clients send it: RD set, one question, nothing else. */
function query(id: number, name: string, type = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array([
    ...[id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ...[...wireName(name), 0, type, 0, 1],
  ]);
}

/** Sends from `from` and waits for what comes back; again, should it be lost. */
async function ask(
  port: number,
  bytes: Uint8Array<ArrayBuffer>,
  from = "127.0.0.1",
): Promise<DataView> {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: from,
    port: 0,
  });
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  await socket.send(bytes, to);
  const again = setInterval(() => void socket.send(bytes, to), 3000);
  try {
    const [answer] = await socket.receive();
    return new DataView(answer.slice().buffer);
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Checks the head and the counts, and returns the address of the one answer. */
function addressIn(answer: DataView, id: number, asked: Uint8Array): string {
  const head = answer.getUint16(2);
  assertEquals(answer.getUint16(0), id);
  assertEquals(head >> 15, 1, "qr");
  assertEquals(head >> 11 & 15, 0, "opcode");
  assertEquals(head >> 10 & 1, 1, "aa");
  assertEquals(head >> 4 & 0x3f & ~0x40, 0, "tc, rd, ra, z");
  assertEquals(head >> 8 & 3, 0, "tc, rd");
  assertEquals(head & 15, 0, "rcode");
  assertEquals(
    [4, 6, 8, 10].map((at) => answer.getUint16(at)),
    [1, 1, 0, 0],
    "counts",
  );
  const question = new Uint8Array(answer.buffer, 12, asked.length - 12);
  assertEquals(question, asked.slice(12), "question");
  let at = asked.length;
  while (answer.getUint8(at) > 0 && answer.getUint8(at) < 0xc0) {
    at += 1 + answer.getUint8(at);
  }
  at += answer.getUint8(at) === 0 ? 1 : 2;
  assertEquals(answer.getUint16(at), 1, "type A");
  assertEquals(answer.getUint16(at + 2), 1, "class IN");
  assertEquals(answer.getUint32(at + 4), 0, "ttl");
  assertEquals(answer.getUint16(at + 8), 4, "rdlength");
  assertEquals(answer.byteLength, at + 14, "nothing after the answer");
  return new Uint8Array(answer.buffer, at + 10, 4).join(".");
}

async function serve(
  folder: string,
  files: Record<string, string>,
  ...args: string[]
) {
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  const server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...["--domain", NAME, ...args],
  ], { cwd: folder });
  const { port } = await server.until("role.listening");
  return { server, port };
}

async function checkOthers(port: number): Promise<void> {
  for (const name of ["www.cs.cmu.edu", "nope.video.cs.cmu.edu", "a.example"]) {
    const answer = await ask(port, query(9, name));
    assertEquals(answer.getUint16(0), 9);
    assertEquals(answer.getUint16(2), 0x8403, name);
    assertEquals([4, 6, 8, 10].map((at) => answer.getUint16(at)), [1, 0, 0, 0]);
    assertEquals(answer.byteLength, query(9, name).length);
  }
  // a newer client sends EDNS, and gets an answer without
  const edns = new Uint8Array([
    ...query(10, NAME),
    ...[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0],
  ]);
  edns[11] = 1;
  addressIn(await ask(port, edns), 10, query(10, NAME));
}

Deno.test("a grader's hundred queries go over five servers in the file's order, and the log has a line of each", async () => {
  await using folder = await temporaryFolder();
  const servers = [3, 1, 5, 2, 4].map((at) => `4.0.0.${at}`);
  const { server, port } = await serve(
    folder.path,
    { "servers.txt": `${servers.join("\n")}\n`, "course.log": "before\n" },
    ...["--servers", "servers.txt", "--policy", "round-robin"],
    ...["--course", "cmu", "--course-log", "course.log"],
  );
  await using _server = server;
  for (let id = 1000; id < 1100; id++) {
    const asked = query(id, NAME);
    const address = addressIn(await ask(port, asked), id, asked);
    assertEquals(address, servers[(id - 1000) % 5]);
  }
  const mixed = query(7, "ViDeO.cs.CMU.edu");
  assertEquals(addressIn(await ask(port, mixed), 7, mixed), servers[0]);
  await checkOthers(port);
  const lines = (await Deno.readTextFile(join(folder.path, "course.log")))
    .split("\n");
  assertEquals(lines[0], "before");
  assertEquals(lines.length, 104);
  for (const [at, line] of lines.slice(1, 101).entries()) {
    assertMatch(
      line,
      /^[0-9]{10} 127\.0\.0\.1 video\.cs\.cmu\.edu 4\.0\.0\.[1-5]$/,
    );
    assert(line.endsWith(servers[at % 5]!));
  }
});

Deno.test("a grader's clients get their nearest server by source address, from an LSA file and from a geography file", async () => {
  await using folder = await temporaryFolder();
  const lsa = [
    ...["127.1.0.1 0 router1", "127.2.0.1 0 router2"],
    ...["router1 1 127.1.0.1,router2", "router1 2 127.1.0.1,4.0.0.1,router2"],
    "router2 1 127.2.0.1,4.0.0.2,router1",
  ].join("\n");
  const map = [
    "NUM_NODES: 5",
    ...["0 CLIENT 127.1.0.1", "1 CLIENT 127.2.0.1", "2 SWITCH NO_IP"],
    ...["3 SERVER 4.0.0.1", "4 SERVER 4.0.0.2"],
    ...["NUM_LINKS: 4", "0 2 1", "1 4 1", "2 3 1", "2 4 5"],
  ].join("\n");
  for (
    const [args, name] of [
      [["--servers", "servers.txt", "--lsa", "lsa.txt"], "lsa.txt"],
      [["--geography", "map.txt"], "map.txt"],
    ] as const
  ) {
    const { server, port } = await serve(
      folder.path,
      { "servers.txt": "4.0.0.1\n4.0.0.2\n", "lsa.txt": lsa, "map.txt": map },
      ...[...args, "--course", "umich", "--course-log", "log.txt"],
    );
    await using _server: StartedProgram = server;
    for (let id = 0; id < 4; id++) {
      for (const at of [1, 2]) {
        const asked = query(id, NAME);
        const answer = await ask(port, asked, `127.${at}.0.1`);
        assertEquals(addressIn(answer, id, asked), `4.0.0.${at}`, name);
      }
    }
    await checkOthers(port);
    const log = await Deno.readTextFile(join(folder.path, "log.txt"));
    assertEquals(log.split("\n").slice(0, 2), [
      `127.1.0.1 ${NAME} 4.0.0.1`,
      `127.2.0.1 ${NAME} 4.0.0.2`,
    ]);
    assertEquals(log.split("\n").length, 10);
  }
});

Deno.test("dns-redirector names the file and the line that it cannot read, with exit code 2", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.writeTextFile(at("servers"), "4.0.0.1\n4.0.0\n");
  await Deno.writeTextFile(at("map"), "NUM_NODES: 1\n0 SWITCH\n");
  await Deno.writeTextFile(
    at("sites"),
    "10.0.0.0/8 4.0.0.1\n\n10.1.0.0/16 x\n",
  );
  const domain = ["--domain", NAME];
  const edge = ["--edge", "4.0.0.1"];
  const said = await Promise.all([
    [...domain, "--servers", at("servers")],
    [...domain, "--geography", at("map")],
    [...domain, ...edge, "--sites", at("sites")],
    [...domain, ...edge, "--course-log", at("log")],
  ].map(async (args) => {
    const { code, stderr } = await runProgram(["dns-redirector", ...args]);
    assertEquals(code, 2, stderr);
    return stderr;
  }));
  assertMatch(said[0]!, /--servers .*servers: line 2: must be an address/);
  assertMatch(said[1]!, /--geography .*map: line 2: must be "ID CLIENT/);
  assertMatch(said[2]!, /--sites .*sites: line 3 names an edge .*: x/);
  assertMatch(said[3]!, /--course-log needs --course cmu\|umich/);
});
