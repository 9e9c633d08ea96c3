import { assert, assertEquals, assertMatch } from "@std/assert";
import { Fields } from "../../../../lib/http/fields.ts";
import { edgeOf } from "./_edge.ts";

Deno.test("Edge goes by CDN-Cache-Control alone where it is valid (RFC 9213)", async () => {
  // [CDN-Cache-Control, Cache-Control, whether it is reused]
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["max-age=60", "no-store", true],
    ["no-store", "max-age=60", false],
    ["private", "max-age=60", false],
    ["max-age=0", "max-age=60", false],
    ["max-age=60;x=1, foo=(a b)", "max-age=0", true],
    // Not valid, so that Cache-Control counts.
    ['max-age="60"', "no-store", false],
    ["max-age=60, &&&", "no-store", false],
    ["MAX-AGE=0", "max-age=60", true],
    ["", "max-age=60", true],
  ];
  for (const [targeted, control, reused] of cases) {
    const { ask, asked } = edgeOf(() =>
      new Response("x", {
        headers: { "cdn-cache-control": targeted, "cache-control": control },
      })
    );
    const first = await ask("/");
    assertEquals(first.headers.get("cdn-cache-control"), targeted);
    await ask("/");
    assertEquals(asked.length, reused ? 1 : 2, `${targeted} | ${control}`);
  }
});

Deno.test("Edge gives whoever likes one language best the copy in that language", async () => {
  const { ask, asked } = edgeOf((_, { headers }) => {
    const wanted = new Headers([...headers].map(([n, v]) => [n, v]));
    const isGerman = /\bde\b/.test(wanted.get("accept-language") ?? "");
    return new Response(isGerman ? "ja" : "yes", {
      headers: {
        "cache-control": "max-age=60",
        vary: "Accept-Language",
        "content-language": isGerman ? "de" : "en",
      },
    });
  });
  const say = async (languages: string) =>
    (await ask("/", { headers: { "accept-language": languages } })).text;
  assertEquals(await say("en, de"), "ja");
  assertEquals(await say("fr;q=0.5, DE"), "ja");
  assertEquals(asked.length, 1);
  assertEquals(await say("en, fr;q=0.1"), "yes");
  assertEquals(asked.length, 2);
  // No favourite: nobody knows what the origin would choose.
  assertEquals(await say("fr, en"), "yes");
  assertEquals(asked.length, 3);
});

Deno.test("Edge keeps the answer to a POST for later GETs when it says so (RFC 9110 §9.3.3)", async () => {
  const { ask, asked } = edgeOf((_, { method }) =>
    new Response(method, {
      headers: { "cache-control": "max-age=60", "content-location": "/form" },
    })
  );
  assertEquals((await ask("/form", { method: "POST" })).text, "POST");
  const get = await ask("/form");
  assertEquals(get.text, "POST");
  assertMatch(get.headers.get("cache-status")!, /^e; hit/);
  // The next POST makes it invalid, and takes its place.
  await ask("/form", { method: "POST" });
  assertEquals(asked.length, 2);
});

Deno.test("Edge passes interim answers on to the client whose request it forwarded", async () => {
  const { ask } = edgeOf((_, { interim }) => {
    const hints = new Fields([["link", "</a>"], ["keep-alive", "1"]]);
    interim?.(103, hints);
    return new Response("x", { headers: { "cache-control": "max-age=60" } });
  });
  const seen: string[] = [];
  const inform = (status: number, fields: Iterable<[string, string]>) =>
    void seen.push(`${status} ${[...fields].join()}`);
  await ask("/", { inform });
  await ask("/", { inform });
  assertEquals(seen, ["103 link,</a>"]);
});

Deno.test("Edge tells the origin for whom it asks, in both ways there are", async () => {
  let sent = new Headers();
  const answer: Parameters<typeof edgeOf>[0] = (_, { headers }) => {
    sent = new Headers([...headers].map(([n, v]) => [n, v]));
    return new Response("x");
  };
  const { ask } = edgeOf(answer);
  const before = { "x-forwarded-for": "1.2.3.4", forwarded: "for=1.2.3.4" };
  await ask("/", { headers: before });
  assertEquals(sent.get("x-forwarded-for"), "1.2.3.4, 192.0.2.1");
  assertEquals(
    sent.get("forwarded"),
    "for=1.2.3.4, for=192.0.2.1;proto=http",
  );
  await edgeOf(answer, undefined, { scheme: "https" }).ask("/");
  assertEquals(sent.get("forwarded"), "for=192.0.2.1;proto=https");
});

Deno.test("Edge's 304 leaves out what is said of the bytes, and nothing else (RFC 9110 §15.4.5)", async () => {
  const { ask } = edgeOf(() =>
    new Response("x", {
      headers: {
        "access-control-allow-origin": "*",
        "cache-control": "max-age=60",
        "content-location": "/there",
        "content-type": "text/plain",
        "cross-origin-resource-policy": "cross-origin",
        etag: '"1"',
      },
    })
  );
  await ask("/");
  const known = await ask("/", { headers: { "if-none-match": '"1"' } });
  assertEquals([known.status, known.text], [304, ""]);
  const names = [...known.headers].map(([name]) => name).sort();
  assertEquals(names, [
    "access-control-allow-origin",
    "age",
    "cache-control",
    "cache-status",
    "content-location",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "via",
  ]);
});

Deno.test("Edge counts a hop of OPTIONS, and answers it where there may be no further one (RFC 9110 §7.6.2)", async () => {
  const left: (string | undefined)[] = [];
  const { ask } = edgeOf((_, { headers }) => {
    left.push([...headers].find(([name]) => name === "max-forwards")?.[1]);
    return new Response(null, { status: 204 });
  });
  const options = (hops: string, target = "/a") =>
    ask(target, { method: "OPTIONS", headers: { "max-forwards": hops } });
  assertEquals((await options("3")).status, 204);
  assertEquals((await options("0")).status, 200);
  assertEquals((await options("7", "*")).status, 200);
  // No number: nothing to count.
  assertEquals((await options("-1")).status, 204);
  // Of other methods it says nothing.
  await ask("/a", { headers: { "max-forwards": "0" } });
  assertEquals(left, ["2", "-1", "0"]);
});

Deno.test("Edge gives fields that are for one client to that one, and to no other (RFC 9111 §5.2.2.7)", async () => {
  for (const control of ["private", "no-cache"]) {
    let cookies = 0;
    const { ask, asked, clock } = edgeOf((_, { headers }) => {
      const isAsked = [...headers].some(([name]) => name === "if-none-match");
      return new Response(isAsked ? null : "x", {
        status: isAsked ? 304 : 200,
        headers: [
          ["etag", '"1"'],
          ["cache-control", `max-age=60, ${control}="Set-Cookie, X-You"`],
          ["set-cookie", `visit=${++cookies}`],
          ["set-cookie", "b=c"],
          ["x-you", "a"],
        ],
      });
    });
    const seen = async () => {
      const { headers } = await ask("/");
      return [headers.get("set-cookie"), headers.get("x-you")];
    };
    assertEquals(await seen(), ["visit=1, b=c", "a"]);
    assertEquals(await seen(), [null, null]);
    await clock.advanceTo(61_000);
    // What comes with a 304 is for whoever it was asked for.
    assertEquals(await seen(), ["visit=2, b=c", "a"]);
    assertEquals(await seen(), [null, null]);
    assertEquals(asked.length, 2);
  }
});

Deno.test("Edge says of what it has that it can be had in parts, unless the origin says otherwise", async () => {
  const cases: [ResponseInit, string | null][] = [
    [{ headers: { "content-length": "3" } }, "bytes"],
    [{ headers: { "content-length": "3", "accept-ranges": "none" } }, "none"],
    [{ headers: { "content-length": "3" }, status: 404 }, null],
    // Nobody knows how long it will be.
    [{}, null],
  ];
  for (const [{ headers, status = 200 }, said] of cases) {
    const { ask } = edgeOf(() =>
      new Response("abc", {
        status,
        headers: { ...headers, "cache-control": "max-age=9" },
      })
    );
    assertEquals((await ask("/")).headers.get("accept-ranges"), said);
    // By then it is all there.
    const hit = said === null && status === 200 ? "bytes" : said;
    assertEquals((await ask("/")).headers.get("accept-ranges"), hit);
  }
});

Deno.test("Edge says that it has stored what a 304 refreshed only when it has", async () => {
  for (const [refreshed, said] of [["max-age=9", true], ["private", false]]) {
    let control = "max-age=1";
    const { ask, clock, events } = edgeOf((_, { headers }) => {
      const isAsked = [...headers].some(([name]) => name === "if-none-match");
      const fields = { etag: '"1"', "cache-control": control };
      return isAsked
        ? new Response(null, { status: 304, headers: fields })
        : new Response("x", { headers: fields });
    });
    await ask("/");
    control = String(refreshed);
    await clock.advanceTo(5000);
    const status = (await ask("/")).headers.get("cache-status")!;
    assertEquals(status.includes("; stored;"), said, status);
    const told = events.findLast(({ type }) => type === "edge.fetched");
    assert(told?.type === "edge.fetched");
    assertEquals([told.status, told.stored], [304, said]);
  }
});
