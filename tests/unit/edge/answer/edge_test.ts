import { assert, assertEquals, assertMatch } from "@std/assert";
import { RunError } from "../../../../lib/core/errors.ts";
import { edgeOf } from "./_edge.ts";

const down = () => {
  throw new RunError("fetch-failed", "Cannot fetch it: down");
};

Deno.test("Edge serves stale at once and refreshes behind the client's back", async () => {
  let version = 1;
  const { ask, asked, clock } = edgeOf(() =>
    new Response(`v${version}`, {
      headers: { "cache-control": "max-age=1, stale-while-revalidate=60" },
    })
  );
  assertEquals((await ask("/")).text, "v1");
  version = 2;
  await clock.advanceTo(5000);
  const stale = await ask("/");
  assertEquals(stale.text, "v1");
  assertMatch(stale.headers.get("cache-status")!, /^e; hit; ttl=-4; /);
  await clock.advanceTo(5001);
  assertEquals((await ask("/")).text, "v2");
  assertEquals(asked.length, 2);
});

Deno.test("Edge takes no 304 for an answer that is about another version, neither for a client nor behind its back", async () => {
  for (const when of ["", ", stale-while-revalidate=60"]) {
    let version = 1;
    const { ask, asked, clock } = edgeOf((_, { headers }) => {
      const isAsked = [...headers].some(([name]) => name === "if-none-match");
      const fields = {
        etag: `"${version}"`,
        "cache-control": `max-age=1${when}`,
      };
      // As one of two servers that do not have the same yet.
      return isAsked
        ? new Response(null, { status: 304, headers: fields })
        : new Response(`v${version}`, { headers: fields });
    });
    assertEquals((await ask("/")).text, "v1");
    await clock.advanceTo(5000);
    assertEquals((await ask("/")).text, "v1");
    version = 2;
    await clock.advanceTo(10_000);
    assertEquals((await ask("/")).text, when === "" ? "v2" : "v1");
    await clock.advanceTo(10_001);
    const { text, headers } = await ask("/");
    assertEquals([text, headers.get("etag")], ["v2", '"2"']);
    assertEquals(asked.length, 4);
  }
});

Deno.test("Edge passes on no answer that its client could not use, keeps none, and lets what is stale stand in", async () => {
  const part = {
    "content-range": "bytes 1-2/9",
    "content-length": "2",
    etag: '"1"',
  };
  const cases: [
    { status: number; headers?: Record<string, string> },
    HeadersInit,
    number,
  ][] = [
    [{ status: 999 }, {}, 502],
    [{ status: 304, headers: { etag: '"1"' } }, {}, 502],
    [{ status: 304 }, { "if-none-match": '"1"' }, 502],
    [{ status: 206, headers: part }, {}, 502],
    [{ status: 206, headers: part }, { range: "bytes=1-2" }, 206],
  ];
  for (const [init, headers, status] of cases) {
    const fields = { ...init.headers, "cache-control": "max-age=9" };
    const body = init.status === 206 ? "bc" : null;
    const { ask, asked } = edgeOf(() => {
      const response = new Response(body, { headers: fields });
      // The platform makes none above 599.
      return Object.defineProperty(response, "status", { value: init.status });
    });
    for (let n = 1; n <= 2; n++) {
      assertEquals((await ask("/", { headers })).status, status);
      assertEquals(asked.length, status === 206 ? 1 : n);
    }
  }
  let isOdd = false;
  const { ask, clock } = edgeOf(() =>
    isOdd
      ? new Response(null, { status: 304 })
      : new Response("yes", { headers: { "cache-control": "max-age=1" } })
  );
  await ask("/");
  isOdd = true;
  await clock.advanceTo(5000);
  assertEquals((await ask("/")).text, "yes");
});

Deno.test("Edge stands in for an error only where stale-if-error allows it", async () => {
  for (const [directive, status] of [["stale-if-error=60", 200], ["x", 503]]) {
    let failing = false;
    const { ask, clock } = edgeOf(
      () =>
        failing ? new Response("no", { status: 503 }) : new Response("yes", {
          headers: { "cache-control": `max-age=1, ${directive}`, etag: '"1"' },
        }),
      ["http://a.test"],
    );
    await ask("/");
    await clock.advanceTo(5000);
    failing = true;
    assertEquals((await ask("/")).status, status as number, String(directive));
  }
});

Deno.test("Edge asks the next origin for safe methods, and avoids the one that failed for 5 s", async () => {
  const { ask, asked, clock } = edgeOf((url) =>
    url.startsWith("http://a.test/") ? down() : new Response("from b")
  );
  assertEquals((await ask("/1")).text, "from b");
  assertEquals((await ask("/2")).text, "from b");
  await clock.advanceTo(6000);
  assertEquals((await ask("/3", { method: "HEAD" })).status, 200);
  assertEquals(asked, [
    "GET http://a.test/1",
    "GET http://b.test/1",
    "GET http://b.test/2",
    "HEAD http://a.test/3",
    "HEAD http://b.test/3",
  ]);
});

Deno.test("Edge sends an unsafe request once, and to the next origin only when there was no connection to the first", async () => {
  for (
    const [code, status, origins] of [
      ["connection-lost", 502, ["a"]],
      ["fetch-timeout", 504, ["a"]],
      ["connect-failed", 200, ["a", "b"]],
      ["connect-timeout", 200, ["a", "b"]],
    ] as const
  ) {
    const { ask, asked } = edgeOf((url) => {
      if (url.startsWith("http://a.")) throw new RunError(code, "no");
      return new Response("done");
    });
    assertEquals((await ask("/", { method: "POST" })).status, status, code);
    assertEquals(asked, origins.map((name) => `POST http://${name}.test/`));
  }
});

Deno.test("Edge puts the path of --origin before every target, and lets none out of it", async () => {
  const { ask, asked } = edgeOf(() => new Response("x"), [
    "http://a.test/base/?q#f",
  ]);
  await ask("/../../x?y=1");
  await ask("//evil.test/");
  assertEquals(asked, [
    "GET http://a.test/base/x?y=1",
    "GET http://a.test/base//evil.test/",
  ]);
  assertEquals((await ask("http://evil.test/")).status, 400);
  assertEquals((await ask("/", { method: "TRACE" })).status, 501);
  const back = { headers: { via: "1.1 x, 1.1 e (mark-1)" } };
  assertEquals((await ask("/", back)).status, 508);
  assertEquals(asked.length, 2);
});

Deno.test("Edge forgets what an unsafe method made wrong however the URL of --origin is written (RFC 9111 §4.4)", async () => {
  const origins = ["HTTP://A.Test:80/films/", "http://b.test"];
  const { ask, asked } = edgeOf((_, { method }) =>
    new Response(method, {
      headers: method === "GET"
        ? { "cache-control": "max-age=60" }
        : { location: "http://a.test/films/b", "content-location": "c" },
    }), origins);
  const paths = ["/a", "/b", "/c"];
  for (const path of paths) await ask(path);
  await ask("/a", { method: "POST" });
  for (const path of paths) await ask(path);
  assertEquals(asked.length, 7);
});

Deno.test("Edge sends nobody around itself to an origin: its Location is one here", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["http://a.test/films/b/?x#y", "/b/?x#y"],
    ["http://b.test/c", "/c"],
    ["//a.test/films/c", "/c"],
    // Of the origin's own path there is nothing here.
    ["/films/d", "/d"],
    // As good here as there.
    ["e?f", "e?f"],
    ["../g", "../g"],
    // Elsewhere.
    ["http://c.test/films/b", "http://c.test/films/b"],
    ["/other", "/other"],
    ["http://[", "http://["],
    // Would name a host.
    ["http://b.test//evil.test/", "http://b.test//evil.test/"],
  ];
  for (const control of ["max-age=60", "no-store"]) {
    for (const [there, here] of cases) {
      const { ask } = edgeOf(() =>
        new Response(null, {
          status: 302,
          headers: { location: there, "cache-control": control },
        }), ["http://a.test/films", "http://b.test"]);
      for (let n = 0; n < 2; n++) {
        const { headers } = await ask("/a/b");
        assertEquals(headers.get("location"), here, there);
      }
    }
  }
});

Deno.test("Edge tells once of an origin whose clock is behind, or that hides how old its answers are", async () => {
  const cases: [number, Record<string, string>, number][] = [
    [100_000, {}, 1],
    [100_000, { age: "100" }, 0],
    [1000, {}, 0],
    [-100_000, {}, 0],
  ];
  for (const [agoMs, fields, count] of cases) {
    const { ask, clock, events } = edgeOf(() => {
      const date = new Date(clock.wallMs() - agoMs).toUTCString();
      return new Response("x", { headers: { date, ...fields } });
    }, ["http://a.test"]);
    for (const target of ["/1", "/2"]) await ask(target);
    const told = events.filter(({ type }) => type === "upstream.lagged");
    assertEquals(told.length, count, JSON.stringify([agoMs, fields]));
  }
});

Deno.test("Edge cuts a body whose origin falls silent", async () => {
  const { ask, clock, events } = edgeOf(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(5)),
      }),
      { headers: { "cache-control": "max-age=60" } },
    )
  );
  const cut = ask("/").then(() => "whole", () => "cut");
  await clock.advanceTo(3000);
  assertEquals(await cut, "cut");
  assertEquals(
    events.flatMap((e) =>
      e.type === "edge.fetched" || e.type === "edge.answered"
        ? [[e.type, e.bytes, e.complete]]
        : []
    ).sort(),
    [["edge.answered", 5, false], ["edge.fetched", 5, false]],
  );
});

/** A body of which half comes, then nothing more ever. */
function halfABody(): ReadableStream<Uint8Array> {
  let isFirst = true;
  return new ReadableStream({
    pull(controller) {
      if (isFirst) controller.enqueue(new TextEncoder().encode("half"));
      else controller.error(new RunError("body-cut-short", "It broke off"));
      isFirst = false;
    },
  });
}

Deno.test("Edge has the rest of a body that breaks off from another origin that has the very same, and no client notices", async () => {
  const headers = { "cache-control": "max-age=60", etag: '"1"' };
  const ranges: (string | null)[] = [];
  const { ask, asked, events } = edgeOf((url, { headers: sent }) => {
    if (url.startsWith("http://a.test/")) {
      return new Response(halfABody(), {
        headers: { ...headers, "content-length": "8" },
      });
    }
    const fields = new Headers([...sent].map(([n, v]) => [n, v]));
    ranges.push(fields.get("range"), fields.get("if-range"));
    return new Response("done", {
      status: 206,
      headers: { ...headers, "content-range": "bytes 4-7/8" },
    });
  });
  const part = { headers: { range: "bytes=2-5" } };
  const seen = await Promise.all([ask("/"), ask("/"), ask("/", part)]);
  assertEquals(seen.map(({ text }) => text), ["halfdone", "halfdone", "lfdo"]);
  assertEquals(ranges, ["bytes=4-", '"1"']);
  assertEquals((await ask("/")).text, "halfdone");
  assertEquals(asked, ["GET http://a.test/", "GET http://b.test/"]);
  assertEquals(
    events.flatMap((e) =>
      e.type === "edge.fetched"
        ? [[e.origin, e.reason, e.bytes, e.complete, e.stored]]
        : []
    ),
    [
      ["http://a.test", "uri-miss", 4, false, false],
      ["http://b.test", "rest", 4, true, true],
    ],
  );
});

Deno.test("Edge that goes asks nobody for the rest of a body, and bears that it is asked for already", async () => {
  for (const when of ["before", "while"]) {
    const edge = edgeOf((url) => {
      if (when === "before" || url.startsWith("http://b.test/")) edge.leave();
      if (url.startsWith("http://b.test/")) {
        throw new DOMException("It was told to go", "AbortError");
      }
      const headers = { "content-length": "8", etag: '"1"' };
      return new Response(halfABody(), {
        headers: { ...headers, "cache-control": "max-age=60" },
      });
    });
    const cut = await edge.ask("/").then(() => "whole", () => "cut");
    assertEquals([cut, edge.asked.length], ["cut", when === "before" ? 1 : 2]);
  }
});

Deno.test("Edge cuts every client of a body that breaks off and has no rest, keeps nothing of it, and has the next one from another origin", async () => {
  const cases: { fields: HeadersInit; asksForRest: boolean }[] = [
    // How long it is to be nobody knows.
    { fields: { etag: '"1"' }, asksForRest: false },
    // Nobody can tell whether another one has the same.
    { fields: { "content-length": "8", etag: 'W/"1"' }, asksForRest: false },
    // Another one has something else.
    { fields: { "content-length": "8", etag: '"1"' }, asksForRest: true },
  ];
  for (const { fields, asksForRest } of cases) {
    const { ask, asked, tiers, events } = edgeOf((url) => {
      if (url.startsWith("http://b.test/")) return new Response("all of b");
      const headers = { "cache-control": "max-age=60", ...fields };
      return new Response(halfABody(), { headers });
    });
    const part = { headers: { range: "bytes=2-5" } };
    const seen = await Promise.allSettled([ask("/"), ask("/"), ask("/", part)]);
    assertEquals(seen.map(({ status }) => status), Array(3).fill("rejected"));
    assertEquals(tiers.stats().objects, 0);
    // That origin is asked last for a while.
    assertEquals((await ask("/")).text, "all of b");
    const ofB = Array(asksForRest ? 2 : 1).fill("GET http://b.test/");
    assertEquals(asked, ["GET http://a.test/", ...ofB]);
    const broken = events.filter((e) =>
      e.type === "edge.fetched" && !e.complete
    );
    assertEquals(broken.length, 1);
  }
});

Deno.test("Edge makes the head of a hit once a second, and a new one when anything in it changes", async () => {
  let version = 1;
  const { ask, clock, tiers } = edgeOf(() =>
    new Response(`v${version}`, {
      headers: { "cache-control": "max-age=2", etag: `"${version}"` },
    })
  );
  await ask("/");
  const ageOf = ({ headers }: Awaited<ReturnType<typeof ask>>) => [
    headers.get("age"),
    headers.get("cache-status"),
  ];
  await clock.advanceTo(1);
  const first = await ask("/");
  await clock.advanceTo(999);
  const same = await ask("/");
  assert(same.headers === first.headers);
  assertEquals(ageOf(same), ["0", 'e; hit; ttl=1; key="/"']);
  await clock.advanceTo(1500);
  const later = await ask("/");
  assertEquals(ageOf(later), ["1", 'e; hit; ttl=0; key="/"']);
  assertEquals(ageOf(first)[0], "0");
  const none = await ask("/", { headers: { "if-none-match": '"1"' } });
  assertEquals([none.status, none.text], [304, ""]);
  const part = await ask("/", { headers: { range: "bytes=1-1" } });
  assertEquals([part.status, part.text], [206, "1"]);
  const head = await ask("/", { method: "HEAD" });
  assertEquals([head.text, head.headers.get("content-length")], ["", "2"]);
  const again = await ask("/");
  assert(again.headers === later.headers);
  assertEquals(again.text, "v1");
  tiers.forgetAll("/");
  version = 2;
  await ask("/");
  const renewed = await ask("/");
  assertEquals([renewed.text, renewed.headers.get("etag")], ["v2", '"2"']);
  assertEquals(ageOf(renewed)[0], "0");
});
