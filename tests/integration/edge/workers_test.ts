/** An edge in several threads: one cache to whoever asks, whichever thread has the connection. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { keyOwner } from "../../../lib/http/cache/key_owner.ts";
import { countingOrigin, gate } from "../../support/counting_origin.ts";
import {
  BODY,
  inHalves,
  readRest,
  startEdge,
  statusesOf,
} from "../../support/edge.ts";
import { eventually } from "../../support/eventually.ts";
import {
  runProgram,
  startProgram,
  temporaryFolder,
} from "../../support/program.ts";
import { freePort } from "../../support/tools.ts";

const WORKERS = 3;
const IN_THREADS = ["--workers", String(WORKERS)];

/** Paths that each thread has some of. */
const PATHS = Array.from({ length: 24 }, (_, n) => `/object-${n}`);

/** Asks on a connection of its own: which thread has it is for the system to say. */
async function get(url: string, init: RequestInit = {}) {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { ...init, client });
  return {
    status: response.status,
    text: (await response.text()).trim(),
    headers: response.headers,
  };
}

/** An origin whose answers say what was asked for. */
function plainOrigin() {
  return countingOrigin((path, { method }) =>
    new Response(`${method} ${path}`, {
      headers: {
        "cache-control": "max-age=600",
        "cache-tag": "all",
        ...(method === "PUT" ? { "content-location": "/object-0" } : {}),
      },
    })
  );
}

Deno.test("edge in threads fetches once for 100 clients, some of a range, who read while it fills", async () => {
  const rest = gate();
  await using origin = countingOrigin(() =>
    inHalves(rest.opened, {
      "cache-control": "max-age=60",
      "content-length": String(BODY.length),
    })
  );
  const { program, url } = await startEdge([origin.url], IN_THREADS);
  await using _edge = program;
  const clients = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const isPart = n % 10 === 5;
      const response = await fetch(`${url}/movie`, {
        headers: isPart ? { range: "bytes=1000-9999" } : {},
      });
      assertEquals(response.status, isPart ? 206 : 200);
      const reader = response.body!.getReader();
      const whole = isPart ? BODY.subarray(1000, 10_000) : BODY;
      return { reader, first: (await reader.read()).value!, whole };
    }),
  );
  // All have bytes in hand, and the origin has not sent the second half. Some leave now.
  for (const { reader } of clients.slice(0, 10)) await reader.cancel();
  rest.open();
  for (const { reader, first, whole } of clients.slice(10)) {
    await readRest(reader, first, whole);
  }
  assertEquals(origin.count("/movie"), 1);
  const statuses = statusesOf(program, "/movie");
  assertEquals(statuses.filter((one) => one === "miss").length, 1);
});

Deno.test("edge in threads keeps each response once, counts all together, and purges in all", async () => {
  await using origin = plainOrigin();
  await using folder = await temporaryFolder();
  const log = `${folder.path}/access.log`;
  const { program, url } = await startEdge([origin.url], [
    ...IN_THREADS,
    ...["--admin", "0", "--purge-token", "sesame", "--access-log", log],
  ]);
  await using _edge = program;
  const { port } = await program.until("admin.listening");
  const shown = async (path: string) =>
    await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const askAll = async () => {
    for (const path of PATHS) {
      assertEquals((await get(url + path)).text, `GET ${path}`);
    }
  };
  for (let round = 0; round < 3; round++) await askAll();
  assertEquals(PATHS.map((path) => origin.count(path)), PATHS.map(() => 1));
  const status = JSON.parse(await shown("/status"));
  assertEquals([status.objects, status.hitRatio], [PATHS.length, 2 / 3]);
  const metrics = await shown("/metrics");
  assertMatch(metrics, /requests_total\{cache="hit"\} 48\n/);
  assertMatch(metrics, /origin_requests_total\{[^}]*\} 24\n/);
  const purge = async (path: string, fields = {}) => {
    const { status, text } = await get(url + path, {
      method: "PURGE",
      headers: { authorization: "Bearer sesame", ...fields },
    });
    return `${status} ${text}`;
  };
  assertEquals(await purge("/object-7"), "200 Purged 1");
  assertEquals(await purge("/object-1*"), "200 Purged 11");
  assertEquals(await purge("/", { "cache-tag": "all" }), "200 Purged 12");
  assertEquals((await get(`${url}/x`, { method: "PURGE" })).status, 401);
  await askAll();
  assertEquals(PATHS.map((path) => origin.count(path)), PATHS.map(() => 2));
  // What an unsafe method says it changed is another thread's to forget.
  const changing = PATHS.find((path) =>
    keyOwner(path, WORKERS) !== keyOwner("/object-0", WORKERS)
  )!;
  const put = await get(url + changing, { method: "PUT", body: "new" });
  assertEquals(put.text, `PUT ${changing}`);
  await get(`${url}/object-0`);
  assertEquals(origin.count("/object-0"), 3);
  assertEquals((await program.stop()).code, 0);
  const lines = (await Deno.readTextFile(log)).trim().split("\n");
  assertEquals(lines.length, 4 * PATHS.length + 4 + 2);
});

Deno.test("edge in threads has its disk again, in another number of threads", async () => {
  await using origin = plainOrigin();
  await using folder = await temporaryFolder();
  for (const workers of ["3", "2", "1"]) {
    const { program, url } = await startEdge([origin.url], [
      ...["--workers", workers, "--cache-dir", folder.path],
      ...["--admin", "0", "--disk-size", "6MiB"],
    ]);
    await using _edge = program;
    const { objects, removed } = await program.until("cache.restored");
    assertEquals([objects, removed], [workers === "3" ? 0 : PATHS.length, 0]);
    for (const path of PATHS) {
      assertEquals((await get(url + path)).text, `GET ${path}`);
    }
    const admin = await program.until("admin.listening");
    const metrics = `http://127.0.0.1:${admin.port}/metrics`;
    const wanted = [
      `rolecall_edge_disk_objects ${PATHS.length}`,
      `rolecall_edge_disk_capacity_bytes ${6 * 2 ** 20}`,
    ];
    let text = "";
    await eventually(async () => {
      text = (await get(metrics)).text;
      return wanted.every((line) => text.split("\n").includes(line));
    }, { account: () => text });
    assertEquals((await program.stop()).code, 0);
  }
  assertEquals(PATHS.map((path) => origin.count(path)), PATHS.map(() => 1));
});

Deno.test("edge in threads answers from the first moment, also for threads that have not begun", async () => {
  await using origin = plainOrigin();
  const port = freePort();
  await using _edge = await startProgram([
    ...["edge", "--host", "127.0.0.1", "--port", String(port)],
    ...["--workers", "4", "--origin", origin.url],
  ]);
  // A connection proves nothing: before the first thread listens, the lead looks whether somebody has the port.
  await eventually(
    () => get(`http://127.0.0.1:${port}/first`).then(() => true, () => false),
    { account: () => "the first thread does not answer", pauseMs: 10 },
  );
  const answers = await Promise.all(
    PATHS.map((path) => get(`http://127.0.0.1:${port}${path}`)),
  );
  assertEquals(answers.map(({ text }) => text), PATHS.map((p) => `GET ${p}`));
});

Deno.test("edge in threads passes request bodies on, and cuts what the origin cuts", async () => {
  await using origin = countingOrigin(async (path, request) =>
    path === "/cut"
      ? new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(BODY.subarray(0, 1000));
            setTimeout(() => controller.error(new Error("cut")), 100);
          },
        }),
        { headers: { "content-length": "2000" } },
      )
      : new Response(String((await request.bytes()).length))
  );
  const { program, url } = await startEdge([origin.url], IN_THREADS);
  await using _edge = program;
  for (const path of PATHS.slice(0, 6)) {
    const answer = await get(url + path, { method: "POST", body: BODY });
    assertEquals(answer.text, String(BODY.length));
  }
  for (let n = 0; n < 4; n++) {
    const outcome = await get(`${url}/cut`).then(() => "whole", () => "cut");
    assertEquals(outcome, "cut");
  }
  assertEquals((await get(`${url}/object-0`)).status, 200);
});

Deno.test("edge in threads says in one line what it cannot do", async () => {
  const port = String(freePort());
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
  const edge = ["edge", "--host", "127.0.0.1", "--origin", "http://a.test/"];
  for (
    const [flags, code, said] of [
      [["--port", port, "--workers", "2"], 1, /in use/],
      [["--workers", "0"], 2, /--workers must be from 1 to 32, got 0/],
      [["--workers", "2", "--prefetch"], 2, /--prefetch needs --workers 1/],
      [["--workers", "2", "--limit-rate", "1MiB/s"], 2, /--limit-rate needs/],
      [["--workers", "2", "--tls", "self-signed"], 2, /--tls needs/],
      [
        ["--workers", "4", "--origin-connections", "3"],
        2,
        /at least --workers, got 3 for 4/,
      ],
    ] as const
  ) {
    const ended = await runProgram([...edge, ...flags]);
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, said);
    assert(!ended.stderr.includes("    at "), ended.stderr);
  }
});
