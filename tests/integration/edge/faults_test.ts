/** Origins that fail in every way, and what the clients of an edge in front of them see. */
import { assert, assertEquals } from "@std/assert";
import { countingOrigin, gate } from "../../support/counting_origin.ts";
import { startEdge } from "../../support/edge.ts";
import {
  answer,
  type Behaviour,
  faultyOrigin,
} from "../../support/faulty_origin.ts";

/** What a client sees: status and how the body ended. */
async function seen(url: string): Promise<string> {
  const response = await fetch(url);
  const body = await response.text().then(
    (text) => text.length > 40 ? `${text.length} bytes` : text.trim(),
    () => "cut",
  );
  return `${response.status} ${body}`;
}

async function counts(
  url: string,
  paths: readonly string[],
): Promise<Record<string, number>> {
  const all = await Promise.all(paths.map((path) => seen(url + path)));
  const sums: Record<string, number> = {};
  for (const one of all.sort()) sums[one] = (sums[one] ?? 0) + 1;
  return sums;
}

const FRESH = "Cache-Control: max-age=60\r\n";

/** By the first part of the path. */
function faults(path: string): Behaviour {
  switch (path.split("/")[1]) {
    case "cut":
      return {
        text: `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n${FRESH}\r\nhalf`,
        then: "close",
      };
    case "chunks":
      return {
        text:
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${FRESH}\r\n4\r\nhalf\r\n`,
        then: "close",
      };
    case "hung":
      return { text: "", then: "hang" };
    case "stalled":
      return {
        text: `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n${FRESH}\r\nhalf`,
        then: "hang",
      };
    case "garbage":
      return { text: "220 smtp.example ESMTP\r\n\r\n", then: "close" };
    case "split":
      return {
        text: answer("one", FRESH) + answer("poison", FRESH),
        then: "keep",
      };
    case "closed":
      return { text: "", then: "close" };
    case "error":
      return { text: answer("no", "", "500 Oops"), then: "keep" };
    case "busy":
      return { text: answer("no", "", "503 Busy"), then: "keep" };
    default:
      return { text: answer("good", FRESH), then: "keep" };
  }
}

/** Breaks off at first, and then has the rest. */
function tornOnce(times: number): Behaviour {
  const fields = `ETag: "1"\r\n${FRESH}`;
  return times === 0
    ? {
      text: `HTTP/1.1 200 OK\r\nContent-Length: 8\r\n${fields}\r\nhalf`,
      then: "close",
    }
    : {
      text: answer(
        "done",
        `${fields}Content-Range: bytes 4-7/8\r\n`,
        "206 Partial Content",
      ),
      then: "keep",
    };
}

Deno.test("edge with a faulty origin alone answers 502, 504, or cuts, and never passes on what it did not understand", async () => {
  let torn = 0;
  await using origin = faultyOrigin((path) =>
    path === "/torn" ? tornOnce(torn++) : faults(path)
  );
  const { program, url } = await startEdge([origin.url], [
    "--origin-timeout",
    // Who answers has this time, too, on however busy a machine.
    "1500ms",
  ]);
  await using _edge = program;
  // One kind at a time, with a success between: three failures in a row and a second's silence would open the circuit.
  const saw: Record<string, string> = {};
  for (
    const kind of [
      "cut",
      "chunks",
      "hung",
      "stalled",
      "garbage",
      "closed",
      "error",
      "busy",
    ]
  ) {
    saw[kind] = await seen(`${url}/${kind}/1`);
    assertEquals(await seen(`${url}/good/${kind}`), "200 good");
  }
  assertEquals(saw, {
    cut: "200 cut",
    chunks: "200 cut",
    hung: "504 The origin did not answer in time",
    stalled: "200 cut",
    garbage: "502 No origin could be reached",
    closed: "502 No origin could be reached",
    error: "500 no",
    busy: "503 no",
  });
  // A broken answer is never stored.
  assertEquals(await seen(`${url}/cut/1`), "200 cut");
  // One that has a strong validator goes on where it broke off.
  assertEquals(await counts(url, Array(9).fill("/torn")), {
    "200 halfdone": 9,
  });
  assertEquals(torn, 2);
  // The second answer of a split one is for nobody.
  assertEquals(await seen(`${url}/split/1`), "200 one");
  assertEquals(await seen(`${url}/good/after`), "200 good");
  const codes = () =>
    program.events.flatMap((e) =>
      e.type === "upstream.failed" ? Array(e.times ?? 1).fill(e.code) : []
    );
  await program.until("upstream.failed", () => codes().length === 8);
  assertEquals(codes().sort(), [
    "answer-malformed",
    "body-cut-short",
    "body-cut-short",
    "body-cut-short",
    "body-cut-short",
    "body-too-slow",
    "connection-lost",
    "fetch-timeout",
  ]);
  assertEquals((await program.stop()).code, 0);
});

Deno.test("edge with a second origin hides all but a body that breaks off from 40 clients", async () => {
  await using bad = faultyOrigin(faults);
  await using good = countingOrigin((path) => new Response(`good ${path[1]}`));
  const { program, url } = await startEdge([bad.url, good.url], [
    "--origin-timeout",
    "1500ms",
  ]);
  await using _edge = program;
  const kinds = ["hung", "garbage", "closed", "busy"];
  const paths = kinds.flatMap((kind) =>
    Array.from({ length: 10 }, (_, n) => `/${kind}/${n}`)
  );
  assertEquals(await counts(url, paths), {
    "200 good b": 10,
    "200 good c": 10,
    "200 good g": 10,
    "200 good h": 10,
  });
  // One that has failed is asked last: nobody waits for it.
  const before = bad.asked.length;
  assertEquals(await seen(`${url}/hung/again`), "200 good h");
  assertEquals(bad.asked.length, before);
});

Deno.test("edge opens the circuit of a dead origin, serves stale content meanwhile, and closes it when a check succeeds", async () => {
  let dead = false;
  await using origin = faultyOrigin((path) => {
    if (dead) return { text: "", then: "close" };
    const old = 'ETag: "1"\r\nCache-Control: max-age=1\r\nAge: 30\r\n';
    return { text: answer(`at ${path}`, old), then: "keep" };
  });
  const { program, url } = await startEdge([origin.url], [
    "--health-check",
    "/health",
    "--health-interval",
    "100ms",
  ]);
  await using _edge = program;
  assertEquals(await seen(`${url}/film`), "200 at /film");
  dead = true;
  await program.until("upstream.suspended");
  const asked = () =>
    origin.asked.filter((line) => !line.includes("/health")).length;
  const before = asked();
  assertEquals(
    await counts(url, Array.from({ length: 20 }, () => "/film")),
    { "200 at /film": 20 },
  );
  assertEquals(await seen(`${url}/other`), "502 No origin could be reached");
  assertEquals(asked(), before);
  dead = false;
  await program.until("upstream.restored");
  assertEquals(await seen(`${url}/other`), "200 at /other");
});

Deno.test("edge asks an origin for no more at once than allowed, queues some, refuses the rest", async () => {
  const rest = gate();
  const four = gate();
  let now = 0;
  let most = 0;
  await using origin = countingOrigin(async (path) => {
    now += 1;
    most = Math.max(most, now);
    if (now === 2) four.open();
    await rest.opened;
    now -= 1;
    return new Response(path);
  });
  const { program, url } = await startEdge([origin.url], [
    "--origin-connections",
    "2",
    "--origin-queue",
    "3",
  ]);
  await using _edge = program;
  const all = counts(url, Array.from({ length: 9 }, (_, n) => `/${n}?`));
  await four.opened;
  await program.until("edge.answered", (e) => e.status === 503);
  const refused = () =>
    program.events.reduce(
      (n, e) => n + (e.type === "upstream.refused" ? e.times ?? 1 : 0),
      0,
    );
  await program.until("upstream.refused", () => refused() === 4);
  rest.open();
  const saw = await all;
  assertEquals(saw["503 The origins have too much to do"], 4);
  assertEquals(Object.values(saw).reduce((sum, n) => sum + n), 9);
  assertEquals([most, origin.requests.length], [2, 5]);
});

Deno.test("edge keeps its connections to the origin, and notices when one was closed", async () => {
  let closing = false;
  await using origin = faultyOrigin((path) => ({
    text: answer(path),
    then: closing ? "close" : "keep",
  }));
  const { program, url } = await startEdge([origin.url]);
  await using _edge = program;
  for (let n = 0; n < 5; n++) {
    assertEquals(await seen(`${url}/${n}`), `200 /${n}`);
  }
  assertEquals(origin.connections, 1);
  const fetched = () => program.events.filter((e) => e.type === "edge.fetched");
  await program.until("edge.fetched", (e) => e.path === "/4");
  assertEquals(fetched().map((e) => e.type === "edge.fetched" && e.reused), [
    false,
    true,
    true,
    true,
    true,
  ]);
  closing = true;
  for (let n = 5; n < 9; n++) {
    assertEquals(await seen(`${url}/${n}`), `200 /${n}`);
  }
  assert(origin.connections >= 4);
});
