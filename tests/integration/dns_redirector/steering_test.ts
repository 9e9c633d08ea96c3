import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  runProgram,
  runTool,
  type StartedProgram,
  startProgram,
} from "../../support/program.ts";

const HOSTS = ["127.0.0.3", "127.0.0.4"] as const;
const DOMAIN = "video.kingcdn.example";
const SERVER = [
  ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
  ...["--domain", DOMAIN, ...HOSTS.flatMap((host) => ["--edge", host])],
];

/** Two web servers on one port, with answers that a test changes. */
class Edges implements AsyncDisposable {
  readonly port: number;
  readonly answers = [
    { status: 200, body: "in service" },
    { status: 200, body: "in service" },
  ];
  readonly #servers: readonly Deno.HttpServer[];

  constructor() {
    const serve = (at: number, port: number) =>
      Deno.serve(
        { hostname: HOSTS[at]!, port, onListen: () => {} },
        () => {
          const { status, body } = this.answers[at]!;
          return new Response(body, { status });
        },
      );
    const first = serve(0, 0);
    this.port = (first.addr as Deno.NetAddr).port;
    this.#servers = [first, serve(1, this.port)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }
}

/** Asks with dig, as often as told, all at once. */
async function answers(server: StartedProgram, count: number) {
  const { port } = await server.until("role.listening");
  const asked = await Promise.all(
    Array.from({ length: count }, () =>
      runTool("dig", [
        ...["@127.0.0.1", "-p", String(port), "+short", "+tries=3", DOMAIN],
      ])),
  );
  return asked.map(({ stdout }) => stdout.trim()).sort();
}

Deno.test("dns-redirector takes an edge out that fails its check, brings it back, and never answers with none", async () => {
  await using edges = new Edges();
  await using server = await startProgram([
    ...SERVER,
    ...["--health-check", "/up", "--health-port", String(edges.port)],
    ...["--health-body", "in service", "--health-interval", "3s"],
    ...["--health-timeout", "1500ms", "--health-rise", "1"],
  ]);
  assertEquals(await answers(server, 2), [...HOSTS]);
  for (const host of HOSTS) {
    await server.until("distance.measured", (event) => event.host === host);
  }
  edges.answers[0]!.body = "in repair";
  const failed = await server.until("edge.failed");
  assertEquals([failed.host, failed.failures], [HOSTS[0], 2]);
  assertEquals(failed.check, `http://127.0.0.3:${edges.port}/up`);
  assertMatch(failed.reason, /no "in service"/);
  assertEquals(await answers(server, 3), [HOSTS[1], HOSTS[1], HOSTS[1]]);
  const chosen = await server.until(
    "edge.selected",
    ({ down }) => down.length > 0,
  );
  assertEquals([chosen.candidates, chosen.down], [[HOSTS[1]], [HOSTS[0]]]);
  edges.answers[1]!.status = 503;
  const none = await server.until("edges.exhausted");
  assertEquals([none.names, none.edges], [[DOMAIN], [...HOSTS]]);
  assertEquals(await answers(server, 2), [...HOSTS]);
  edges.answers[1]!.status = 200;
  const back = await server.until("edge.recovered");
  assertEquals([back.host, back.reason], [HOSTS[1], "answers with 200"]);
  assertEquals(await answers(server, 2), [HOSTS[1], HOSTS[1]]);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("dns-redirector sends clients to the edge that says it is least busy", async () => {
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(new Uint8Array(200_000)),
  );
  const from = `http://127.0.0.1:${(origin.addr as Deno.NetAddr).port}/`;
  await using near = await startEdge(HOSTS[0], from);
  await using far = await startEdge(HOSTS[1], from);
  const admins = await Promise.all([near, far].map(adminOf));
  await using server = await startProgram([
    ...["dns-redirector", "--host", "127.0.0.1", "--port", "0"],
    ...HOSTS.flatMap((host, at) => ["--edge", `${host},admin=${admins[at]}`]),
    ...["--domain", DOMAIN, "--policy", "load"],
    ...["--health-interval", "1s", "--health-fall", "1"],
  ]);
  const { port } = await near.until("role.listening");
  let isOver = false;
  const busy = (async () => {
    while (!isOver) {
      const response = await fetch(`http://${HOSTS[0]}:${port}/film`);
      await response.arrayBuffer();
    }
  })();
  try {
    for (const [at, host] of HOSTS.entries()) {
      await server.until(
        "load.measured",
        (event) => event.host === host && (at === 1 || event.load > 1000),
      );
    }
    // a reading may come late on a busy machine; then nobody is known to be busy, until the next
    const told = server.until(
      "edge.selected",
      ({ chosen, reason }) =>
        chosen === HOSTS[1] && /^least busy \(.*\/s\)$/.test(reason),
    );
    let isTold = false;
    const note = () => void (isTold = true);
    told.then(note, note);
    while (!isTold) await answers(server, 1);
    const { policy } = await told;
    assertEquals(policy, "load");
  } finally {
    isOver = true;
    await busy;
  }
  await near.stop();
  const missed = await server.until("load.missed");
  assertEquals(missed.host, HOSTS[0]);
});

function startEdge(host: string, origin: string): Promise<StartedProgram> {
  return startProgram([
    ...["edge", "--host", host, "--port", "0", "--origin", origin],
    ...["--admin", `${host}:0`],
  ]);
}

/** Where an edge's `--admin` is. */
async function adminOf(edge: StartedProgram): Promise<string> {
  const { host, port } = await edge.until("admin.listening");
  return `${host}:${port}`;
}

Deno.test("dns-redirector refuses rules by which an edge could not be out in time, with exit code 2", async () => {
  const codes = await Promise.all([
    ["--health-check", "ping"],
    ["--health-check", "tcp", "--health-timeout", "3s"],
    ["--policy", "load,geo"],
    ["--edge", "127.0.0.5,port=70000"],
  ].map(async (args) => {
    const { code, stderr } = await runProgram([...SERVER, ...args]);
    assert(!/ at file:|Error:/.test(stderr), stderr);
    return code;
  }));
  assertEquals(codes, codes.map(() => 2));
});
