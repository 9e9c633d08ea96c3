/**
 * Lesson 5, content distribution: a caching proxy before an origin, which is the grader itself at port 8080
 * (`ROLECALL_ORIGIN_PORT`).
 *
 *     ./proxy --listen 8081 --origin http://127.0.0.1:8080 &
 *     ROLECALL_TARGET=http://127.0.0.1:8081 deno test -A tests/grading/05_cdn_test.ts tests/grading/05_cdn_faults_test.ts
 *
 * Here is what the proxy passes on and what it keeps; the other file has what goes wrong.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cdn, counted, FRESH, untilStale } from "./_cdn.ts";
import { assertSameBytes } from "./_http.ts";

const extra = { extra: true };
const MIB = 1024 * 1024;

/** Bytes in which every place looks different. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, at) => at * 31 + (at >> 8));
}

cdn(
  "pass: status, fields and body are as the origin sent them",
  async (cdn) => {
    const fields = { "X-Lesson": "five", "Content-Type": "text/x-lesson" };
    const path = cdn.path({ status: 203, fields, body: "from the origin\n" });
    const answer = await cdn.ask(path);
    assertEquals(answer.status, 203);
    assertEquals(answer.text, "from the origin\n");
    for (const [name, value] of Object.entries(fields)) {
      assertEquals(answer.fields.get(name), value, name);
    }
  },
);

cdn("pass: bytes that are no text", async (cdn) => {
  const body = bytesOf(3000);
  const answer = await cdn.ask(cdn.path({ body }));
  assertSameBytes(answer.body, body);
});

cdn("pass: a body of 1 MiB, twice the same", async (cdn) => {
  const body = bytesOf(MIB);
  const path = cdn.path({ fields: FRESH, body });
  assertSameBytes((await cdn.ask(path)).body, body);
  assertSameBytes((await cdn.ask(path)).body, body);
});

cdn("pass: a chunked body, twice the same", async (cdn) => {
  const body = bytesOf(70_000);
  const path = cdn.path({ fields: FRESH, body, chunked: true });
  assertSameBytes((await cdn.ask(path)).body, body);
  assertSameBytes((await cdn.ask(path)).body, body);
});

cdn("pass: an answer without a body", async (cdn) => {
  const empty = await cdn.ask(cdn.path({ fields: FRESH }));
  assertEquals([empty.status, empty.text], [200, ""]);
  assertEquals((await cdn.ask(cdn.path({ status: 204 }))).status, 204);
});

cdn("pass: 404 and 500 of the origin come with their bodies", async (cdn) => {
  for (const status of [404, 500]) {
    const fields = { "Cache-Control": "no-store" };
    const answer = await cdn.ask(
      cdn.path({ status, fields, body: `page of ${status}` }),
    );
    assertEquals([answer.status, answer.text], [status, `page of ${status}`]);
  }
});

cdn(
  "pass: the origin sees the client's path, query and fields",
  async (cdn) => {
    const path = cdn.path({ body: "ok" }, "/a%20b?q=1&q=%2F");
    const answer = await cdn.ask(path, { fields: { "X-Student": "42" } });
    assertEquals(answer.text, "ok");
    assertEquals(cdn.origin.askedFor(path)[0]?.fields.get("x-student"), "42");
  },
);

/** Fields that are for the next program only, and one that is not. */
const HOPS = { "X-Hop": "1", "Keep-Alive": "timeout=7", "X-End": "1" };

for (const name of ["Keep-Alive", "X-Hop"] as const) {
  const what = name === "X-Hop" ? "what Connection names" : name;
  const options = { extra: name === "X-Hop" };
  cdn(`pass: ${what} ends at the proxy, in answers`, async (cdn) => {
    const fields = { ...HOPS, Connection: "X-Hop" };
    const answer = await cdn.ask(cdn.path({ fields, body: "ok" }));
    assertEquals(answer.fields.get("x-end"), "1");
    assert(answer.fields.get(name) !== HOPS[name], name);
  }, options);

  cdn(`pass: ${what} ends at the proxy, in requests`, async (cdn) => {
    const path = cdn.path({ body: "ok" });
    await cdn.ask(path, { fields: { ...HOPS, Connection: "close, X-Hop" } });
    const seen = cdn.origin.askedFor(path)[0]!.fields;
    assertEquals(seen.get("x-end"), "1");
    assert(seen.get(name) !== HOPS[name], name);
  }, options);
}

cdn("pass: a POST reaches the origin with its body, each time", async (cdn) => {
  const path = cdn.path((asked) => ({
    fields: FRESH,
    body: `${asked.method} ${new TextDecoder().decode(asked.body)}`,
  }));
  for (const body of ["first", "second", "second"]) {
    const answer = await cdn.ask(path, { method: "POST", body });
    assertEquals(answer.text, `POST ${body}`);
  }
  assertEquals(cdn.fetches(path), 3);
});

cdn("pass: a POST is not answered with what a GET has left", async (cdn) => {
  const path = cdn.path((asked) => ({ fields: FRESH, body: asked.method }));
  assertEquals((await cdn.ask(path)).text, "GET");
  const answer = await cdn.ask(path, { method: "POST", body: "x" });
  assertEquals(answer.text, "POST");
});

cdn(
  "pass: HEAD has the fields of GET and no body, before and after a GET",
  async (cdn) => {
    const path = cdn.path({ fields: { ...FRESH, ETag: '"1"' }, body: "whole" });
    const check = async () => {
      const { status, fields, body } = await cdn.ask(path, { method: "HEAD" });
      assertEquals([status, fields.get("etag"), body.length], [200, '"1"', 0]);
      assertEquals(fields.get("content-length") ?? "5", "5");
    };
    await check();
    assertEquals((await cdn.ask(path)).text, "whole");
    await check();
  },
);

cdn("pass: Via names the proxy in answers", async (cdn) => {
  const answer = await cdn.ask(cdn.path({ body: "ok" }));
  assertMatch(answer.fields.get("via") ?? "none", /1\.1 \S+/);
}, extra);

cdn("pass: Via names the proxy in requests", async (cdn) => {
  const path = cdn.path({ body: "ok" });
  await cdn.ask(path);
  const via = cdn.origin.askedFor(path)[0]!.fields.get("via");
  assertMatch(via ?? "none", /1\.1 \S+/);
}, extra);

cdn(
  "cache: a fresh answer is served again, and the origin asked once",
  async (cdn) => {
    const path = cdn.path(counted({ ...FRESH, "X-Lesson": "five" }));
    for (let times = 0; times < 3; times++) {
      const answer = await cdn.ask(path);
      assertEquals([answer.status, answer.text], [200, "answer 1"]);
      assertEquals(answer.fields.get("x-lesson"), "five");
      assertEquals(answer.fields.get("content-type"), "text/plain");
    }
    assertEquals(cdn.fetches(path), 1);
  },
);

for (const rule of ["no-store", "private", "max-age=60, private"]) {
  cdn(`cache: what is "${rule}" is never kept`, async (cdn) => {
    const path = cdn.path(counted({ "Cache-Control": rule }));
    assertEquals((await cdn.ask(path)).text, "answer 1");
    assertEquals((await cdn.ask(path)).text, "answer 2");
  });
}

cdn("cache: after max-age the origin is asked again", async (cdn) => {
  const path = cdn.path(counted({ "Cache-Control": "max-age=1" }));
  assertEquals((await cdn.ask(path)).text, "answer 1");
  await untilStale();
  assertEquals((await cdn.ask(path)).text, "answer 2");
});

cdn("cache: s-maxage counts, and not max-age", async (cdn) => {
  const long = counted({ "Cache-Control": "max-age=0, s-maxage=60" });
  const short = counted({ "Cache-Control": "max-age=60, s-maxage=0" });
  const [kept, asked] = [cdn.path(long), cdn.path(short)];
  for (const path of [kept, asked]) await cdn.ask(path);
  assertEquals((await cdn.ask(kept)).text, "answer 1", "s-maxage=60");
  assertEquals((await cdn.ask(asked)).text, "answer 2", "s-maxage=0");
});

cdn("cache: Age tells the seconds since the origin answered", async (cdn) => {
  const path = cdn.path({ fields: FRESH, body: "old" });
  const begin = performance.now();
  await cdn.ask(path);
  const arrived = performance.now();
  await untilStale();
  const least = (performance.now() - arrived) / 1000;
  const age = Number((await cdn.ask(path)).fields.get("age") ?? NaN);
  const most = (performance.now() - begin) / 1000;
  assert(Number.isInteger(age), "there is an Age, a whole number");
  assert(age >= Math.floor(least), `Age ${age} after ${least} s`);
  assert(age <= Math.ceil(most) + 1, `Age ${age} after ${most} s`);
});

cdn(
  "cache: a lifetime counts from the Age that the answer came with",
  async (cdn) => {
    const path = cdn.path(counted({ ...FRESH, Age: "100" }));
    await cdn.ask(path);
    assertEquals((await cdn.ask(path)).text, "answer 2");
  },
  extra,
);

cdn(
  "cache: a stale answer is asked about with its ETag, and 304 serves the stored body",
  async (cdn) => {
    const fields = { "Cache-Control": "max-age=1", ETag: '"first"' };
    const path = cdn.path(({ fields: asked }, nth) =>
      asked.get("if-none-match")?.includes('"first"')
        ? { status: 304, fields }
        : { fields, body: `body ${nth}` }
    );
    assertEquals((await cdn.ask(path)).text, "body 1");
    await untilStale();
    const answer = await cdn.ask(path);
    assertEquals([answer.status, answer.text], [200, "body 1"]);
    const asked = cdn.origin.askedFor(path)[1];
    assertEquals(asked?.fields.get("if-none-match"), '"first"');
  },
);

cdn("cache: what has changed replaces the stale answer", async (cdn) => {
  const path = cdn.path((_, nth) => ({
    fields: {
      "Cache-Control": `max-age=${nth === 1 ? 1 : 60}`,
      ETag: `"${nth}"`,
    },
    body: `body ${nth}`,
  }));
  await cdn.ask(path);
  await untilStale();
  assertEquals((await cdn.ask(path)).text, "body 2");
  assertEquals((await cdn.ask(path)).text, "body 2");
  assertEquals(cdn.fetches(path), 2);
});

cdn(
  "cache: Last-Modified asks as well, where there is no ETag",
  async (cdn) => {
    const date = "Tue, 06 Oct 2015 08:00:00 GMT";
    const fields = { "Cache-Control": "max-age=1", "Last-Modified": date };
    const path = cdn.path((asked) =>
      asked.fields.get("if-modified-since") === date
        ? { status: 304, fields }
        : { fields, body: "old film" }
    );
    await cdn.ask(path);
    await untilStale();
    assertEquals((await cdn.ask(path)).text, "old film");
    const asked = cdn.origin.askedFor(path)[1];
    assertEquals(asked?.fields.get("if-modified-since"), date);
  },
  extra,
);

cdn(
  "cache: a client that has the answer (If-None-Match) gets 304, and the origin is not asked",
  async (cdn) => {
    const path = cdn.path({ fields: { ...FRESH, ETag: '"1"' }, body: "whole" });
    await cdn.ask(path);
    const fields = { "If-None-Match": '"1"' };
    assertEquals((await cdn.ask(path, { fields })).status, 304);
    assertEquals(cdn.fetches(path), 1);
  },
  extra,
);

cdn("cache: another query is another answer", async (cdn) => {
  const path = cdn.path({ fields: FRESH, body: "none" });
  for (const query of ["?a=1", "?a=2"]) {
    cdn.origin.on(path + query, { fields: FRESH, body: query });
  }
  for (const query of ["", "?a=1", "?a=2", "", "?a=1"]) {
    assertEquals((await cdn.ask(path + query)).text, query || "none");
  }
});

cdn(
  "cache: who does not take gzip is not given what was kept for one who does (Vary)",
  async (cdn) => {
    const zipped = await new Response(
      new Blob(["plain"]).stream().pipeThrough(new CompressionStream("gzip")),
    ).bytes();
    const path = cdn.path(({ fields }) => {
      const isZipped = /gzip/.test(fields.get("accept-encoding") ?? "");
      const coding = isZipped ? { "Content-Encoding": "gzip" } : {};
      return {
        fields: { ...FRESH, Vary: "Accept-Encoding", ...coding },
        body: isZipped ? zipped : "plain",
      };
    });
    for (const coding of ["gzip", "identity", "gzip", "identity"]) {
      const fields = { "Accept-Encoding": coding };
      const answer = await cdn.ask(path, { fields });
      // A proxy may ask the origin for no coding at all, or take it off.
      const isZipped = answer.fields.get("content-encoding") === "gzip";
      if (isZipped) assertSameBytes(answer.body, zipped);
      else assertEquals(answer.text, "plain");
      assert(coding === "gzip" || !isZipped, "gzip for a client without it");
    }
  },
);

cdn(
  "cache: each language has its answer (Vary: Accept-Language), kept once",
  async (cdn) => {
    const path = cdn.path(({ fields }) => ({
      fields: { ...FRESH, Vary: "Accept-Language" },
      body: fields.get("accept-language") ?? "none",
    }));
    for (const language of ["de", "en", "de", "en"]) {
      const fields = { "Accept-Language": language };
      assertEquals((await cdn.ask(path, { fields })).text, language);
    }
    assertEquals(cdn.fetches(path), 2);
  },
  extra,
);

cdn(
  "cache: an answer to Authorization is for that client only",
  async (cdn) => {
    const path = cdn.path(counted(FRESH));
    await cdn.ask(path, { fields: { Authorization: "Basic c2VjcmV0" } });
    assertEquals((await cdn.ask(path)).text, "answer 2");
  },
  extra,
);
